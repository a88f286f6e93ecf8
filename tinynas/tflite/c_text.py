"""Pieces of C source: names, literals, arrays, and the operators' calls on TFLM's resolver."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

import numpy as np

from tinynas.errors import ModelError, UnsupportedOperatorError

# ISO C11 6.4.1, and the words that C++20 adds (N4861 5.11, 5.5).
_WORDS = """
auto break case char const continue default do double else enum extern float for goto if inline int
long register restrict return short signed sizeof static struct switch typedef union unsigned void
volatile while alignas alignof and and_eq asm bitand bitor bool catch char16_t char32_t char8_t
class co_await co_return co_yield compl concept consteval constexpr constinit const_cast decltype
delete dynamic_cast explicit export false friend mutable namespace new noexcept not not_eq nullptr
operator or or_eq private protected public reinterpret_cast requires static_assert static_cast
template this thread_local throw true try typeid typename using virtual wchar_t xor xor_eq main
"""
_KEYWORDS = frozenset(_WORDS.split())
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

# Schema name -> method of MicroMutableOpResolver (TFLM: micro_mutable_op_resolver.h).
_METHODS: Mapping[str, str] = {
    "ADD": "AddAdd",
    "AVERAGE_POOL_2D": "AddAveragePool2D",
    "CONCATENATION": "AddConcatenation",
    "CONV_2D": "AddConv2D",
    "DEPTHWISE_CONV_2D": "AddDepthwiseConv2D",
    "DEQUANTIZE": "AddDequantize",
    "EXPAND_DIMS": "AddExpandDims",
    "FULLY_CONNECTED": "AddFullyConnected",
    "HARD_SWISH": "AddHardSwish",
    "LEAKY_RELU": "AddLeakyRelu",
    "LOGISTIC": "AddLogistic",
    "MAXIMUM": "AddMaximum",
    "MAX_POOL_2D": "AddMaxPool2D",
    "MEAN": "AddMean",
    "MINIMUM": "AddMinimum",
    "MUL": "AddMul",
    "PACK": "AddPack",
    "PAD": "AddPad",
    "PADV2": "AddPadV2",
    "PRELU": "AddPrelu",
    "QUANTIZE": "AddQuantize",
    "REDUCE_MAX": "AddReduceMax",
    "REDUCE_MIN": "AddReduceMin",
    "RELU": "AddRelu",
    "RELU6": "AddRelu6",
    "RESHAPE": "AddReshape",
    "SHAPE": "AddShape",
    "SOFTMAX": "AddSoftmax",
    "SQUEEZE": "AddSqueeze",
    "STRIDED_SLICE": "AddStridedSlice",
    "SUB": "AddSub",
    "SUM": "AddSum",
    "TANH": "AddTanh",
    "TRANSPOSE": "AddTranspose",
}
# Kernels that TFLM also has for int8 alone, which saves up to 17 kB of code each (kernels/conv.h and others).
_INT8_ONLY = frozenset(
    ("ADD", "AVERAGE_POOL_2D", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "MAX_POOL_2D", "SOFTMAX")
)


def check_name(name: str) -> None:
    """ModelError unless `name` can name the model's array in C and in C++."""
    if _NAME.fullmatch(name) and "__" not in name and name not in _KEYWORDS:
        return
    why = "is a word of C or C++" if name in _KEYWORDS else "cannot be a name in C and C++"
    better = re.sub(r"_+", "_", re.sub(r"[^A-Za-z0-9]", "_", name)).strip("_")
    better = better if _NAME.fullmatch(better) and better not in _KEYWORDS else f"model_{better}".rstrip("_")
    raise ModelError(
        f"the model's name {name!r} {why}: wanted a letter, then letters, digits and single underscores, "
        f"such as {better!r}"
    )


def string(text: str) -> str:
    """A C string literal of the UTF-8 of `text`, safe from escapes, trigraphs and line ends."""
    return '"' + "".join(map(_escaped, text.encode("utf-8", "replace"))) + '"'


def _escaped(byte: int) -> str:
    if byte in b'"\\?':
        return f"\\{byte:c}"
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"


def number(value: float) -> str:
    """A C float literal that reads back as the float32 nearest to `value`; ModelError beyond its range."""
    with np.errstate(over="ignore"):
        nearest = np.float32(value)
    if not np.isfinite(nearest):
        raise ModelError(f"{value} cannot be written as a C float; scale the samples to a smaller range first")
    return f"{nearest!s}f"


def array(values: Iterable[object], indent: str = "    ") -> str:
    """The values as lines of a C initialiser, at most 100 characters each."""
    lines, line = [], indent
    for value in values:
        piece = f"{value}, "
        if len(line) + len(piece) > 101:
            lines.append(line.rstrip())
            line = indent
        line += piece
    return "\n".join([*lines, line.rstrip()])


def byte_array(data: bytes) -> str:
    """The bytes as lines of a C initialiser, sixteen a line."""
    rows = (data[start : start + 16] for start in range(0, len(data), 16))
    return "\n".join("    " + " ".join(f"0x{byte:02x}," for byte in row) for row in rows)


def resolver_calls(operators: Iterable[str], wider: Collection[str] = ()) -> tuple[str, ...]:
    """One call on a resolver `r` for each kind of operator, in the order of their first use.

    wider: those that see other types than int8, and so need the kernels for all types.
    UnsupportedOperatorError for an operator whose method is not known.
    """
    calls = []
    for name in dict.fromkeys(operators):
        if name not in _METHODS:
            raise UnsupportedOperatorError(
                f"operator {name}: no method of TFLM's resolver is known (but for {', '.join(_METHODS)})"
            )
        is_small = name in _INT8_ONLY and name not in wider
        calls.append(f"(r).{_METHODS[name]}({f'::tflite::Register_{name}_INT8()' if is_small else ''})")
    return tuple(calls)

"""Pieces of C source: names, literals and arrays."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from tinynas.errors import ModelError

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
# Headers that firmware includes by these names: NAME.h would stand in their way.
_LIBRARY = """
arduino assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign
stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string strings tgmath threads time uchar
unistd wchar wctype
"""
_HEADERS = frozenset(_LIBRARY.split())


def check_name(name: str) -> None:
    """ModelError unless `name` can begin the names of files and of symbols in C and in C++."""
    reason = _reason(name)
    if reason is not None:
        raise ModelError(
            f"the model's name {name!r} {reason}: wanted a letter, then letters, digits and single underscores, "
            f"such as {as_name(name)!r}"
        )


def as_name(text: str) -> str:
    """The name nearest to `text` that `check_name` takes."""
    better = re.sub(r"_+", "_", re.sub(r"[^A-Za-z0-9]", "_", text)).strip("_")
    return better if _reason(better) is None else f"model_{better}".rstrip("_")


def _reason(name: str) -> str | None:
    """What speaks against `name`, or None."""
    if name in _KEYWORDS:
        return "is a word of C or C++"
    if name.lower() in _HEADERS:
        return "is that of a header of the C library"
    if not _NAME.fullmatch(name) or "__" in name or name.endswith("_"):
        return "cannot be a name in C and C++"
    return None


def string(text: str) -> str:
    """A C string literal of the UTF-8 of `text`, safe from escapes, trigraphs and line ends."""
    return '"' + "".join(map(_escaped, text.encode("utf-8", "replace"))) + '"'


def _escaped(byte: int) -> str:
    if byte in b'"\\?':
        return f"\\{byte:c}"
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"


def markdown(text: str) -> str:
    """`text` as a line of Markdown that says it and nothing else: no markup, no HTML, no new line."""
    line = "".join(each if each.isprintable() else " " for each in text)
    return re.sub(r"([\\`*\[\]<>|#!&~$])", r"\\\1", " ".join(line.split()))


def number(value: float) -> str:
    """A C float literal that reads back as the float32 nearest to `value`; ModelError beyond its range."""
    with np.errstate(over="ignore"):
        nearest = np.float32(value)
    if not np.isfinite(nearest):
        raise ModelError(f"{value} cannot be written as a C float; scale the samples to a smaller range first")
    return f"{nearest!s}f"


def double(value: float) -> str:
    """A C double literal that reads back as `value`; ModelError beyond the range of a float, as for `number`."""
    number(value)
    return repr(float(value))


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

"""The code that TFLM adds to a program as version 0.1.0 gave it, with which a search goes on that began with it.

Its figures are the sizes of linked programs less that of an empty one, in which what TFLM calls of the C library was
already; operators' helpers were fitted. See old_figures.py, and runtime.py for the figures of today.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import hypot
from typing import NamedTuple

from tinynas.errors import UnsupportedOperatorError, UsageError
from tinynas.hardware.estimate import Estimate
from tinynas.hardware.kernels import TargetKernels
from tinynas.hardware.runtime import BUILDS, OTHER_KERNELS_ERROR, Build

_COLUMNS: tuple[Build, ...] = (
    "logs -O2", "logs -O2 i8", "release -O2", "release -O2 i8", "release -Os", "release -Os i8"
)  # fmt: skip
_CORE = (18096, 18096, 10648, 10648, 10648, 10648)

# Bytes of a program with the core and one operator, in the order of _COLUMNS; None: not measured in that build.
_ALONE: Mapping[str, tuple[int | None, ...]] = {
    "CONV_2D": (52116, 34644, 41908, 24628, 39764, 23892),
    "DEPTHWISE_CONV_2D": (42040, 33372, 31780, 23172, 30308, 22756),
    "FULLY_CONNECTED": (41428, 36900, 30440, 26664, 24648, 21480),
    "MAX_POOL_2D": (25204, 24584, 16936, 16360, 16680, 16136),
    "AVERAGE_POOL_2D": (25012, 24392, 16744, 16168, 16456, 15944),
    "MEAN": (27584, 27584, 18752, 18752, 17728, 17728),
    "SOFTMAX": (31084, 29968, 21688, 20344, 21112, 19864),
    "RESHAPE": (20832, 20832, 11768, 11768, 11704, 11704),
    "ADD": (34052, 28012, 25016, 19192, 21816, 17912),
    "PAD": (25168, 25168, 15000, 15000, 13848, 13848),
    "MUL": (32068, 32068, None, None, None, None),
    "CONCATENATION": (24268, 24268, None, None, None, None),
    "EXPAND_DIMS": (20376, 20376, None, None, None, None),
    "REDUCE_MAX": (25020, 25020, None, None, None, None),
    "LOGISTIC": (27072, 27072, None, None, None, None),
    "RELU": (23152, 23152, None, None, None, None),
}
_DYNAMIC_FLATTEN = (33448, 33448, 23576, 23576, 16760, 16760)  # SHAPE, STRIDED_SLICE and PACK, measured together


class _Likeness(NamedTuple):
    """An operator that was not linked alone: which measured one it resembles, how much larger, and how sure that is."""

    like: str
    factor: float = 1.0
    error: float = 0.5


# From the kernels' sources: what they instantiate (types, broadcasts) and which helpers they call.
_LIKE: Mapping[str, _Likeness] = {
    "SUB": _Likeness("ADD", 1.0, 0.25),
    "TANH": _Likeness("LOGISTIC", 1.1, 0.35),
    "HARD_SWISH": _Likeness("LOGISTIC", 0.9),
    "LEAKY_RELU": _Likeness("RELU", 1.2),
    "PRELU": _Likeness("RELU", 1.8),
    "RELU6": _Likeness("RELU", 0.7),
    "QUANTIZE": _Likeness("MUL", 0.6),
    "DEQUANTIZE": _Likeness("MUL", 0.4),
    "TRANSPOSE": _Likeness("PAD", 1.2),
    "PADV2": _Likeness("PAD", 1.0, 0.25),
    "MAXIMUM": _Likeness("MUL", 0.6),
    "MINIMUM": _Likeness("MUL", 0.6),
    "SUM": _Likeness("MEAN", 1.0, 0.25),
    "REDUCE_MIN": _Likeness("REDUCE_MAX", 1.0, 0.25),
    "SQUEEZE": _Likeness("RESHAPE", 1.0),
}
_FLATTEN_SHARES: Mapping[str, float] = {"SHAPE": 0.1, "STRIDED_SLICE": 0.6, "PACK": 0.3}

# Helpers that are linked once, however many operators call them: bytes in each build.
# "any": type and shape utilities; "arithmetic": QuantizeMultiplier and soft doubles; "convolution": filters, im2col.
SHARED: Mapping[str, tuple[int, ...]] = {
    "any": (704, 631, 237, 206, 236, 209),
    "arithmetic": (3925, 3927, 3897, 3738, 3859, 3715),
    "convolution": (3720, 3407, 1843, 1953, 2022, 2089),
}
ERRORS: tuple[float, ...] = (0.022, 0.021, 0.021, 0.026, 0.018, 0.021)
"""Relative error of each build (_COLUMNS), the worst of the rows left out one at a time."""


_NO_ARITHMETIC = frozenset(
    (
        "RESHAPE",
        "SQUEEZE",
        "EXPAND_DIMS",
        "SHAPE",
        "STRIDED_SLICE",
        "PACK",
        "PAD",
        "PADV2",
        "CONCATENATION",
        "TRANSPOSE",
    )
)
_CONVOLUTIONS = frozenset(("CONV_2D", "DEPTHWISE_CONV_2D"))


def runtime_flash_bytes(operators: Iterable[str], build: Build, kernels: TargetKernels = "cmsis_nn") -> Estimate:
    """Bytes of code and constants that TFLM adds for a set of operator names, the model itself not counted.

    The error covers what the model of shared code misses; for operators that were not linked alone in that build, how
    they were derived; and for `kernels` other than CMSIS-NN with DSP, that their code was not linked at all.
    UnsupportedOperatorError names an operator of unknown size: it is never counted as nothing.
    """
    return _runtime(frozenset(operators), build, kernels == "cmsis_nn")


@lru_cache(maxsize=1024)
def _runtime(operators: frozenset[str], build: Build, linked: bool) -> Estimate:
    if build not in _COLUMNS:
        raise UsageError(f"The build of TFLM is {build!r}; wanted one of {', '.join(BUILDS)}.")
    column = _COLUMNS.index(build)
    total, unsure = float(_CORE[column]), 0.0
    for name in sorted(operators):
        size, off = _own(name, column)
        measured = name in _FLATTEN_SHARES and operators >= _FLATTEN_SHARES.keys()
        total, unsure = total + size, unsure + (0.0 if measured else off)
    total -= sum(SHARED[helper][column] * again for helper, again in repeats(operators).items())
    error = hypot(ERRORS[column], unsure / total, 0.0 if linked else OTHER_KERNELS_ERROR)
    return Estimate(round(total), error, f"{build}, linked for a Cortex-M4 with CMSIS-NN")


def repeats(operators: frozenset[str]) -> dict[str, int]:
    """How often each shared helper is counted again when the operators' own sizes are added up."""
    users = {
        "any": len(operators),
        "arithmetic": len(operators - _NO_ARITHMETIC),
        "convolution": len(operators & _CONVOLUTIONS),
    }
    return {helper: max(count - 1, 0) for helper, count in users.items()}


def _own(name: str, column: int) -> tuple[float, float]:
    """(bytes of the operator alone, bytes by which they may be off)."""
    if name in _ALONE:
        alone = _ALONE[name][column]
        if alone is not None:
            return alone - _CORE[column], 0.0
        ratio, spread = _against_logs(column)
        return _scaled(_unshared(name, column % 2) * ratio, name, column, spread)
    if name in _FLATTEN_SHARES:
        size = (_DYNAMIC_FLATTEN[column] - _CORE[column]) * _FLATTEN_SHARES[name]
        return size, size * 0.3
    if name in _LIKE:
        like, factor, error = _LIKE[name]
        size, unsure = _own(like, column)
        derived, more = _scaled((size - _helpers(like, column)) * factor, name, column, error)
        return derived, hypot(unsure, more)
    known = ", ".join(sorted({*_ALONE, *_FLATTEN_SHARES, *_LIKE}))
    raise UnsupportedOperatorError(
        f"operator {name}: the size of its code in TFLM is not known (known: {known}), so no verdict on Flash with "
        f"the runtime can be given"
    )


def _scaled(code: float, name: str, column: int, error: float) -> tuple[float, float]:
    """The size of an operator from an estimate of the code it shares with no other; at least 1 kB of it is unsure."""
    return _helpers(name, column) + max(code, 0.0), error * max(code, 1000.0)


def _helpers(name: str, column: int) -> int:
    """Bytes of the shared helpers that the operator calls, convolution's aside."""
    return SHARED["any"][column] + (0 if name in _NO_ARITHMETIC else SHARED["arithmetic"][column])


def _unshared(name: str, column: int) -> float:
    size = _ALONE[name][column]
    assert size is not None  # the two columns "logs" are full
    return size - _CORE[column] - _helpers(name, column)


def _against_logs(column: int) -> tuple[float, float]:
    """(mean, half spread over mean) of operators' own code in a build over that in "logs", where both are known."""
    ratios = sorted(
        _unshared(name, column) / _unshared(name, column % 2)
        for name, sizes in _ALONE.items()
        if sizes[column] is not None
    )
    mean = sum(ratios) / len(ratios)
    return mean, (ratios[-1] - ratios[0]) / 2 / mean

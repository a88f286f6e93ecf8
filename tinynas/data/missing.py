"""Values that are missing: NaN, and the marks that recorders write for a reading that failed, such as -999."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

POLICIES = ("error", "drop", "interpolate")
_FLOAT32_MAX = float(np.finfo(np.float32).max)
_LIMITS = {float(sign * (2**bits - less)) for sign in (1, -1) for bits in (15, 16, 31, 32) for less in (0, 1)}
_ROUND = {float(sign * 10**power) for sign in (1, -1) for power in (20, 30, 32, 36, 37, 38)}
_FEW = 20  # values, among which none is far off
_MOST_MARKS = 4
_WIDTHS, _WIDTHS_UNKNOWN = 2.0, 5.0  # of the bulk, that a mark lies away from it
_REPEATS = 3  # of a value that nobody is known to write, before it is a mark


def find_marks(values: Array) -> tuple[float, ...]:
    """The values among `values` (n,), all finite, that stand for a failed reading rather than for one.

    Such a value is the least or the greatest, and further from the bulk (1 to 99 % of the others) than that is wide:
    twice for what is known as a mark (-999, 9999, the limits of integers), five times for any other value that is there
    three times or more among others of which no value is so frequent.
    """
    found: list[float] = []
    while len(found) < _MOST_MARKS and values.size > _FEW:
        mark = next((end for end in (values.min(), values.max()) if _is_mark(end, values)), None)
        if mark is None:
            break
        found.append(float(mark))
        values = values[values != mark]
    return tuple(found)


def is_missing(values: Array, marks: tuple[tuple[float, ...], ...]) -> Mask:
    """Where values (..., C) are NaN, beyond float32's range, or a mark of their channel."""
    missing = ~(np.abs(values) <= _FLOAT32_MAX) if values.dtype.kind == "f" else np.zeros(values.shape, dtype=bool)
    for channel, own in enumerate(marks):
        for mark in own:
            missing[..., channel] |= values[..., channel] == mark
    return np.asarray(missing)


def interpolated(values: Array, missing: Mask) -> Array:
    """Values (n, C) with the missing ones on the line between their neighbours.

    Before the first and behind the last one that is there, that one is repeated. A channel with none at all is left.
    """
    out: Array = values.copy()
    steps = np.arange(len(values))
    for channel in range(values.shape[1]):
        gone = missing[:, channel]
        if gone.any() and not gone.all():
            out[gone, channel] = np.interp(steps[gone], steps[~gone], values[~gone, channel])
    return out


def longest_run(mask: Mask) -> int:
    """The most entries in a row that are set."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _is_mark(value: Any, values: Array) -> bool:
    others = values[values != value]
    if others.size < _FEW:
        return False
    low, high = np.quantile(others, (0.01, 0.99))
    width = float(high - low)
    gap = float(low - value if value < low else value - high)
    if width <= 0 or gap < _WIDTHS * width:
        return False
    if _is_known(float(value)):
        return True
    next_to_it = float(np.abs(others - value).min())
    repeats = values.size - others.size
    return (
        repeats >= _REPEATS
        and min(gap, next_to_it) >= _WIDTHS_UNKNOWN * width
        and np.unique(others, return_counts=True)[1].max() < max(_REPEATS, others.size // 4)
    )


def _is_known(value: float) -> bool:
    """Whether a value is one that recorders write: nines alone (-999, 9999.9), or the end of an integer's range."""
    digits = f"{abs(value):.7g}".replace(".", "")  # as many digits as float32 has
    return (len(digits) > 2 and set(digits) == {"9"}) or value in _LIMITS or value in _ROUND

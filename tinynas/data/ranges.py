"""The raw range that becomes 0 to 1: that of the training samples, or of their bulk where a few values would eat it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.data.missing import find_marks
from tinynas.data.normalize import chunks, extremes

Array = npt.NDArray[Any]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CHOICES = ("full", "robust")
STEPS = 256  # of an int8 input
_SAMPLE_VALUES = 1 << 20  # of a channel, from which quantiles are taken
_BULK = (0.005, 0.995)
_TOO_FEW = 16  # steps for the bulk, below which the range is that of the bulk and half its width on either side
_TELLING = 0.5  # a class has far values in so many more of its samples than another: they are signal
_NAMED = 4  # channels that notes name, and values of each


@dataclass(frozen=True, eq=False)
class Ranges:
    """The least and greatest raw value of each channel (C,) that become 0 and 1, and sentences on what is clipped."""

    low: Doubles
    high: Doubles
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Channel:
    """The range of one channel; `marks` and what else lies beyond it is clipped."""

    number: int
    low: float
    high: float
    whole: tuple[float, float]
    bulk: float
    marks: tuple[float, ...] = ()

    def beyond(self, part: Array) -> npt.NDArray[np.bool_]:
        values = part[..., self.number]
        return (values < self.low) | (values > self.high)

    def steps(self) -> float:
        """How many of the steps of the whole range the bulk has."""
        return STEPS * self.bulk / (self.whole[1] - self.whole[0])


def find_ranges(x: Array, rows: Ints | None, y: Ints, choice: str | None, names: Sequence[str] = ()) -> Ranges:
    """The ranges of raw samples x (n, H, W, C), of which `rows` (None: all) with labels y are the training part.

    choice: "full" is the least to the greatest value, "robust" the bulk of 99 %; None takes the full range, but where
    the bulk would have fewer than 16 of the 256 steps of int8, or a value is a mark of failed readings, what is far off
    is left out, unless it tells the classes apart. names: of the channels, for the notes.
    """
    if x.dtype == np.uint8 and choice != "robust":  # has a range of its own
        return Ranges(np.zeros(x.shape[-1]), np.full(x.shape[-1], 255.0))
    low, high = extremes(x, rows)
    if choice == "full" or x.dtype.kind == "b":
        return Ranges(low, high)
    found = []
    for channel, values in enumerate(samples_of(x, rows)):
        one = _narrowed(channel, values, (float(low[channel]), float(high[channel])), choice)
        if one is not None:
            found.append(one)
    notes = []
    for one, about in _told(x, rows, y, found, choice):
        if not about.signal:
            low[one.number], high[one.number] = one.low, one.high
        notes.append(_note(one, about, names))
    more = (f"The same is true of {len(notes) - _NAMED} more channels.",) if len(notes) > _NAMED else ()
    return Ranges(low, high, (*notes[:_NAMED], *more))


def bulk_steps(x: Any) -> tuple[float, ...]:
    """How many of the 256 steps of int8 the middle 98 % of each channel's values span, of samples x in [0, 1]."""
    sampled = np.stack(list(samples_of(x, None)))
    low, high = np.quantile(sampled, (0.01, 0.99), axis=1)
    return tuple(round(float(steps), 1) for steps in STEPS * (high - low))


def samples_of(x: Any, rows: Ints | None) -> Iterator[Array]:
    """Yield some values (m,) of each channel, all of them where they are few, evenly from the rows (None: all)."""
    n, inner = len(x) if rows is None else len(rows), math.prod(x.shape[1:-1])
    some = np.arange(0, n, max(1, min(n // 256, n * inner // _SAMPLE_VALUES)))
    picked = np.asarray(x[some if rows is None else rows[some]])
    for channel in range(x.shape[-1]):
        values = picked[..., channel].ravel()
        yield values[:: max(1, len(values) // _SAMPLE_VALUES)].astype(np.float64)


def _narrowed(channel: int, values: Array, whole: tuple[float, float], choice: str | None) -> _Channel | None:
    """The range without marks and far values, where they eat the steps of the whole range; None where they do not."""
    if whole[0] == whole[1]:
        return None
    values = np.concatenate([values, whole])
    marks = find_marks(values)
    kept = values[~np.isin(values, marks)] if marks else values
    low, high = (float(end) for end in np.quantile(kept, _BULK))
    ends = float(kept.min()), float(kept.max())
    width = high - low
    if choice == "robust" and width > 0:
        return _Channel(channel, low, high, whole, width, marks)
    if width > 0 and STEPS * width < _TOO_FEW * (ends[1] - ends[0]):
        ends = max(ends[0], low - width / 2), min(ends[1], high + width / 2)
    return None if ends == whole else _Channel(channel, *ends, whole, width, marks)


@dataclass(frozen=True)
class _Clipped:
    """What lies beyond a channel's range: how many values, the most frequent ones with their counts, and whether one
    class has them much more than another.
    """

    count: int
    of: int
    values: tuple[tuple[float, int], ...]
    signal: bool


def _told(
    x: Array, rows: Ints | None, y: Ints, found: Sequence[_Channel], choice: str | None
) -> Iterator[tuple[_Channel, _Clipped]]:
    """Yield each channel with what lies beyond its range; where that tells the classes apart it must stay."""
    counts = [Counter[float]() for _ in found]
    has = np.zeros((len(found), len(y)), dtype=bool)
    of = 0
    for start, part in chunks(x, rows) if found else ():
        of += math.prod(part.shape[:-1])
        for place, one in enumerate(found):
            beyond = one.beyond(part)
            has[place, start : start + len(part)] = beyond.reshape(len(part), -1).any(axis=1)
            values, times = np.unique(part[..., one.number][beyond], return_counts=True)
            counts[place].update(dict(zip(values.tolist(), times.tolist(), strict=True)))
    for place, one in enumerate(found):
        shares = [has[place, y == label].mean() for label in np.unique(y)]
        signal = max(shares) - min(shares) > _TELLING and choice is None
        yield one, _Clipped(sum(counts[place].values()), of, tuple(counts[place].most_common(_NAMED)), signal)


def _note(one: _Channel, about: _Clipped, names: Sequence[str]) -> str:
    name = f"Channel {names[one.number]!r}" if one.number < len(names) else f"Channel {one.number + 1}"
    shown = about.values[: max(1, len(one.marks))]
    values = " and ".join(f"{value:.6g} ({f'{count:,} times' if count > 1 else 'once'})" for value, count in shown)
    marks = ", as marks of failed readings are: --missing drop or interpolate treats them" if one.marks else ""
    start = (
        f"{name}: {about.count:,} of {about.of:,} values lie far from the others, such as {values}{marks}; in a range "
        f"of {one.whole[0]:.6g} to {one.whole[1]:.6g} the bulk has {one.steps():.3g} of the 256 steps of int8"
    )
    if about.signal:
        return f"{start}, but they tell the classes apart, so the range stays (--range robust clips them)."
    return (
        f"{start}, so the range is {one.low:.6g} to {one.high:.6g} and they are clipped, on the device too (--range "
        f"full keeps them)."
    )

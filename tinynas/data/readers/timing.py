"""What a column of time says of recordings: their rate, gaps, where another one begins; and rows at another rate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.data.readers.listing import listed
from tinynas.data.readers.names import unit_of

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Time = npt.NDArray[np.float64] | tuple[str, ...] | None

_GAP = 1.8  # steps: a row is missing
_BREAK = 10.0  # steps, after which what comes is taken for another recording
_SAME_RATE = 0.05  # rates that differ by less are one
_EXACT = 0.01  # of the rate that is wanted: the rows are left as they are
_DATES = (6.3e8, 4.1e9)  # seconds since 1970 of the years 1990 and 2099: a time there is a date
# The least whole step between rows in such a unit.
_STEPS = ((1e6, 1e-9, "nanoseconds"), (1e3, 1e-6, "microseconds"), (1.0, 1e-3, "milliseconds"))
_FORMATS = ("%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%H:%M:%S", "%H:%M")
_WORDS = {1.0: "seconds", 1e-3: "milliseconds", 1e-6: "microseconds", 1e-9: "nanoseconds", 60.0: "minutes"}


@dataclass(frozen=True, eq=False)
class Timing:
    """The seconds of each row (n,), the usual step, the rows with which another recording begins, and (row, seconds) of
    each gap.
    """

    seconds: Doubles
    step: float
    breaks: Ints
    gaps: tuple[tuple[int, float], ...]

    @property
    def rate(self) -> float:
        """Rows a second."""
        return 1 / self.step


def timings(times: Sequence[Time], name: str) -> tuple[list[Timing | None], str]:
    """The timing of each file from its column of time called `name`, and a clause on what was assumed of its unit.

    None for a file whose column says nothing: no times, too few, or a count of rows.
    """
    parsed = [_parsed(time) if isinstance(time, tuple) else None for time in times]
    numbers = [time for time in times if isinstance(time, np.ndarray)]
    unit, assumed = _unit(numbers, name) if numbers else (1.0, "")
    if unit is not None:
        parsed = [time * unit if isinstance(time, np.ndarray) else own for own, time in zip(parsed, times, strict=True)]
    return [None if own is None else _timing(own) for own in parsed], assumed


def resampled(values: npt.NDArray[Any], timing: Timing, rate: float) -> tuple[npt.NDArray[Any], Ints, Ints]:
    """(values (m, C) at `rate`, the nearest row that each is from (m,), the rows with which a recording begins).

    Each recording of rows (n, C) goes for itself: what is faster than half the rate is filtered out, then each value
    lies on the line between its two neighbours. Rows that come at the rate already stay as they are.
    """
    edges = [0, *timing.breaks.tolist(), len(values)]
    if abs(timing.rate / rate - 1) <= _EXACT:
        return values, np.arange(len(values)), timing.breaks
    parts = [(*_resampled(values[a:b], timing.seconds[a:b], rate), a) for a, b in pairwise(edges)]
    begins = np.cumsum([len(made) for made, _, _ in parts])[:-1]
    rows = np.concatenate([nearest + begin for _, nearest, begin in parts])
    return np.concatenate([made for made, _, _ in parts]), rows, begins.astype(np.int64)


def said(
    found: Sequence[Timing | None],
    files: Sequence[str],
    lines: Sequence[Ints],
    name: str,
    wanted: float | None,
    about: str = "",
) -> tuple[str, ...]:
    """Sentences on rate, files of another rate, and gaps; the first one ends with what else is to be said of `name`."""
    known = [(timing, file, line) for timing, file, line in zip(found, files, lines, strict=True) if timing is not None]
    if not known:
        return ()
    usual = float(np.median([timing.rate for timing, _, _ in known]))
    brought = f"; they were brought to {wanted:g} Hz" if wanted else ""
    notes = [f"Rows come at {usual:.4g} Hz, as column {name!r} says{brought}{about}."]
    others = [f"{file} {timing.rate:.4g} Hz" for timing, file, _ in known if abs(timing.rate / usual - 1) > _SAME_RATE]
    if others and wanted is None:
        notes.append(
            f"{len(others)} of {len(known)} files come at another rate ({listed(others, 3)}): --rate {usual:.3g} "
            f"brings all to one."
        )
    gaps = [(length, file, int(line[row])) for timing, file, line in known for row, length in timing.gaps]
    cut = sum(length >= _BREAK * timing.step for timing, _, _ in known for _, length in timing.gaps)
    if gaps:
        longest, file, at = max(gaps)
        notes.append(
            f"The rows have {len(gaps):,} gaps in time, the longest of {longest:.3g} s ({file}, line {at}); no window "
            f"goes over the {cut:,} of ten steps or more."
        )
    restarts = sum(len(timing.breaks) for timing, _, _ in known) - cut
    if restarts > 0:
        notes.append(f"The time goes back {restarts:,} times, where another recording is taken to begin.")
    return tuple(notes)


def _parsed(texts: tuple[str, ...]) -> Doubles | None:
    """Seconds of times as text, such as 2024-05-01T12:00:00.02 or 12:00:01; None for what is no time."""
    if not texts:
        return None
    first = texts[0].removesuffix("Z")
    for form in (None, *_FORMATS, *(f"{form}.%f" for form in _FORMATS)):
        try:
            _seconds(first, form)
        except ValueError:
            continue
        try:
            return np.array([_seconds(text.removesuffix("Z"), form) for text in texts])
        except ValueError:
            continue
    return None


def _seconds(text: str, form: str | None) -> float:
    if form is not None and form.endswith(".%f") and "." not in text:
        form = form.removesuffix(".%f")  # a whole second
    found = datetime.fromisoformat(text.replace(",", ".")) if form is None else datetime.strptime(text, form)
    return (found.replace(tzinfo=None) - datetime(1970, 1, 1)).total_seconds()


def _unit(times: Sequence[Doubles], name: str) -> tuple[float | None, str]:
    """The seconds that a step of 1 stands for, and a clause where that is a guess; None where nothing tells it."""
    named = unit_of(name)
    if named is not None:
        return named, ""
    steps = [np.diff(own) for own in times]
    steps = [own[own > 0] for own in steps if (own > 0).any()]
    if not steps:
        return None, ""
    step = float(np.median(np.concatenate(steps)))
    start = float(np.median([np.nanmin(own) for own in times]))
    since = next((unit for unit in (1.0, 1e-3, 1e-6, 1e-9) if _DATES[0] <= start * unit <= _DATES[1]), None)
    if since is not None:
        return since, ""
    is_whole = all((own == np.round(own)).all() for own in steps)
    if is_whole and step == 1:
        return None, ""
    if not is_whole and step < 1:
        return 1.0, f"it is taken to be in seconds, as its steps of {step:.4g} suggest ({_SAY})"
    unit, word = next(((unit, word) for least, unit, word in _STEPS if step >= least), (1e-3, "milliseconds"))
    return unit, f"it is taken to be in {word}, as its steps of {step:.6g} suggest ({_SAY})"


_SAY = "a unit in its name, as in time_s or time_us, overrides this"


def _timing(seconds: Doubles) -> Timing | None:
    steps = np.nan_to_num(np.diff(seconds))
    forward = steps[steps > 0]
    if len(forward) < 2:
        return None
    usual = float(np.median(steps[steps >= 0]))
    if usual > 0:
        step = resolution = float(steps[(steps > 0.5 * usual) & (steps < 1.5 * usual)].mean())
    else:  # several rows bear the same time
        resolution = float(np.median(forward))
        within = steps[(steps >= 0) & (steps < _BREAK * resolution)]
        step = float(within.sum() / len(within))
    gaps = np.flatnonzero(steps > _GAP * resolution)
    breaks = np.flatnonzero((steps < 0) | (steps >= _BREAK * resolution)) + 1
    return Timing(seconds, step, breaks, tuple((int(row) + 1, float(steps[row])) for row in gaps))


def _resampled(values: npt.NDArray[Any], seconds: Doubles, rate: float) -> tuple[npt.NDArray[Any], Ints]:
    from scipy.signal import butter, sosfiltfilt

    n = len(values)
    span = float(seconds[-1] - seconds[0]) if n > 1 else 0.0
    if span <= 0:
        return values[:1], np.zeros(min(n, 1), dtype=np.int64)
    if Counter(np.diff(seconds) > 0)[True] < (n - 1) / 2:  # several rows bear the same time
        seconds = np.linspace(seconds[0], seconds[-1], n)
    own, middle = (n - 1) / span, (seconds[1:] + seconds[:-1]) / 2
    source: npt.NDArray[Any] = values.astype(np.float64)
    if own > rate * (1 + _EXACT):
        even = np.linspace(seconds[0], seconds[-1], n)
        source = np.stack([np.interp(even, seconds, column) for column in source.T], axis=1)
        seconds = even
        filter_ = butter(4, min(0.99, 0.8 * rate / own), output="sos")
        source = sosfiltfilt(filter_, source, axis=0, padlen=min(n - 1, 30))
    at = seconds[0] + np.arange(int(span * rate + 1e-6) + 1) / rate
    made = np.stack([np.interp(at, seconds, column) for column in source.T], axis=1).astype(values.dtype)
    return made, np.searchsorted(middle, at).astype(np.int64)

"""Samples with missing values: refused, left out, or filled in, as --missing says; every place is counted."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tinynas.data.layout import Layout
from tinynas.data.missing import find_marks, interpolated, is_missing, longest_run
from tinynas.data.normalize import chunks
from tinynas.data.ranges import samples_of
from tinynas.errors import DataError

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
Marks = tuple[tuple[float, ...], ...]


class Cleaned(NamedTuple):
    """Samples (n, H, W, C) without missing values, which of the samples that came they are, and a sentence on it."""

    x: Array
    kept: Mask
    notes: tuple[str, ...]


def marks_of(x: Array) -> Marks:
    """The marks of failed readings in each channel of x (..., C); none among bytes, where every value is usual."""
    if x.dtype == np.uint8 or x.dtype.kind == "b":
        return ()
    return tuple(find_marks(values[np.isfinite(values)]) for values in samples_of(x, None))


def clean(x: Array, marks: Marks, policy: str, layout: Layout, where: str) -> Cleaned:
    """x (n, H, W, C) treated by `policy`: "error" raises DataError for any missing value, "drop" leaves such samples
    out, "interpolate" fills in a series between its neighbours and leaves out what has none.
    """
    counts = np.zeros(len(x), dtype=np.int64)
    for start, part in chunks(x, None, x.dtype):
        counts[start : start + len(part)] = is_missing(part, marks).reshape(len(part), -1).sum(axis=1)
    if not counts.any():
        return Cleaned(x, np.ones(len(x), dtype=bool), ())
    told = f"{counts.sum():,} values in {(counts > 0).sum():,} of {len(x):,} samples are missing{shown_marks(marks)}"
    if policy == "error":
        raise DataError(f"{where}: {told}, the first in sample {int(counts.argmax() if not counts[0] else 0)}")
    if policy == "drop":
        kept, note = counts == 0, f"{where}: {told}; these samples were left out."
        x = x[kept]
    else:
        if layout != "series" or x.shape[1] < 2:
            raise DataError(
                f"{where}: {told}; only a series can be filled in between its steps: leave such samples out (--missing "
                f"drop)"
            )
        x, kept, longest = _filled(x, marks, counts)
        lost = f"; {(~kept).sum():,} samples of which a channel has no value at all were left out" * (not kept.all())
        note = f"{where}: {told}; they were interpolated, at most {longest} in a row{lost}."
    if not len(x):
        raise DataError(f"{where}: {told}, so that no sample is left")
    return Cleaned(x, kept, (note,))


def shown_marks(marks: Marks) -> str:
    """The marks that were found, for a sentence: " (among them -999)"."""
    values = sorted({mark for own in marks for mark in own})
    return f" (marked by {' and '.join(f'{value:.7g}' for value in values)})" if values else ""


def _filled(x: Array, marks: Marks, counts: npt.NDArray[np.int64]) -> tuple[Array, Mask, int]:
    out = np.array(x, dtype=x.dtype if x.dtype.kind == "f" else np.float32)
    kept, longest = np.ones(len(x), dtype=bool), 0
    for number in np.flatnonzero(counts):
        sample = out[number].reshape(len(out[number]), -1)
        missing = is_missing(x[number], marks).reshape(sample.shape)
        kept[number] = not missing.all(axis=0).any()
        sample[:] = interpolated(sample, missing)
        longest = max(longest, *(longest_run(channel) for channel in missing.T))
    return out[kept], kept, longest

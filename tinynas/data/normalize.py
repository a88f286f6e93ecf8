"""Normalisation to [0, 1]: an offset and a scale, for all values or one a channel; the device repeats it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.errors import DataError

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

_CHUNK_VALUES = 1 << 20
_NARROW = 8.0  # a scale that makes more than 256 steps of what would be 32
_FLOAT32_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Normalization:
    """normalised = clip((raw - offset) * scale, 0, 1), per channel (last axis) or with one value for all.

    A scale of 0 stands for a channel that is constant in the training samples: it becomes 0 everywhere.
    Clipping touches only values beyond the range of the training samples, or beyond that of their bulk where a few of
    them lie far off (see ranges.py); the device does the same.
    """

    offset: tuple[float, ...]
    scale: tuple[float, ...]
    source_dtype: str

    def __post_init__(self) -> None:
        values = (*self.offset, *self.scale)
        if not self.offset or len(self.offset) != len(self.scale) or not all(map(math.isfinite, values)):
            raise DataError(
                f"normalisation: offset and scale must be equally many finite numbers, one for all channels or "
                "one for each; "
                f"got {self.offset} and {self.scale}"
            )

    def apply(self, raw: npt.ArrayLike) -> Floats:
        """raw (..., C) as float32 in [0, 1]; computed in double precision, a part at a time."""
        return self.apply_rows(np.atleast_1d(np.asarray(raw)), None).reshape(np.shape(raw))

    def apply_rows(self, raw: Array, rows: npt.NDArray[np.int64] | None) -> Floats:
        """The same for the given rows of raw (n, ..., C) alone, or for all of them (None)."""
        if len(self.offset) not in (1, raw.shape[-1]):
            raise DataError(f"normalisation: made for {len(self.offset)} channels, the values have {raw.shape[-1]}")
        n = len(raw) if rows is None else len(rows)
        out = np.empty((n, *raw.shape[1:]), dtype=np.float32)
        offset, scale = np.array(self.offset), np.array(self.scale)
        if raw.dtype == np.uint8 and len(offset) == 1:
            table = np.clip((np.arange(256.0) - offset) * scale, 0.0, 1.0).astype(np.float32)
            for start, part in chunks(raw, rows, np.uint8):
                np.take(table, part, out=out[start : start + len(part)], mode="clip")
            return out
        for start, part in chunks(raw, rows):
            values = (part - offset) * scale
            out[start : start + len(part)] = np.clip(values, 0.0, 1.0, out=values)
        return out

    def to_dict(self) -> dict[str, Any]:
        """The form that run folders keep."""
        return {
            "offset": list(self.offset),
            "scale": list(self.scale),
            "source_dtype": self.source_dtype,
            "clip": [0.0, 1.0],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Normalization:
        """The inverse of to_dict; DataError when a key is missing, unknown or of the wrong kind."""
        known = {"offset", "scale", "source_dtype", "clip"}
        if set(values) != known or list(values["clip"]) != [0.0, 1.0]:
            raise DataError(f"normalisation: wanted the keys {sorted(known)} with clip [0, 1], got {values!r}")
        try:
            offset, scale = (tuple(float(v) for v in values[key]) for key in ("offset", "scale"))
        except (TypeError, ValueError) as error:
            raise DataError(f"normalisation: offset and scale must be lists of numbers ({error})") from error
        return cls(offset, scale, str(values["source_dtype"]))


def fit_normalization(
    x: Array,
    rows: npt.NDArray[np.int64] | None,
    where: str,
    ends: tuple[Doubles, Doubles] | None = None,
    is_asked: bool = False,
) -> Normalization:
    """What brings the training rows of x (n, H, W, C) to [0, 1].

    ubyte: 1/255, whatever the values are.  bool, and float already within [0, 1] that uses 32 of 256 steps at least:
    left as it is.  All else: from the least and greatest training value, a channel at a time, or from `ends`, which
    are those of each channel (C,); with `is_asked` these go before what the type says.
    """
    dtype = x.dtype.name
    if x.dtype == np.uint8 and not is_asked:
        return Normalization((0.0,), (1 / 255,), dtype)
    low, high = extremes(x, rows) if ends is None else ends
    span = high - low
    scale = np.divide(1.0, span, out=np.zeros_like(span), where=span > 1 / _FLOAT32_MAX)
    if not is_asked and (x.dtype.kind == "b" or (x.dtype.kind == "f" and low.min() >= 0 and high.max() <= 1)):
        narrow = (scale > _NARROW) & (x.dtype.kind == "f")
        if not narrow.any():
            return Normalization((0.0,), (1.0,), dtype)
        low, scale = np.where(narrow, low, 0.0), np.where(narrow, scale, 1.0)
    if not scale.any():
        raise DataError(f"{where}: every training sample holds the same values, so nothing can be learned")
    return Normalization(tuple(map(float, low)), tuple(map(float, scale)), dtype)


def extremes(x: Array, rows: npt.NDArray[np.int64] | None) -> tuple[Doubles, Doubles]:
    """The least and the greatest value of each channel (C,) in the given rows (None: all) of x (n, H, W, C)."""
    low, high = np.full(x.shape[-1], np.inf), np.full(x.shape[-1], -np.inf)
    axes = tuple(range(x.ndim - 1))
    for _, part in chunks(x, rows):
        low, high = np.minimum(low, part.min(axes)), np.maximum(high, part.max(axes))
    return low, high


def check_values(x: Array, where: str, may_miss: bool = False) -> None:
    """Raise DataError unless x (n, ...) holds real numbers, all finite and within float32's range.

    With `may_miss` what is not finite is let pass, since it is treated as missing.
    """
    if x.dtype.kind not in "buif":
        raise DataError(
            f"{where}: samples are of type {x.dtype}, wanted numbers"
            + (": they differ in shape, or are not arrays of numbers" if x.dtype.kind == "O" else "")
        )
    if x.dtype.kind != "f" or may_miss:
        return
    first, values, samples = "", 0, 0
    for start, part in chunks(x, None):
        wrong = ~(np.abs(part) <= _FLOAT32_MAX)
        if wrong.any():
            at = np.argwhere(wrong)[0]
            first = first or f"sample {start + at[0]} holds {part[tuple(at)]} at {tuple(at[1:].tolist())}"
            values += int(wrong.sum())
            samples += int(wrong.reshape(len(part), -1).any(axis=1).sum())
    if first:
        raise DataError(
            f"{where}: {first}, wanted finite numbers within float32's range ({values:,} such values in {samples:,} of "
            f"{len(x):,} samples): clean them, or say what becomes of them with missing (--missing drop or interpolate)"
        )


def chunks(
    x: Array, rows: npt.NDArray[np.int64] | None, dtype: npt.DTypeLike = np.float64
) -> Iterator[tuple[int, Array]]:
    """(first row, rows as float64) of x, about 8 MB at a time, so that no second copy of a set is ever made."""
    step = max(1, _CHUNK_VALUES // max(1, math.prod(x.shape[1:])))
    for start in range(0, len(x) if rows is None else len(rows), step):
        part = x[start : start + step] if rows is None else x[rows[start : start + step]]
        yield start, part.astype(dtype, copy=False)

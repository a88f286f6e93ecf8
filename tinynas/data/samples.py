"""Samples: more of them than memory should hold, kept raw in an array or a file and normalised when asked for."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.data.normalize import Floats, Normalization

Array = npt.NDArray[Any]
Ints = npt.NDArray[np.int64]

IN_MEMORY_BYTES = 1 << 30  # of float32 samples, the training and the test part each
_PART_BYTES = 64 << 20


@dataclass(frozen=True, eq=False)
class Samples:
    """What Dataset.x is when float32 samples would take more than `in_memory_bytes`; reads like an array (n, H, W, C).

    x[rows] with a number, a slice, numbers or a mask is a float32 array in [0, 1], the same to the bit as in memory. A
    choice of rows that is itself too large to hold is Samples again. np.asarray(x) makes the whole array, whatever it
    takes. `rows` are the rows of `raw` (m, H, W, C) that belong to the part; None means all.
    """

    raw: Array
    rows: Ints | None
    normalization: Normalization
    in_memory_bytes: int = IN_MEMORY_BYTES

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, H, W, C)."""
        return (len(self), *self.raw.shape[1:])

    @property
    def ndim(self) -> int:
        """4."""
        return self.raw.ndim

    @property
    def dtype(self) -> np.dtype[np.float32]:
        """float32, of the values that are given out."""
        return np.dtype(np.float32)

    @property
    def sample_bytes(self) -> int:
        """Bytes of one float32 sample."""
        return 4 * math.prod(self.raw.shape[1:])

    def __len__(self) -> int:
        return len(self.raw) if self.rows is None else len(self.rows)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, tuple):
            first = self[key[0]]
            rest = key[1:]
            return np.asarray(first)[rest if np.ndim(first) < self.ndim else (slice(None), *rest)]
        if isinstance(key, int | np.integer):
            return self[np.array([key])][0]
        rows = self._numbers(key)
        if len(rows) * self.sample_bytes > self.in_memory_bytes:
            return replace(self, rows=rows)
        return self.normalization.apply_rows(self.raw, rows)

    def __iter__(self) -> Iterator[Floats]:
        for _, part in self.parts():
            yield from part

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("Samples are normalised when they are asked for: there is no array without a copy.")
        return self.normalization.apply_rows(self.raw, self.rows).astype(dtype or np.float32, copy=False)

    def __reduce__(self) -> tuple[Any, ...]:
        fields = (_packed(self.raw), _packed(self.rows), self.normalization, self.in_memory_bytes)
        return _unpacked, fields

    def parts(self) -> Iterator[tuple[int, Floats]]:
        """Yield (first row, float32 rows), a part at a time, in order."""
        return parts_of(self)

    def on_disk(self, folder: Path, name: str) -> Samples:
        """The same with raw values and rows mapped from files, so that pickling it costs bytes; `folder` must stay."""
        raw = self.raw if _file_of(self.raw) is not None else _saved(self.raw, folder / f"{name}-raw.npy")
        rows = None if self.rows is None else _saved(self.rows, folder / f"{name}-rows.npy")
        return replace(self, raw=raw, rows=rows)

    def _numbers(self, key: Any) -> Ints:
        """The rows of `raw` that a slice, a mask or row numbers of this part choose; IndexError beyond the end."""
        n = len(self)
        if isinstance(key, slice):
            chosen = np.arange(*key.indices(n), dtype=np.int64)
        else:
            chosen = np.asarray(key)
            if chosen.dtype == bool:
                if chosen.shape != (n,):
                    raise IndexError(f"a mask of shape {chosen.shape} for {n} samples")
                chosen = np.flatnonzero(chosen)
            if chosen.ndim != 1 or (chosen.size and chosen.dtype.kind not in "iu"):
                raise IndexError(f"rows are chosen by whole numbers (k,), got {chosen.dtype} of shape {chosen.shape}")
            chosen = chosen.astype(np.int64)
            if chosen.size and not -n <= chosen.min() <= chosen.max() < n:
                raise IndexError(f"row {chosen.min() if chosen.min() < -n else chosen.max()} of {n} samples")
            chosen = np.where(chosen < 0, chosen + n, chosen)
        return chosen if self.rows is None else np.asarray(self.rows[chosen])


def parts_of(x: Floats | Samples) -> Iterator[tuple[int, Floats]]:
    """Yield (first row, float32 rows) of samples of either kind, a part of bounded size at a time, in order."""
    step = max(1, _PART_BYTES // max(1, 4 * math.prod(x.shape[1:])))
    for start in range(0, len(x), step):
        yield start, np.asarray(x[start : start + step])


def normalized(raw: Array, rows: Ints | None, normalization: Normalization, in_memory_bytes: int) -> Floats | Samples:
    """The given rows of raw (None: all) as a float32 array, or as Samples when that would be too large."""
    samples = Samples(raw, rows, normalization, in_memory_bytes)
    if len(samples) * samples.sample_bytes > in_memory_bytes:
        return samples
    return normalization.apply_rows(raw, rows)


def allocate(shape: tuple[int, ...], dtype: Any) -> Array:
    """An array to be filled: in memory, or above IN_MEMORY_BYTES in a temporary file that goes with it."""
    n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    if n_bytes <= IN_MEMORY_BYTES:
        return np.empty(shape, dtype)
    with tempfile.TemporaryFile() as file:  # the map keeps what the file holds
        return np.memmap(file, dtype, "w+", shape=shape)


@dataclass(frozen=True)
class _FileArray:
    """An array that is the rest of a file from `offset`."""

    path: str
    dtype: str
    shape: tuple[int, ...]
    offset: int

    def open(self) -> Array:
        return np.memmap(self.path, self.dtype, "r", self.offset, self.shape)


def _file_of(array: Array | None) -> _FileArray | None:
    """The file that `array` is mapped from, when it is all of it from an offset on; None otherwise."""
    if not isinstance(array, np.memmap) or array.filename is None or not array.flags.c_contiguous:
        return None
    path = str(array.filename)
    if not os.path.isfile(path) or os.path.getsize(path) != array.offset + array.nbytes:
        return None
    return _FileArray(path, array.dtype.str, array.shape, array.offset)


def _packed(array: Array | None) -> Array | _FileArray | None:
    return _file_of(array) or (None if array is None else np.asarray(array))


def _unpacked(raw: Any, rows: Any, normalization: Normalization, in_memory_bytes: int) -> Samples:
    raw, rows = (part.open() if isinstance(part, _FileArray) else part for part in (raw, rows))
    return Samples(raw, rows, normalization, in_memory_bytes)


def _saved(array: Array, path: Path) -> Array:
    np.save(path, array)
    saved: Array = np.load(path, mmap_mode="r")
    return saved

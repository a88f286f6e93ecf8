"""Samples on disk while captures are read: each different byte vector once, with its class and capture."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_BLOCK = 4096  # samples that are copied at once


class Spool:
    """A file of samples of `n_bytes`; in memory a digest and two numbers a sample. Close it before reading."""

    def __init__(self, path: Path, n_bytes: int) -> None:
        """Begin an empty file at `path`."""
        self._path, self._size = path, n_bytes
        self._file = path.open("wb")
        self._rows: dict[bytes, int] = {}
        self._labels, self._captures, self._conflicts = array("q"), array("q"), bytearray()
        self.same = self.conflicting = 0

    def add(self, data: bytes, label: int, capture: int) -> None:
        """Add a sample, zero-padded; one that is there already is counted in its place, as is a clash of labels."""
        vector = data.ljust(self._size, b"\0")
        row = self._rows.setdefault(hashlib.blake2b(vector, digest_size=16).digest(), len(self._labels))
        if row == len(self._labels):
            self._file.write(vector)
            self._labels.append(label)
            self._captures.append(capture)
            self._conflicts.append(0)
        elif self._conflicts[row]:
            self.conflicting += 1
        elif self._labels[row] == label:
            self.same += 1
        else:
            self._conflicts[row] = 1
            self.conflicting += 2  # the first of them is dropped as well

    def close(self) -> None:
        """End the file."""
        self._file.close()

    def kept(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """(row, label, capture) of the samples that no other label claims."""
        rows = np.flatnonzero(np.array(self._conflicts, np.uint8) == 0)
        labels, captures = (np.array(values, np.int64) for values in (self._labels, self._captures))
        return rows, labels[rows], captures[rows]

    def blocks(self, rows: npt.NDArray[np.int64]) -> Iterable[npt.NDArray[np.uint8]]:
        """Yield the samples (n, n_bytes) of `rows`, some at a time."""
        samples: Any = np.memmap(self._path, np.uint8, "r").reshape(-1, self._size) if len(rows) else None
        for start in range(0, len(rows), _BLOCK):
            yield samples[rows[start : start + _BLOCK]]

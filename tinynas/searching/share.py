"""A data set for several processes: its arrays lie in files once, and every process maps them."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tinynas.data import Dataset

_ARRAYS = ("x", "y", "x_test", "y_test")


@dataclass(frozen=True)
class SharedDataset:
    """What a process needs to open the data set: a few bytes, whatever the size of the data.

    Sending the arrays through a pipe would cost every process a copy, and would block for ever on a process that died
    while it was started.
    """

    folder: Path
    rest: Dataset

    def open(self) -> Dataset:
        """Return the data set with its arrays mapped from their files, read-only."""
        arrays = {name: np.load(self.folder / f"{name}.npy", mmap_mode="r") for name in _ARRAYS}
        return replace(self.rest, **arrays)


def share(dataset: Dataset, folder: Path) -> SharedDataset:
    """Write the arrays of `dataset` below `folder`, which must outlive the processes that open them."""
    for name in _ARRAYS:
        np.save(folder / f"{name}.npy", getattr(dataset, name))
    empty = {name: getattr(dataset, name)[:0] for name in _ARRAYS}
    return SharedDataset(folder, replace(dataset, **empty))

"""A data set for several processes: its arrays lie in files once, and every process maps them."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tinynas.data import Dataset, Groups, Samples

_ARRAYS = ("x", "y", "x_test", "y_test")


@dataclass(frozen=True)
class SharedDataset:
    """What a process needs to open the data set: a few bytes, whatever the size of the data.

    Sending the arrays through a pipe would cost every process a copy, and would block for ever on a process that died
    while it was started. `arrays` are those that lie in `folder`; samples mapped from the user's own files stay there.
    """

    folder: Path
    rest: Dataset
    arrays: tuple[str, ...]

    def open(self) -> Dataset:
        """Return the data set with its arrays mapped from their files, read-only."""
        arrays = {name: np.load(self.folder / f"{name}.npy", mmap_mode="r") for name in self.arrays}
        codes = arrays.pop("groups", None)
        groups = None if codes is None or self.rest.groups is None else replace(self.rest.groups, codes=codes)
        return replace(self.rest, groups=groups, **arrays)


def share(dataset: Dataset, folder: Path) -> SharedDataset:
    """Write the arrays of `dataset` below `folder`, which must outlive the processes that open them."""
    arrays: dict[str, np.ndarray] = {}
    kept: dict[str, Any] = {}
    for name in _ARRAYS:
        array = getattr(dataset, name)
        if isinstance(array, Samples):
            kept[name] = array.on_disk(folder, name)
        else:
            arrays[name], kept[name] = array, array[:0]
    if dataset.groups is not None:
        arrays["groups"] = dataset.groups.codes
        kept["groups"] = Groups((), dataset.groups.codes[:0])
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    return SharedDataset(folder, replace(dataset, **kept), tuple(arrays))

"""Labels as people have them (any integers, strings, one-hot rows) turned into 0 .. n-1 and class names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.errors import DataError

Array = npt.NDArray[Any]
Ints = npt.NDArray[np.int64]


def flat_labels(labels: npt.ArrayLike, where: str) -> Array:
    """int64 or str labels (n,), from integers, whole floats, strings, (n, 1) or one-hot rows (n, k)."""
    try:
        y = np.asarray(labels)
    except ValueError as error:
        raise DataError(f"{where}: labels are not one array, wanted one label for each sample ({error})") from error
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim == 2:
        y = _from_one_hot(y, where)
    if y.ndim != 1:
        raise DataError(f"{where}: labels have shape {y.shape}, wanted (n,) or one-hot (n, classes)")
    if y.dtype.kind == "O" and all(isinstance(value, str) for value in y):
        y = y.astype(np.str_)
    if y.dtype.kind == "U":
        return y
    if y.dtype.kind == "f":
        broken = np.flatnonzero(~np.isfinite(y) | (y != np.round(y)) | (np.abs(y) >= 2**53))
        if broken.size:
            raise DataError(
                f"{where}: label {y[broken[0]]} of sample {broken[0]} is no class: wanted integers or strings"
            )
    elif y.dtype.kind not in "bui":
        raise DataError(f"{where}: labels are of type {y.dtype}, wanted integers or strings")
    elif y.dtype == np.uint64 and y.size and y.max() > np.iinfo(np.int64).max:
        raise DataError(f"{where}: label {y.max()} is beyond 64-bit integers")
    return y.astype(np.int64)


def encode_labels(
    y: Array, y_test: Array | None, class_names: Sequence[str] | None, where: str
) -> tuple[Ints, Ints | None, tuple[str, ...]]:
    """Labels as 0 .. n-1 and the class names; y and y_test as flat_labels gives them.

    Without class_names the classes are the training labels in ascending order and bear them as names. With
    class_names, string labels take the names' order, and integers, in ascending order, are the names in turn.
    """
    classes = np.unique(y)
    if len(classes) < 2:
        raise DataError(f"{where}: every training label is {classes[0]!s}; wanted at least two classes to tell apart")
    names = tuple(str(c) for c in (classes if class_names is None else class_names))
    if len(set(names)) != len(names):
        twice = next(n for n in names if names.count(n) > 1)
        raise DataError(f"{where}: class name {twice!r} occurs twice, wanted one for each class")
    order = _order(classes, names, where)
    encoded = order[np.searchsorted(classes, y)]
    if y_test is None:
        return encoded, None, names
    if y_test.dtype.kind != y.dtype.kind:
        raise DataError(f"{where}: training labels are {y.dtype.name}, test labels {y_test.dtype.name}")
    strange = np.setdiff1d(y_test, classes)
    if strange.size:
        raise DataError(f"{where}: test label {strange[0]!s} has no training sample, so it cannot be learned")
    return encoded, order[np.searchsorted(classes, y_test)], names


def _order(classes: Array, names: tuple[str, ...], where: str) -> Ints:
    """The number of each of the ascending `classes` among `names`."""
    if classes.dtype.kind == "U" and set(classes.tolist()) != set(names):
        odd = sorted(set(classes.tolist()) ^ set(names))[0]
        which = "is a class name but no label" if odd in names else "is a label but no class name"
        raise DataError(f"{where}: {odd!r} {which}; class names and training labels must agree")
    if len(classes) != len(names):
        absent = [n for i, n in enumerate(names) if i not in classes]
        hint = f": no training sample is labelled {names.index(absent[0])} ({absent[0]!r})" if absent else ""
        raise DataError(f"{where}: {len(names)} class names, but the training labels hold {len(classes)} classes{hint}")
    if classes.dtype.kind == "U":
        return np.array([names.index(c) for c in classes.tolist()], dtype=np.int64)
    return np.arange(len(classes), dtype=np.int64)


def _from_one_hot(y: Array, where: str) -> Array:
    if y.dtype.kind not in "buif" or not (((y == 0) | (y == 1)).all() and ((y == 1).sum(axis=1) == 1).all()):
        raise DataError(
            f"{where}: labels of shape {y.shape} are not one-hot (one 1 and zeros in each row); "
            f"wanted one class for each sample"
        )
    numbers: Array = y.argmax(axis=1)
    return numbers

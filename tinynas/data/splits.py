"""Which samples go where: a stratified test part, stratified folds, and a few samples that stand for all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.errors import DataError

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Fold:
    """Sample numbers of one fold, ascending: `train` (n,) and `validation` (m,), which share none."""

    train: Ints
    validation: Ints


def split_off(y: Ints, fraction: float, seed: int, names: Sequence[str], where: str) -> Fold:
    """A stratified share of the samples set apart, at least one of each class left for training."""
    from sklearn.model_selection import train_test_split

    check_fraction(fraction, where)
    counts = np.bincount(y, minlength=len(names))
    if counts.min() < 2:
        raise DataError(
            f"{where}: class {names[int(counts.argmin())]!r} has {counts.min()} sample, wanted at least 2 to "
            f"split off a test part: add samples or give a test set"
        )
    n_test = math.ceil(fraction * len(y))
    if min(n_test, len(y) - n_test) < len(names):
        raise DataError(
            f"{where}: test_fraction {fraction} of {len(y)} samples leaves {len(y) - n_test} to train on and "
            f"{n_test} to test on, wanted at least one of each of {len(names)} classes in both"
        )
    train, test = train_test_split(np.arange(len(y)), test_size=n_test, stratify=y, random_state=seed)
    left = np.bincount(y[train], minlength=len(names))
    if left.min() == 0:
        raise DataError(
            f"{where}: test_fraction {fraction} leaves no training sample of class "
            f"{names[int(left.argmin())]!r}: make it smaller"
        )
    return Fold(np.sort(train), np.sort(test))


def check_fraction(fraction: float, where: str) -> None:
    """Raise DataError unless `fraction` is a share of the samples that can be set apart."""
    if not 0 < fraction < 1:
        raise DataError(f"{where}: test_fraction is {fraction}, wanted a share between 0 and 1")


def stratified_folds(y: Ints, k: int, seed: int, names: Sequence[str], where: str) -> tuple[Fold, ...]:
    """k folds (scikit-learn's StratifiedKFold, shuffled by seed); every sample is in one validation part."""
    from sklearn.model_selection import StratifiedKFold

    counts = np.bincount(y, minlength=len(names))
    if not 2 <= k <= counts.min():
        raise DataError(
            f"{where}: {k} folds, wanted 2 to {counts.min()}: the smallest class, "
            f"{names[int(counts.argmin())]!r}, has {counts.min()} training samples"
        )
    splitter: Any = StratifiedKFold(n_splits=k, shuffle=True, random_state=seed)
    parts = splitter.split(np.zeros(len(y), dtype=np.uint8), y)
    return tuple(Fold(train, validation) for train, validation in parts)


def representative_rows(y: Ints, n: int, seed: int) -> Ints:
    """n sample numbers, ascending, evenly over the classes; all samples when there are no more than n.

    Classes take turns, so every class is there once n reaches the number of classes.
    """
    if n < 1:
        raise DataError(f"{n} representative samples asked for, wanted at least 1")
    order = np.random.default_rng(seed).permutation(len(y))
    by_class = order[np.argsort(y[order], kind="stable")]
    counts = np.bincount(y)
    turn = np.arange(len(y)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.sort(by_class[np.argsort(turn, kind="stable")][:n])

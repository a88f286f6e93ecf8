"""Which samples go to the test part: whole captures of a class where it has several, else single sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

By = Literal["capture", "session"]


@dataclass(frozen=True)
class ClassSplit:
    """How the samples of one class were split; `test_captures` are numbers of captures, () for a split by session."""

    by: By
    train: int
    test: int
    test_captures: tuple[int, ...]


def split_classes(
    labels: npt.NDArray[np.int64], captures: npt.NDArray[np.int64], test_fraction: float, seed: int
) -> tuple[npt.NDArray[np.bool_], tuple[ClassSplit, ...]]:
    """(which samples are for the test, how each class was split), of samples with label and capture (n,) each.

    A class from several captures has whole captures in the test part: drawn by `seed`, as many as come nearest to
    `test_fraction` of its samples, one at the least. A class from one capture has its sessions drawn. A class of one
    sample is for training.
    """
    is_test = np.zeros(len(labels), bool)
    splits = []
    for number in range(int(labels.max(initial=-1)) + 1):
        rows = np.flatnonzero(labels == number)
        rng = np.random.default_rng((seed, number))
        if len(np.unique(captures[rows])) > 1:
            chosen = _captures(captures[rows], test_fraction, rng)
            is_test[rows] = np.isin(captures[rows], chosen)
            splits.append(_split("capture", is_test[rows], chosen))
        else:
            count = min(len(rows) - 1, max(1, round(test_fraction * len(rows))))
            is_test[rng.permutation(rows)[:count]] = True
            splits.append(_split("session", is_test[rows], ()))
    return is_test, tuple(splits)


def _split(by: By, is_test: npt.NDArray[np.bool_], captures: tuple[int, ...]) -> ClassSplit:
    test = int(is_test.sum())
    return ClassSplit(by, len(is_test) - test, test, captures)


def _captures(captures: npt.NDArray[np.int64], test_fraction: float, rng: np.random.Generator) -> tuple[int, ...]:
    """The captures for the test: each in a drawn order, if it brings the share nearer to the one that is wanted."""
    numbers, counts = np.unique(captures, return_counts=True)
    wanted, have = test_fraction * len(captures), 0
    chosen: list[Any] = []
    for place in rng.permutation(len(numbers)):
        nearer = abs(have + counts[place] - wanted) < abs(have - wanted)
        if nearer and len(chosen) < len(numbers) - 1:
            chosen.append(numbers[place])
            have += counts[place]
    return tuple(sorted(int(number) for number in chosen or [numbers[counts.argmin()]]))

"""Samples that belong together (one recording, one person): no split takes a group apart."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.data.overlap import find_overlaps
from tinynas.data.splits import Fold, Ints, check_fraction
from tinynas.errors import DataError
from tinynas.words import counted

_TRIES = 20  # seeds, until a split leaves no class without a sample to train on


@dataclass(frozen=True, eq=False)
class Groups:
    """The group of each training sample, codes (n,), and of each test sample where they have one; `names` by code."""

    names: tuple[str, ...]
    codes: Ints
    test_codes: Ints | None = None

    def shared(self) -> tuple[str, ...]:
        """The names of the groups with samples in the training and in the test part: none if the split is clean."""
        if self.test_codes is None:
            return ()
        return tuple(self.names[code] for code in np.intersect1d(self.codes, self.test_codes))

    def divided(self, fold: Fold) -> Groups:
        """The same after a test part was split off: the fold's training rows, and the others as the test part."""
        return Groups(self.names, self.codes[fold.train], self.codes[fold.validation])


def encode_groups(
    groups: npt.ArrayLike, groups_test: npt.ArrayLike | None, n: int, n_test: int | None, where: str
) -> Groups | None:
    """The groups as codes, or None when each sample is a group of its own, so that no split can take one apart.

    groups: n names or numbers; groups_test: the test part's, where it has its own. DataError when they are no list of
    that length.
    """
    train = _texts(groups, n, f"{where}, training part")
    test = None
    if groups_test is not None:
        if n_test is None:
            raise DataError(f"{where}: groups of a test part came, but no test part")
        test = _texts(groups_test, n_test, f"{where}, test part")
    both = train if test is None else np.concatenate([train, test])
    names, codes = np.unique(both, return_inverse=True)
    if len(names) == len(both):
        return None
    codes = codes.astype(np.int64)
    return Groups(tuple(map(str, names)), codes[:n], None if test is None else codes[n:])


def overlapping_groups(
    parts: Sequence[npt.NDArray[Any]],
    y: Ints,
    y_test: Ints | None,
    fraction: float,
    seed: int,
    names: Sequence[str],
    where: str,
) -> tuple[Groups | None, Fold | None, str]:
    """The recordings of windows that overlap as groups, the split by them where there is no test part, and a sentence.

    parts: the windows (n, L, 1, C) of the training part, and of the test part where there is one.  The sentence is
    empty where no windows overlap. It warns, and there are no groups, where they would leave a class without two folds.
    """
    labels = y if y_test is None else np.concatenate([y, y_test])
    found = find_overlaps(parts, labels)
    if found is None:
        return None, None, ""
    steps = parts[0].shape[1]
    told = (
        f"{found.sharing:,} of {len(labels):,} samples share up to {found.steps} of their {steps} steps with another: "
        f"they are windows of {counted(found.recordings, 'recording')}"
    )
    every = tuple(f"recording {number + 1}" for number in range(int(found.codes.max()) + 1))
    groups, fold = Groups(every, found.codes[: len(y)], None if y_test is None else found.codes[len(y) :]), None
    enough = most_group_folds(y, groups.codes, len(names))[0] >= 2
    if y_test is None and enough:
        fold = split_off_groups(y, groups.codes, fraction, seed, names, where)
        groups = groups.divided(fold)
        enough = most_group_folds(y[fold.train], groups.codes, len(names))[0] >= 2
    if not enough:
        return None, None, f"{told}, too few to keep them apart, so validation scores will flatter."
    cut = ", of which some were cut into blocks, since a class is in few: its scores flatter a little" * found.is_cut
    whole = "no fold takes one apart" if y_test is not None else "neither the test part nor a fold takes one apart"
    return groups, fold, f"{told}{cut}; {whole}. Groups of your own beat this (docs/data.md)."


def most_group_folds(y: Ints, codes: Ints, n_classes: int) -> tuple[int, int]:
    """(the most folds that groups allow, the class that binds): the class that is in the fewest groups."""
    pairs = np.unique(np.stack([y, codes]), axis=1)[0]
    counts = np.bincount(pairs, minlength=n_classes)
    return int(counts.min()), int(counts.argmin())


def split_off_groups(y: Ints, codes: Ints, fraction: float, seed: int, names: Sequence[str], where: str) -> Fold:
    """About `fraction` of the samples set apart, group by group, stratified as far as the groups allow.

    Every class is left in the training part, and in the test part if any such split was found.
    """
    check_fraction(fraction, where)
    _require_groups(2, y, codes, names, where, "to split off a test part")
    most = min(len(np.unique(codes)), int(np.bincount(y).max()))  # scikit-learn makes no more folds
    k = min(max(2, round(1 / min(fraction, 1 - fraction))), most)
    fewest = most_group_folds(y, codes, len(names))[0]  # with so many folds each may hold a group of every class
    best, best_rank = None, (0, 0.0)
    for folds in chain(_tries(y, codes, k, seed), _tries(y, codes, fewest, seed) if fewest < k else ()):
        for fold in folds if fraction <= 0.5 else (Fold(f.validation, f.train) for f in folds):
            if len(np.unique(y[fold.train])) < len(names) or not len(fold.validation):
                continue
            rank = len(np.unique(y[fold.validation])), -abs(len(fold.validation) / len(y) - fraction)
            if best is None or rank > best_rank:
                best, best_rank = fold, rank
        if best is not None and best_rank[0] == len(names):
            return best
    if best is None:
        raise DataError(
            f"{where}: no split of the {len(np.unique(codes))} groups leaves every class a training sample: "
            f"record more groups, or give a test set"
        )
    return best


def group_folds(y: Ints, codes: Ints, k: int, seed: int, names: Sequence[str], where: str) -> tuple[Fold, ...]:
    """k folds (scikit-learn's StratifiedGroupKFold, shuffled by seed) that no group is taken apart by."""
    _require_groups(k, y, codes, names, where, f"for {k} folds")
    for folds in chain(_tries(y, codes, k, seed), _dealt(y, codes, k, seed)):
        whole = all(len(np.unique(y[fold.train])) == len(names) and len(fold.validation) for fold in folds)
        if whole:
            return folds
    raise DataError(f"{where}: no {k} folds of the groups leave every class a training sample in each: ask for fewer")


def _tries(y: Ints, codes: Ints, k: int, seed: int) -> Iterator[tuple[Fold, ...]]:
    """Yield foldings for one seed after the other, the caller's first."""
    from sklearn.model_selection import StratifiedGroupKFold

    for attempt in range(_TRIES):
        state = seed if attempt == 0 else (seed * _TRIES + attempt + 7919) % 2**32
        splitter: Any = StratifiedGroupKFold(n_splits=k, shuffle=True, random_state=state)
        with warnings.catch_warnings():  # that a class has fewer than k samples is checked above, by groups
            warnings.simplefilter("ignore", UserWarning)
            try:
                parts = list(splitter.split(np.zeros(len(y), dtype=np.uint8), y, codes))
            except ValueError:  # more folds than the largest class has samples
                return
        yield tuple(Fold(train, validation) for train, validation in parts)


def _dealt(y: Ints, codes: Ints, k: int, seed: int) -> Iterator[tuple[Fold, ...]]:
    """Yield foldings in which the rarest classes are dealt first, a group each to the fold that has least of the class.

    Where groups hold several classes, a class of few groups may come to lie in one fold, whatever the seed, when groups
    are dealt by size.
    """
    _, codes = np.unique(codes, return_inverse=True)
    counts = np.zeros((int(codes.max()) + 1, int(y.max()) + 1), dtype=np.int64)
    np.add.at(counts, (codes, y), 1)
    rarest = np.argsort((counts > 0).sum(axis=0), kind="stable")
    for attempt in range(_TRIES):
        rng, of = np.random.default_rng([seed, attempt]), np.full(len(counts), -1)
        held = np.zeros((k, counts.shape[1]), dtype=np.int64)
        for label in rarest:
            for group in rng.permutation(np.flatnonzero((counts[:, label] > 0) & (of < 0))):
                of[group] = min(range(k), key=lambda fold: (held[fold, label], held[fold].sum()))
                held[of[group]] += counts[group]
        at = of[codes]
        yield tuple(Fold(np.flatnonzero(at != fold), np.flatnonzero(at == fold)) for fold in range(k))


def _require_groups(k: int, y: Ints, codes: Ints, names: Sequence[str], where: str, purpose: str) -> None:
    most, binding = most_group_folds(y, codes, len(names))
    if not 2 <= k <= most:
        raise DataError(
            f"{where}: class {names[binding]!r} is in {most} group{'s' if most != 1 else ''}, wanted at least "
            f"{max(2, k)} {purpose}, since a group is never taken apart: record more groups, or group otherwise"
        )


def _texts(groups: npt.ArrayLike, n: int, where: str) -> npt.NDArray[np.str_]:
    try:
        values = np.asarray(groups)
    except ValueError as error:
        raise DataError(f"{where}: groups are not one array, wanted one group for each sample ({error})") from error
    if values.shape != (n,):
        raise DataError(f"{where}: groups have shape {values.shape}, wanted one group for each of {n:,} samples")
    if values.dtype.kind == "O" and all(isinstance(value, str) for value in values):
        values = values.astype(np.str_)
    if values.dtype.kind not in "Uiub":
        raise DataError(f"{where}: groups are of type {values.dtype}, wanted integers or strings")
    return values.astype(np.str_)

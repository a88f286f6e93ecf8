"""Windows that were cut from recordings so that they overlap: which samples share steps, and so belong together."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinynas.data.normalize import Array, chunks

Ints = npt.NDArray[np.int64]
_Hashes = npt.NDArray[np.uint64]

_SAMPLE = 256  # windows that are looked at first: by how many steps are others shifted against them?
_SHARE = 0.1  # of them that are shifted by the same number of steps, before it is no accident
_SHIFTS = 16  # the smallest of such shifts; the others follow from them
_LEAST_SHARED, _LEAST_STEPS = 1 / 8, 4  # of a window, and steps: fewer are alike by accident
_CHANGES = 1 / 8  # of the shared steps differ from the step before: flat ones are alike by accident
_LEAST_CHANGES, _SURE_BITS = 3, 10  # and so many that another of n windows has the same by chance once in 2^10 sets
_LEAST_GROUPS = 3  # of each class: a test part and two folds need so many
_BLOCKS, _OF_A_BLOCK = 10, 5  # of a recording at the most, and windows of a block at the least where there are as many

# The hash of a step is a sum of its bytes times odd numbers, that of a stretch a polynomial of those modulo 2^64 (Karp
# and Rabin 1987, "Efficient randomized pattern-matching algorithms"), so that it follows from two prefixes.
_BASE, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)


@dataclass(frozen=True, eq=False)
class Overlaps:
    """Windows that share steps: the recording of each, codes (n,) from 0 on, and how many windows share any.

    `steps` is the most that two windows share. `is_cut` says whether recordings were cut into blocks, which share steps
    where they meet.
    """

    codes: Ints
    sharing: int
    steps: int
    is_cut: bool


def find_overlaps(parts: Sequence[Array], y: Ints) -> Overlaps | None:
    """Return which windows are of one recording; None where they do not overlap.

    parts: windows (n, L, 1, C) of the training part as they came, and of the test part if there is one.  y: their
    labels, those of all parts together.  Two windows are of one recording where the first steps of one are the last
    steps of the other, to the bit, and no third window has the same there. A class in too few recordings for a test
    part and two folds has them cut into blocks of successive windows.
    """
    rows, sample, least = _sample(parts)
    shifts = _shifts(parts, rows, sample, least)
    if not shifts:
        return None
    edges = _edges(parts, shifts, least)
    codes = _components(len(y), edges)
    few = [label for label in np.unique(y) if len(np.unique(codes[y == label])) < _LEAST_GROUPS]
    if few:
        places = _places(len(y), edges)
        for label in few:
            _cut(codes, places, np.flatnonzero(y == label))
    _, codes = np.unique(codes, return_inverse=True)
    return Overlaps(codes.astype(np.int64), len(np.unique(edges[:, :2])), parts[0].shape[1] - shifts[0], bool(few))


class _Stretches:
    """The hash of every stretch of steps of some windows (n, L, 1, C)."""

    def __init__(self, windows: Array) -> None:
        n, self.length = windows.shape[:2]
        values = np.ascontiguousarray(windows).view(np.uint8).reshape(n, self.length, -1)
        odd = np.random.default_rng(0).integers(0, 2**63, values.shape[2], dtype=np.uint64) * np.uint64(2)
        hashes = np.zeros((n, self.length), dtype=np.uint64)
        for column, factor in enumerate(odd + np.uint64(1)):
            hashes += values[:, :, column] * factor
        hashes ^= hashes >> np.uint64(29)
        hashes *= _MIX
        hashes ^= hashes >> np.uint64(32)
        self.hashes = hashes
        self._prefixes = np.zeros((n, self.length + 1), dtype=np.uint64)
        for step in range(self.length):
            self._prefixes[:, step + 1] = self._prefixes[:, step] * _BASE + hashes[:, step]
        self._changes = np.zeros((n, self.length + 1), dtype=np.int64)
        self._changes[:, 2:] = np.cumsum(hashes[:, 1:] != hashes[:, :-1], axis=1)

    def heads(self, shift: int, least: float) -> tuple[_Hashes, npt.NDArray[np.bool_]]:
        """Return the hash of all but the last `shift` steps of each window, and which have `least` changes in them."""
        shared = self.length - shift
        return self._prefixes[:, shared], self._changes[:, shared] >= max(least, _CHANGES * shared)

    def tails(self, shift: int, least: float) -> tuple[_Hashes, npt.NDArray[np.bool_]]:
        """Return the same of all but the first `shift` steps."""
        shared = self.length - shift
        power = np.uint64(pow(int(_BASE), shared, 2**64))
        changes = self._changes[:, -1] - self._changes[:, shift + 1]
        return self._prefixes[:, -1] - self._prefixes[:, shift] * power, changes >= max(least, _CHANGES * shared)


def _sample(parts: Sequence[Array]) -> tuple[Ints, _Stretches, float]:
    """Return some windows of all parts, their stretches, and how many changes are no accident.

    That is by the chance that two steps are equal, as if each change drew a step anew.
    """
    n = sum(map(len, parts))
    rows = np.unique(np.linspace(0, n - 1, min(n, _SAMPLE)).astype(np.int64))
    sample = _Stretches(np.concatenate(list(_rows(parts, rows))))
    counts = np.unique(sample.hashes, return_counts=True)[1]
    bits = -math.log2(float((counts / counts.sum()) @ (counts / counts.sum())))
    return rows, sample, max(_LEAST_CHANGES, (math.log2(n) + _SURE_BITS) / bits) if bits > 0 else math.inf


def _stretches(parts: Sequence[Array]) -> Iterator[tuple[int, _Stretches]]:
    """Yield (the first window, the stretches of some windows) of all parts, one after the other."""
    before = 0
    for part in parts:
        for start, windows in chunks(part, None, part.dtype):
            yield before + start, _Stretches(windows)
        before += len(part)


def _shifts(parts: Sequence[Array], rows: Ints, sample: _Stretches, least: float) -> list[int]:
    """Return by how many steps windows are shifted against one another, the smallest first.

    What counts is how many of the windows `rows`, of which `sample` has the stretches, follow another by as much.
    """
    most = sample.length - max(_LEAST_STEPS, math.ceil(_LEAST_SHARED * sample.length))
    heads = [sample.heads(shift, least) for shift in range(1, most + 1)]
    orders = [np.argsort(hashes) for hashes, _ in heads]
    met = np.zeros((len(heads), len(rows)), dtype=bool)
    for start, some in _stretches(parts):
        for number, ((hashes, sure), order) in enumerate(zip(heads, orders, strict=True)):
            tails, tails_sure = some.tails(number + 1, least)
            at = np.minimum(np.searchsorted(hashes, tails, sorter=order), len(rows) - 1)
            equal = (hashes[order[at]] == tails) & tails_sure
            other = rows[order[at]] != start + np.arange(len(tails))  # what repeats itself is no recording
            met[number, order[at[equal & other]]] = True
            met[number] &= sure
    counts = met.sum(axis=1)
    often = np.flatnonzero(counts >= max(2.0, _SHARE * len(rows)))
    return [number + 1 for number in often.tolist()][:_SHIFTS]


def _rows(parts: Sequence[Array], rows: Ints) -> Iterator[Array]:
    before = 0
    for part in parts:
        yield np.asarray(part[rows[(rows >= before) & (rows < before + len(part))] - before])
        before += len(part)


def _edges(parts: Sequence[Array], shifts: Sequence[int], least: float) -> Ints:
    """Return (window, the one that follows it, by how many steps) in rows."""
    ends: list[list[tuple[Ints, _Hashes]]] = [[] for _ in range(2 * len(shifts))]
    for start, some in _stretches(parts):
        both = (each for shift in shifts for each in (some.tails(shift, least), some.heads(shift, least)))
        for number, (hashes, sure) in enumerate(both):
            found = np.flatnonzero(sure)
            ends[number].append((start + found, hashes[found]))
    edges = []
    for number, shift in enumerate(shifts):
        before, after = (_once(ends[2 * number + side]) for side in (0, 1))
        _, one, other = np.intersect1d(before[1], after[1], assume_unique=True, return_indices=True)
        found = np.stack([before[0][one], after[0][other], np.full(len(one), shift)], axis=1)
        edges.append(found[found[:, 0] != found[:, 1]])
    return np.concatenate(edges)


def _once(ends: Sequence[tuple[Ints, _Hashes]]) -> tuple[Ints, _Hashes]:
    """Return the windows and hashes of those hashes that one window alone has."""
    windows, hashes = (np.concatenate(each) for each in zip(*ends, strict=True))
    found, first, counts = np.unique(hashes, return_index=True, return_counts=True)
    return windows[first[counts == 1]], found[counts == 1]


def _components(n: int, edges: Ints) -> Ints:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _places(n: int, edges: Ints) -> Ints:
    """Return at which step of its recording each window begins, counted from any of them."""
    near: list[list[tuple[int, int]]] = [[] for _ in range(n)]
    for one, other, shift in edges.tolist():
        near[one].append((other, shift))
        near[other].append((one, -shift))
    places: list[int | None] = [None] * n
    for root in range(n):
        waiting = deque([(root, 0)] if places[root] is None else [])
        while waiting:
            window, place = waiting.popleft()
            if places[window] is None:
                places[window] = place
                waiting.extend((other, place + shift) for other, shift in near[window])
    return np.array(places, dtype=np.int64)


def _cut(codes: Ints, places: Ints, rows: Ints) -> None:
    """Give the windows `rows` of each recording new codes: a code for each block of successive ones."""
    for code in np.unique(codes[rows]):
        own = rows[codes[rows] == code]
        own = own[np.argsort(places[own], kind="stable")]
        n = min(_BLOCKS, len(own), max(_LEAST_GROUPS, len(own) // _OF_A_BLOCK))
        for block in np.array_split(own, n):
            codes[block] = codes.max() + 1

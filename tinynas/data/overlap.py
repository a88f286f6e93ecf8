"""Windows that were cut from recordings so that they overlap: which samples share steps, and so belong together."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.data.normalize import Array, chunks

Ints = npt.NDArray[np.int64]
_Hashes = npt.NDArray[np.uint64]

# Windows that are looked at first: by how many steps are others shifted against them? Fewer where they are very long.
_SAMPLE, _LEAST_SAMPLE, _SAMPLED_STEPS = 256, 16, 4_000_000
_SHARE = 0.1  # of them that are shifted by the same number of steps, before it is no accident
_LEAST_MET, _SHIFTS = 2, 64  # then other shifts count if so many windows have them, the most frequent ones
_MOST_LOOKS = 1_000_000  # at some windows for one shift; else only every second, fourth ... shift is tried
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
    """Windows that share steps: the group of each, codes (n,) from 0 on, and how many windows share any.

    `steps` is the most that two windows share, and those that share any are of so many `recordings`. `is_cut` says
    whether some of these were cut into several groups, which share steps where they meet.
    """

    codes: Ints
    sharing: int
    steps: int
    recordings: int
    is_cut: bool


def find_overlaps(parts: Sequence[Array], y: Ints) -> Overlaps | None:
    """Return which windows are of one recording; None where they do not overlap.

    parts: windows (n, L, 1, C) of the training part as they came, and of the test part if there is one.  y: their
    labels, those of all parts together.  Two windows are of one recording where the first steps of one are the last
    steps of the other, value by value, and no third window has the same there, and where so many windows are shifted
    by the same number of steps that it is no accident. Equal windows are one. A class of which the training part has
    too few recordings, for two folds and a test part if there is none, has them cut into blocks of successive windows.
    """
    dtype = _common(parts)
    rows, sample, least = _sample(parts, dtype)
    shifts = _shifts(parts, dtype, rows, sample, least)
    edges = _edges(parts, dtype, shifts, least) if shifts else np.zeros((0, 3), dtype=np.int64)
    shifted = edges[edges[:, 2] > 0]
    if not len(shifted):
        return None
    codes = _components(len(y), edges)
    sharing = np.unique(shifted[:, :2])
    recordings = len(np.unique(codes[sharing]))
    rows, wanted = np.arange(len(parts[0])), _LEAST_GROUPS - (len(parts) > 1)
    classes = [rows[y[rows] == label] for label in np.unique(y[rows])]
    few = [own for own in classes if len(np.unique(codes[own])) < wanted]
    places = _places(len(y), edges) if few else codes
    for own in few:
        _cut(codes, places, own)
    _, codes = np.unique(codes, return_inverse=True)
    steps = parts[0].shape[1] - int(shifted[:, 2].min())
    return Overlaps(codes.astype(np.int64), len(sharing), steps, recordings, bool(few))


def _common(parts: Sequence[Array]) -> np.dtype[Any]:
    """Return the type in which equal values have equal bytes: of 64 bits at the most, in this machine's order."""
    dtype = np.result_type(*parts).newbyteorder("=")
    return np.dtype(np.float64) if dtype.kind == "f" and dtype.itemsize > 8 else dtype


class _Stretches:
    """The hash of every stretch of steps of some windows (n, L, 1, C)."""

    def __init__(self, windows: Array, dtype: np.dtype[Any]) -> None:
        n, self.length = windows.shape[:2]
        windows = np.ascontiguousarray(windows, dtype=dtype)
        if dtype.kind == "f":
            windows = windows + dtype.type(0)  # -0.0 becomes 0.0
        values = windows.view(np.uint8).reshape(n, self.length, -1)
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

    @property
    def whole(self) -> _Hashes:
        """The hash of each window."""
        return self._prefixes[:, -1]

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


def _sample(parts: Sequence[Array], dtype: np.dtype[Any]) -> tuple[Ints, _Stretches, float]:
    """Return some windows of all parts, their stretches, and how many changes are no accident.

    That is by the chance that two steps are equal, as if each change drew a step anew.
    """
    n, length = sum(map(len, parts)), parts[0].shape[1]
    most = min(n, _SAMPLE, max(_LEAST_SAMPLE, _SAMPLED_STEPS // length))
    rows = np.unique(np.linspace(0, n - 1, most).astype(np.int64))
    sample = _Stretches(np.concatenate(list(_rows(parts, rows))), dtype)
    counts = np.unique(sample.hashes, return_counts=True)[1]
    bits = -math.log2(float((counts / counts.sum()) @ (counts / counts.sum())))
    return rows, sample, max(_LEAST_CHANGES, (math.log2(n) + _SURE_BITS) / bits) if bits > 0 else math.inf


def _stretches(parts: Sequence[Array], dtype: np.dtype[Any]) -> Iterator[tuple[int, _Stretches]]:
    """Yield (the first window, the stretches of some windows) of all parts, one after the other."""
    before = 0
    for part in parts:
        for start, windows in chunks(part, None, part.dtype):
            yield before + start, _Stretches(windows, dtype)
        before += len(part)


def _shifts(parts: Sequence[Array], dtype: np.dtype[Any], rows: Ints, sample: _Stretches, least: float) -> list[int]:
    """Return by how many steps windows are shifted against one another, none where it may be an accident.

    What counts is how many of the windows `rows`, of which `sample` has the stretches, follow another by as much.
    """
    most = sample.length - max(_LEAST_STEPS, math.ceil(_LEAST_SHARED * sample.length))
    tried = range(1, most + 1)
    n_chunks = sum(1 for part in parts for _ in chunks(part, None, part.dtype))
    while len(tried) * n_chunks > _MOST_LOOKS:
        tried = range(2 * tried.step, most + 1, 2 * tried.step)
    met = np.zeros((len(tried), len(rows)), dtype=bool)
    found = [sample.heads(shift, least) for shift in tried]
    heads = [(hashes, sure, np.argsort(hashes)) for hashes, sure in found]
    for _, some in _stretches(parts, dtype):
        for number, (hashes, sure, order) in enumerate(heads):
            tails, tails_sure = some.tails(tried[number], least)
            at = np.minimum(np.searchsorted(hashes, tails, sorter=order), len(rows) - 1)
            equal = (hashes[order[at]] == tails) & tails_sure
            # What repeats itself is no recording, neither in a window nor in its copies.
            other = sample.whole[order[at]] != some.whole
            met[number, order[at[equal & other]]] = True
            met[number] &= sure
    counts = met.sum(axis=1)
    if not (counts >= max(_LEAST_MET, _SHARE * len(rows))).any():
        return []
    often = sorted(np.flatnonzero(counts >= _LEAST_MET).tolist(), key=lambda number: -counts[number])
    return [tried[number] for number in often[:_SHIFTS]]


def _rows(parts: Sequence[Array], rows: Ints) -> Iterator[Array]:
    before = 0
    for part in parts:
        yield np.asarray(part[rows[(rows >= before) & (rows < before + len(part))] - before])
        before += len(part)


def _edges(parts: Sequence[Array], dtype: np.dtype[Any], shifts: Sequence[int], least: float) -> Ints:
    """Return (window, the one that follows it, by how many steps) in rows; a copy follows its original by none."""
    ends: list[list[tuple[Ints, _Hashes]]] = [[] for _ in range(2 * len(shifts))]
    whole = []
    for start, some in _stretches(parts, dtype):
        whole.append(some.whole)
        both = (each for shift in shifts for each in (some.tails(shift, least), some.heads(shift, least)))
        for number, (hashes, sure) in enumerate(both):
            found = np.flatnonzero(sure)
            ends[number].append((start + found, hashes[found]))
    _, first, inverse = np.unique(np.concatenate(whole), return_index=True, return_inverse=True)
    copies = np.flatnonzero(first[inverse] != np.arange(len(inverse)))
    edges = [np.stack([first[inverse[copies]], copies, np.zeros_like(copies)], axis=1)]
    for number, shift in enumerate(shifts):
        before, after = (_once(ends[2 * number + side], first) for side in (0, 1))
        _, one, other = np.intersect1d(before[1], after[1], assume_unique=True, return_indices=True)
        found = np.stack([before[0][one], after[0][other], np.full(len(one), shift)], axis=1)
        edges.append(found[found[:, 0] != found[:, 1]])
    return np.concatenate(edges)


def _once(ends: Sequence[tuple[Ints, _Hashes]], among: Ints) -> tuple[Ints, _Hashes]:
    """Return the windows, of those `among`, and hashes of those hashes that one of these windows alone has."""
    windows, hashes = (np.concatenate(each) for each in zip(*ends, strict=True))
    chosen = np.isin(windows, among)
    windows, hashes = windows[chosen], hashes[chosen]
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

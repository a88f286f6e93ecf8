"""Recordings cut into windows at multiples of the stride, and what is in none of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from tinynas.data.samples import allocate

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Texts = npt.NDArray[np.str_]

LEAST_GROUPS = 3  # of a class: one for the test part, two for the folds of a search
BLOCKS = 10  # that a stretch is cut into where a class has too few recordings


@dataclass(frozen=True, eq=False)
class Recording:
    """Rows (n, channels) of a file with the label and the group of each, which rows are spoilt, and with which rows
    another recording begins.
    """

    values: Floats
    labels: Texts
    groups: Texts
    spoilt: npt.NDArray[np.bool_]
    begins: Ints


@dataclass(frozen=True, eq=False)
class Stretch:
    """Rows of one recording under one label and of one group."""

    values: Floats
    label: str
    group: str
    spoilt: npt.NDArray[np.bool_]


@dataclass
class Windows:
    """Windows x (n, steps, channels) with label and group, and the rows that are in none of them by what is the cause.

    `shorter` counts the stretches that are shorter than a window.
    """

    x: Floats
    labels: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    rows: int = 0
    shorter: int = 0
    lost: dict[str, int] = field(default_factory=dict)

    def groups_of(self) -> dict[str, int]:
        """In how many groups each label is."""
        pairs = set(zip(self.labels, self.groups, strict=True))
        labels = [label for label, _ in pairs]
        return {label: labels.count(label) for label in set(labels)}


def stretches(recordings: Sequence[Recording]) -> list[Stretch]:
    """The longest runs of rows with one label and one group in one recording, in order."""
    return [stretch for recording in recordings for stretch in _stretches(recording)]


def cut(found: Sequence[Stretch], window: int, stride: int, blocked: Collection[str] = ()) -> Windows:
    """The windows of the stretches, in order: they begin at multiples of the stride from where a stretch begins.

    A stretch under a label in `blocked` becomes up to ten groups of windows that share no step; windows that would be
    in two of them are left out, as are those with a spoilt row.
    """
    chosen = [_chosen(stretch, window, stride, stretch.label in blocked) for stretch in found]
    channels = found[0].values.shape[1] if found else 1
    made = Windows(allocate((sum(len(starts) for starts, _, _ in chosen), window, channels), np.float32))
    for number, (stretch, (starts, blocks, lost)) in enumerate(zip(found, chosen, strict=True)):
        made.rows += len(stretch.values)
        made.shorter += len(stretch.values) < window
        for why, rows in lost.items():
            made.lost[why] = made.lost.get(why, 0) + rows
        for start, block in zip(starts.tolist(), blocks.tolist(), strict=True):
            made.x[len(made.labels)] = stretch.values[start : start + window]
            made.labels.append(stretch.label)
            named = f", stretch {number + 1}, block {block + 1:02}" if stretch.label in blocked else ""
            made.groups.append(stretch.group + named)
    return made


SHORT = "in stretches under one label shorter than a window"
ENDS = "at the ends of stretches, too few for a window"
SPOILT = "with windows that hold missing values"
BETWEEN = "between blocks"
SKIPPED = "between windows, since the stride is longer"


def _chosen(stretch: Stretch, window: int, stride: int, is_blocked: bool) -> tuple[Ints, Ints, dict[str, int]]:
    """(first rows of the windows, the block of each, rows in no window by cause)."""
    n = len(stretch.values)
    count = max(0, (n - window) // stride + 1)
    starts = np.arange(count, dtype=np.int64) * stride
    lost = {SHORT: n} if count == 0 else {ENDS: n - int(starts[-1]) - window}
    if count > 1 and stride > window:
        lost[SKIPPED] = (count - 1) * (stride - window)
    spoilt = np.concatenate([[0], np.cumsum(stretch.spoilt)])
    whole = spoilt[starts + window] == spoilt[starts]
    blocks = blocks_of(count, -(-window // stride) - 1) if is_blocked else np.zeros(count, dtype=np.int64)
    keep = whole & (blocks >= 0)
    held = [covered(starts[rows], n, window) for rows in (slice(None), whole, keep)]
    lost |= {SPOILT: held[0] - held[1], BETWEEN: held[1] - held[2]}
    return starts[keep], blocks[keep], {why: rows for why, rows in lost.items() if rows}


def covered(starts: Ints, n: int, window: int) -> int:
    """How many of n rows are in a window."""
    edges = np.zeros(n + 1, dtype=np.int64)
    np.add.at(edges, starts, 1)
    np.add.at(edges, starts + window, -1)
    return int((np.cumsum(edges)[:n] > 0).sum())


def blocks_of(count: int, overlap: int) -> Ints:
    """The block of each of `count` windows, of which each shares steps with the next `overlap`; -1 between blocks."""
    most = max(1, (count + overlap) // (1 + overlap))
    n = min(BLOCKS, most, max(3, count // (4 * overlap + 1)))
    kept = count - (n - 1) * overlap
    blocks = np.full(count, -1, dtype=np.int64)
    for block, (begin, end) in enumerate(pairwise(np.linspace(0, kept, n + 1).astype(int).tolist())):
        blocks[begin + block * overlap : end + block * overlap] = block
    return blocks


def _stretches(recording: Recording) -> Iterator[Stretch]:
    n = len(recording.labels)
    changes = (recording.labels[1:] != recording.labels[:-1]) | (recording.groups[1:] != recording.groups[:-1])
    edges = np.unique(np.concatenate([[0], np.flatnonzero(changes) + 1, recording.begins, [n]])).tolist()
    for begin, end in pairwise(edges):
        label, group = str(recording.labels[begin]), str(recording.groups[begin])
        yield Stretch(recording.values[begin:end], label, group, recording.spoilt[begin:end])

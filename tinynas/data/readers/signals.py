"""CSV of signals: a column a channel, a row a step, cut into windows that know which recording they are from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinynas.data.prepare import Source
from tinynas.data.readers.folders import TABLES, by_class, parts
from tinynas.data.readers.rows import csv_files, csv_meta
from tinynas.data.readers.tables import Table, plain_labels, read_table, require_same_columns
from tinynas.data.samples import allocate
from tinynas.errors import DataError
from tinynas.options.reading import ReadOptions

Floats = npt.NDArray[np.float32]

_BLOCKS = 10  # that a stretch is cut into where a class has one recording only


@dataclass(frozen=True, eq=False)
class _Stretch:
    """Steps (n, channels) of one recording under one label."""

    values: Floats
    label: str
    group: str


@dataclass(frozen=True, eq=False)
class _Windows:
    x: Floats
    labels: list[str]
    groups: list[str]


def read_signals(path: Path, options: ReadOptions) -> Source:
    """Windows (n, window, channels) that never straddle two labels, files or groups.

    The label is a column, or the folder that the file is in. A group is a value of the group column, or a file. Where a
    class has one file only, each stretch under one label is cut into blocks, and these are the groups: windows of
    different blocks share no step.
    """
    assert options.window is not None
    train, test, notes = _tables(path, options)
    require_same_columns([table for table, _ in [*train, *(test or [])]])
    notes = (*(train[0][0].label_note if train[0][1] is None else ()), *notes)
    stretches = [stretch for table, label in train for stretch in _stretches(table, label)]
    labels = {stretch.label for stretch in stretches}
    windows, short = _cut(stretches, options)
    if test is None and options.group is None and _fewest_groups(windows) < 2:
        blocks = [
            block for number, stretch in enumerate(stretches) for block in _blocks(stretch, number, options.window)
        ]
        windows, short = _cut(blocks, options)
        notes = (
            *notes,
            f"A class has a single recording, so recordings were cut into up to {_BLOCKS} blocks each: training and "
            f"test windows share no step, but they share recordings, and the scores will flatter.",
        )
    lost = sorted(labels - set(windows.labels))
    if lost:
        raise DataError(
            f"{path}: no stretch of label {lost[0]!r} is as long as the window of {options.window} steps: make it "
            f"shorter"
        )
    if short:
        notes = (*notes, f"{short:,} stretches under one label are shorter than the window and were left out.")
    meta = csv_meta(path).with_layout("series", "windows of recorded channels")
    if test is None:
        return Source(meta, windows.x, plain_labels(windows.labels), groups=windows.groups, notes=notes)
    tested, _ = _cut([stretch for table, label in test for stretch in _stretches(table, label)], options)
    both = plain_labels([*windows.labels, *tested.labels])
    n = len(windows.labels)
    return Source(meta, windows.x, both[:n], tested.x, both[n:], windows.groups, tested.groups, notes=notes)


_Labelled = list[tuple[Table, str | None]]


def _tables(path: Path, options: ReadOptions) -> tuple[_Labelled, _Labelled | None, tuple[str, ...]]:
    """The tables of both parts, each with the class of its folder where the folders are classes."""
    files, files_test, notes = csv_files(path)
    if files:
        train: _Labelled = [(read_table(file, options, True), None) for file in files]
        test: _Labelled = [(read_table(file, options, True), None) for file in files_test]
        return train, test or None, notes
    folder, folder_test, notes = parts(path)
    return _of_classes(folder, options), None if folder_test is None else _of_classes(folder_test, options), notes


def _of_classes(folder: Path, options: ReadOptions) -> _Labelled:
    files, names = by_class(folder, TABLES, "CSV files")
    return [
        (read_table(file, options, False), name if options.label is None else None)
        for file, name in zip(files, names, strict=True)
    ]


def _stretches(table: Table, label: str | None) -> Iterator[_Stretch]:
    """Yield the longest runs of rows that have one label and one group."""
    n = len(table.values)
    labels = [label] * n if label is not None else table.labels
    groups = table.groups or [str(table.path)] * n
    assert labels is not None
    changes = [i for i in range(1, n) if labels[i] != labels[i - 1] or groups[i] != groups[i - 1]]
    for begin, end in zip([0, *changes], [*changes, n], strict=True):
        if end > begin:
            yield _Stretch(table.values[begin:end], str(labels[begin]), groups[begin])


def _blocks(stretch: _Stretch, number: int, window: int) -> Iterator[_Stretch]:
    """Yield up to _BLOCKS blocks of a stretch, each at least a window long."""
    n = max(1, min(_BLOCKS, len(stretch.values) // window))
    ends = np.linspace(0, len(stretch.values), n + 1).astype(int)
    for begin, end in pairwise(ends.tolist()):
        name = f"{stretch.group}, stretch {number + 1}, step {begin + 1}"
        yield _Stretch(stretch.values[begin:end], stretch.label, name)


def _cut(stretches: Sequence[_Stretch], options: ReadOptions) -> tuple[_Windows, int]:
    """The windows of the stretches in order, and how many stretches were too short for one."""
    window = options.window or 1
    stride = options.stride or window
    counts = [max(0, (len(stretch.values) - window) // stride + 1) for stretch in stretches]
    channels = stretches[0].values.shape[1] if stretches else 1
    x = allocate((sum(counts), window, channels), np.float32)
    labels: list[str] = []
    groups: list[str] = []
    for stretch, count in zip(stretches, counts, strict=True):
        for number in range(count):
            x[len(labels)] = stretch.values[number * stride : number * stride + window]
            labels.append(stretch.label)
            groups.append(stretch.group)
    return _Windows(x, labels, groups), counts.count(0)


def _fewest_groups(windows: _Windows) -> int:
    """In how many groups the class is that is in the fewest; 0 when there is no window at all."""
    pairs = set(zip(windows.labels, windows.groups, strict=True))
    labels = [label for label, _ in pairs]
    return min((labels.count(label) for label in set(labels)), default=0)

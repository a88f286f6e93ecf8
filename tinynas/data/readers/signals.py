"""CSV of signals: a column a channel, a row a step, cut into windows that know which recording they are from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from tinynas.data.missing import interpolated, is_missing, longest_run
from tinynas.data.prepare import Source
from tinynas.data.readers.labels import plain_labels, why_no_classes
from tinynas.data.readers.listing import listed
from tinynas.data.readers.sheets import Marks, Sheet, Sheets, count_missing, csv_meta, marks_in, read_sheets
from tinynas.data.readers.timing import Timing, resampled, said, timings
from tinynas.data.readers.windows import BLOCKS, LEAST_GROUPS, Recording, Stretch, Windows, cut, stretches
from tinynas.errors import DataError
from tinynas.options.reading import ReadOptions, Seconds


def read_signals(path: Path, options: ReadOptions) -> Source:
    """Windows (n, window, channels) that never straddle two labels, recordings or groups.

    The label is a column, or what the place of the file says. A group is a value of the group column, a person's
    folder, or a file. Where a class has too few groups for a test part and folds, its stretches under one label are cut
    into blocks, and these are its groups: windows of different blocks share no step.
    """
    sheets = read_sheets(path, options, lambda tables: None)
    every = [*sheets.train, *(sheets.test or [])]
    timing, notes = _timing(every, sheets, options)
    window, stride, rate = _steps(path, options, timing)
    marks, told = _missing(path, sheets, options)
    n = len(sheets.train)
    recordings = [_recording(sheet, own, marks, options) for sheet, own in zip(every, timing, strict=True)]
    found, found_test = stretches(recordings[:n]), None if sheets.test is None else stretches(recordings[n:])
    rows = [str(label) for recording in recordings[:n] for label in recording.labels]
    if (why := why_no_classes(rows, path)) is not None:
        raise DataError(why)
    found, found_test, grouped = _grouped(found, found_test, sheets, options)
    windows, blocked = _windows(path, found, window, stride, sheets.test is None, options)
    tested = None if found_test is None else cut(found_test, window, stride)
    before = [note for note in sheets.notes if note != sheets.roles.clock_note or not any(timing)]
    notes = (*before, *notes, *told, *grouped, *blocked, *_lost(windows, tested))
    meta = csv_meta(path).with_layout("series", "windows of recorded channels")
    source = Source(
        meta, windows.x, plain_labels(windows.labels), groups=windows.groups, notes=notes, channels=sheets.channels
    )
    source = replace(source, is_clean=options.missing is not None, rate=rate)
    if tested is None:
        return source
    both = plain_labels([*windows.labels, *tested.labels])
    k = len(windows.labels)
    return replace(source, y=both[:k], x_test=tested.x, y_test=both[k:], groups_test=tested.groups)


def _timing(
    every: Sequence[Sheet], sheets: Sheets, options: ReadOptions
) -> tuple[list[Timing | None], tuple[str, ...]]:
    """The timing of each file, and what is to be said of rates and gaps."""
    if sheets.roles.clock is None:
        if options.rate is None:
            return [None] * len(every), ()
        return [None] * len(every), (f"No column tells the time: the rows are taken to come at {options.rate:g} Hz.",)
    name = sheets.roles.clock[0]
    found, assumed = timings([sheet.time for sheet in every], name)
    files, lines = [sheet.path.name for sheet in every], [sheet.lines for sheet in every]
    alone = "it is no channel unless --columns names it" if sheets.roles.clock_note else ""
    about = "".join(f"; {clause}" for clause in (assumed, alone) if clause)
    return found, said(found, files, lines, name, options.rate, about)


def _steps(path: Path, options: ReadOptions, timing: Sequence[Timing | None]) -> tuple[int, int, float | None]:
    """(window, stride) in rows, and rows a second where they are known."""
    rates = [own.rate for own in timing if own is not None]
    rate = options.rate or (float(np.median(rates)) if rates else None)

    def rows(length: int | Seconds, name: str) -> int:
        if not isinstance(length, Seconds):
            return length
        if rate is None:
            raise DataError(
                f"{path}: {name} is {length.value:g} seconds, but no column tells how many rows that is: give the rows "
                f"per second with rate (--rate), or {name} in rows"
            )
        return length.steps(rate)

    assert options.window is not None
    window = rows(options.window, "window")
    return window, window if options.stride is None else rows(options.stride, "stride"), rate


def _missing(path: Path, sheets: Sheets, options: ReadOptions) -> tuple[Marks, tuple[str, ...]]:
    """The marks of failed readings that --missing treats, and the sentence that counts what it treats."""
    if options.missing is None:
        return (), ()
    marks = marks_in(sheets.train)
    counted = count_missing([*sheets.train, *(sheets.test or [])], marks, sheets.channels)
    if counted and options.missing == "error":
        raise DataError(f"{path}: {counted}; mend them, or give missing (--missing drop or interpolate)")
    runs = [longest_run(column) for sheet in sheets.train for column in is_missing(sheet.values, marks).T]
    treated = {
        "drop": "windows that hold any were left out",
        "interpolate": f"they were interpolated, at most {max(runs):,} in a row",
    }
    return marks, (f"{counted}; {treated[options.missing]}.",) if counted else ()


def _recording(sheet: Sheet, timing: Timing | None, marks: Marks, options: ReadOptions) -> Recording:
    """The rows of a file without missing values, at the rate that is wanted; groups are files unless a column says."""
    values, labels = sheet.values, sheet.labels
    groups = sheet.groups if sheet.groups is not None else np.full(len(values), str(sheet.path))
    spoilt = np.zeros(len(values), dtype=bool)
    begins = np.flatnonzero(np.diff(sheet.rows) > 1) + 1  # rows between are of the other part
    if timing is not None:
        begins = np.union1d(begins, timing.breaks)
        timing = replace(timing, breaks=begins)
    if options.missing is not None:
        missing = is_missing(values, marks)
        edges = [0, *begins.tolist(), len(values)]
        filled = [interpolated(values[a:b], missing[a:b]) for a, b in pairwise(edges)]  # also what is left out later
        values = np.nan_to_num(np.concatenate(filled))
        empty = [missing[a:b].all(axis=0).any() for a, b in pairwise(edges)]
        spoilt = np.array(missing.any(axis=1) if options.missing == "drop" else np.repeat(empty, np.diff(edges)))
    if timing is not None and options.rate is not None and len(values):
        values, rows, begins = resampled(values, timing, options.rate)
        labels, groups, spoilt = labels[rows], groups[rows], spoilt[rows]
    return Recording(values, labels, groups, spoilt, begins)


def _grouped(
    found: list[Stretch], found_test: list[Stretch] | None, sheets: Sheets, options: ReadOptions
) -> tuple[list[Stretch], list[Stretch] | None, tuple[str, ...]]:
    """The stretches with folders as groups, where these are no classes and every class is in enough of them."""
    folder = {str(sheet.path): sheet.folder for sheet in [*sheets.train, *(sheets.test or [])]}
    is_class = sheets.by_folder and all(set(sheet.labels) <= {sheet.folder} for sheet in sheets.train)
    if options.group is not None or is_class or not all(folder.values()) or len(set(folder.values())) == len(folder):
        return found, found_test, ()
    pairs = {(stretch.label, folder[stretch.group]) for stretch in found}
    labels = [label for label, _ in pairs]
    if min(labels.count(label) for label in set(labels)) < (LEAST_GROUPS if found_test is None else 2):
        return found, found_test, ()

    def renamed(some: list[Stretch]) -> list[Stretch]:
        return [replace(stretch, group=folder[stretch.group]) for stretch in some]

    shown = listed(sorted(set(folder.values())), 3)
    note = (
        f"The files in one folder ({shown}) are taken to be of one person or day, and stay on one side of every split."
    )
    return renamed(found), None if found_test is None else renamed(found_test), (note,)


def _windows(
    path: Path, found: list[Stretch], window: int, stride: int, is_split_later: bool, options: ReadOptions
) -> tuple[Windows, tuple[str, ...]]:
    """The windows of the training part, of classes with too few recordings in blocks, and a note on that."""
    windows, note = cut(found, window, stride), tuple[str, ...]()
    least = LEAST_GROUPS if is_split_later else 2
    counts = windows.groups_of()
    few = sorted(label for label, count in counts.items() if count < least)
    if few and options.group is None:
        windows = cut(found, window, stride, few)
        most = max(counts[label] for label in few)
        many = "a single recording" if most == 1 else f"{most} recordings at most"
        note = (
            f"{_classes(few, len(counts))} has {many}, and a test part and folds need {least}, so its recordings were "
            f"cut into up to {BLOCKS} blocks each: training and test windows share no step, but they share recordings, "
            f"and the scores will flatter.",
        )
    lost = sorted({stretch.label for stretch in found} - set(windows.labels))
    if lost:
        longest = max(len(stretch.values) for stretch in found if stretch.label == lost[0])
        why = "as long as the window of" if longest < window else "without missing values over a window of"
        raise DataError(f"{path}: no stretch of label {lost[0]!r} is {why} {window} steps: make it shorter")
    return windows, note


def _classes(few: Sequence[str], n: int) -> str:
    if len(few) == n:
        return "Each class"
    return f"Class {few[0]!r}" if len(few) == 1 else f"Each of the classes {listed([repr(name) for name in few], 4)}"


def _lost(windows: Windows, tested: Windows | None) -> tuple[str, ...]:
    """Sentences on the rows that are in no window."""
    notes = []
    shorter = windows.shorter + (tested.shorter if tested else 0)
    if shorter:
        notes.append(f"{shorter:,} stretches under one label are shorter than the window and were left out.")
    for part, where in ((windows, ""), (tested, " of the test part")):
        if part is not None and part.lost:
            causes = ", ".join(f"{rows:,} {why}" for why, rows in part.lost.items())
            notes.append(f"{sum(part.lost.values()):,} of {part.rows:,} rows{where} are in no window: {causes}.")
    return tuple(notes)

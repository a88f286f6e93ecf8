"""CSV as people have it: comma, semicolon or tab, with a header or without, numbers and a few named columns."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import numpy.typing as npt

from tinynas.data.idx import require_file
from tinynas.data.readers.folders import listed
from tinynas.errors import DataError, UsageError
from tinynas.options.reading import ReadOptions

Floats = npt.NDArray[np.float32]

_ROWS = 4096  # read and turned into numbers at a time
_LABELS = ("label", "class", "target", "y", "activity")
_FLOAT32_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class Table:
    """The numbers (n, columns), and the label and group of each row where there is such a column.

    label_note: a sentence on which column was taken for the label, where none was asked for.
    """

    path: Path
    columns: tuple[str, ...]
    values: Floats
    labels: tuple[str, ...] | None
    groups: tuple[str, ...] | None
    label_note: tuple[str, ...] = ()


@dataclass(frozen=True)
class Form:
    """How the lines of a file are to be read: its columns' names, and which of them are what, by number from 0."""

    names: tuple[str, ...]
    delimiter: str
    has_header: bool
    values: tuple[int, ...]
    label: int | None
    group: int | None
    label_note: tuple[str, ...]


def read_table(path: Path, options: ReadOptions, needs_label: bool) -> Table:
    """The table in `path`, a part at a time. DataError names line and column of what is no number.

    Without a label option the label is a column called label, class, target, y or activity. With `needs_label` one must
    be found, and may also be the only column of text.
    """
    require_file(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            form = _form(path, file, options, needs_label)
            file.seek(0)
            return _table(path, _rows(path, file, form), form)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as CSV ({' '.join(str(error).split())[:200]})") from error


def plain_labels(labels: Sequence[str]) -> npt.NDArray[Any]:
    """Labels as integers when every one is written as such, so that 10 comes after 9; as they are otherwise."""
    if all(re.fullmatch(r"[+-]?\d{1,15}(\.0*)?", label) for label in labels):
        return np.array([int(label.split(".")[0]) for label in labels], dtype=np.int64)
    return np.array(labels, dtype=np.str_)


def require_same_columns(tables: Sequence[Table]) -> None:
    """Raise DataError unless the columns of all tables bear the same names in the same order."""
    for table in tables[1:]:
        if table.columns != tables[0].columns:
            raise DataError(
                f"{table.path}: its columns are {listed(table.columns)}, those of {tables[0].path.name} "
                f"{listed(tables[0].columns)}; wanted the same in each file"
            )


def _form(path: Path, file: TextIO, options: ReadOptions, needs_label: bool) -> Form:
    start = file.readline()
    while start and not start.strip():
        start = file.readline()
    counts = {mark: start.count(mark) for mark in ",;\t"}
    delimiter = "\t" if path.suffix.lower() == ".tsv" else max(counts, key=lambda mark: counts[mark])
    file.seek(0)
    rows: list[list[str]] = [*_two_rows(file, delimiter), [], []]
    first, second = rows[:2]
    if not first:
        raise DataError(f"{path}: is empty, wanted rows of numbers")
    known = {*_LABELS, *(name.lower() for name in (options.label, options.group, *(options.columns or ())) if name)}
    has_header = _is_header(first, second, known)
    if has_header and not second:
        raise DataError(f"{path}: has a header and no rows")
    names = tuple(first) if has_header else tuple(str(i + 1) for i in range(len(first)))
    sample = second if has_header else first
    label = None if options.label is None else _column(path, names, options.label, "label")
    guessed: tuple[str, ...] = ()
    if label is None:
        label = _likely_label(names, sample, needs_label)
        guessed = () if label is None else (f"The label is column {names[label]!r} (no other was asked for).",)
    if label is None and needs_label:
        raise DataError(f"{path}: which column is the label? give label (--label); the columns are {listed(names)}")
    group = None if options.group is None else _column(path, names, options.group, "group")
    if label is not None and label == group:
        raise UsageError(f"group is {options.group}, which is the label too; a group is who or what was recorded.")
    chosen = range(len(names))
    if options.columns is not None:
        chosen = [_column(path, names, name, "columns") for name in options.columns]  # type: ignore[assignment]
    values = tuple(i for i in chosen if i not in (label, group))
    if not values:
        raise DataError(f"{path}: has no column beside label and group; wanted at least one of numbers")
    return Form(names, delimiter, has_header, values, label, group, guessed)


def _two_rows(file: TextIO, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(file, delimiter=delimiter)
    found = 0
    for row in reader:
        if _is_filled(row):
            yield [cell.strip() for cell in row]
            found += 1
        if found == 2:
            return


def _is_filled(row: Sequence[str]) -> bool:
    return any(cell.strip() for cell in row)


def _is_header(first: Sequence[str], second: Sequence[str], known: Collection[str]) -> bool:
    """Whether the first row names the columns.

    It does when it has text over a column of numbers, when all of it is text, or when it has one of the known names.
    """
    texts = [cell.lower() for cell in first if not _is_number(cell)]
    if len(texts) == len(first) or set(texts) & set(known):
        return True
    return any(not _is_number(one) and _is_number(two) for one, two in zip(first, second, strict=False))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _column(path: Path, names: Sequence[str], wanted: str, option: str) -> int:
    """The number from 0 of the column called `wanted`, or of that number from 1 (-1 is the last)."""
    for spelled in (names, [name.lower() for name in names]):
        name = wanted if spelled is names else wanted.lower()
        if spelled.count(name) > 1:
            raise DataError(f"{path}: several columns are called {wanted!r} ({option}): give its number from 1")
        if name in spelled:
            return spelled.index(name)
    if re.fullmatch(r"-?\d{1,9}", wanted):
        number = int(wanted)
        if number and -len(names) <= number <= len(names):
            return number - 1 if number > 0 else len(names) + number
    raise DataError(f"{path}: has no column {wanted!r} ({option}); the columns are {listed(names)}")


def _likely_label(names: Sequence[str], sample: Sequence[str], by_text: bool) -> int | None:
    low = [name.lower() for name in names]
    called = next((low.index(name) for name in _LABELS if name in low), None)
    if called is not None or not by_text:
        return called
    texts = [i for i, cell in enumerate(sample) if not _is_number(cell)]
    return texts[0] if len(texts) == 1 else None


def _rows(path: Path, file: TextIO, form: Form) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, cells) of the rows below the header; empty lines are passed over."""
    reader = csv.reader(file, delimiter=form.delimiter)
    header = form.has_header
    for row in reader:
        if not _is_filled(row):
            continue
        if header:
            header = False
            continue
        if len(row) != len(form.names):
            raise DataError(f"{path}, line {reader.line_num}: has {len(row)} cells, wanted {len(form.names)}")
        yield reader.line_num, row


def _table(path: Path, rows: Iterator[tuple[int, list[str]]], form: Form) -> Table:
    parts: list[Floats] = []
    texts: dict[int, list[str]] = {i: [] for i in (form.label, form.group) if i is not None}
    waiting: list[tuple[int, list[str]]] = []

    def take() -> None:
        parts.append(_numbers(path, waiting, form))
        for i, column in texts.items():
            for line, row in waiting:
                if not row[i].strip():
                    raise DataError(f"{path}, line {line}: column {form.names[i]!r} is empty")
                column.append(row[i].strip())
        waiting.clear()

    for numbered in rows:
        waiting.append(numbered)
        if len(waiting) == _ROWS:
            take()
    if waiting:
        take()
    values = np.concatenate(parts) if parts else np.empty((0, len(form.values)), np.float32)
    labels, groups = (None if i is None else tuple(texts[i]) for i in (form.label, form.group))
    return Table(path, tuple(form.names[i] for i in form.values), values, labels, groups, form.label_note)


def _numbers(path: Path, rows: Sequence[tuple[int, list[str]]], form: Form) -> Floats:
    """The chosen cells as float32 (n, columns)."""
    cells = [[row[i] for i in form.values] for _, row in rows]
    try:
        values = np.array(cells, dtype=object).astype(np.float64)
        wrong = np.argwhere(~(np.abs(values) <= _FLOAT32_MAX))
    except (ValueError, OverflowError):
        wrong = np.array([[r, c] for r, row in enumerate(cells) for c, cell in enumerate(row) if not _is_number(cell)])
    if len(wrong):
        r, c = (int(i) for i in wrong[0])
        name, cell = form.names[form.values[c]], cells[r][c].strip()
        held = repr(cell if len(cell) <= 40 else cell[:40] + "…") if cell else "nothing"
        raise DataError(
            f"{path}, line {rows[r][0]}: column {name!r} holds {held}, wanted a finite number within float32's range: "
            f"mend it, or say with columns (--columns) which ones to read"
        )
    return values.astype(np.float32)

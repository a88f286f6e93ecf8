"""What CSV files hold, once it is known which columns are what: values, labels and groups of each row, file by file."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.data.clean import shown_marks
from tinynas.data.files import Meta, read_meta
from tinynas.data.missing import find_marks, is_missing
from tinynas.data.prepare import WARNING
from tinynas.data.readers.columns import Key, keys, place_of_label
from tinynas.data.readers.dialect import is_no_label
from tinynas.data.readers.folders import TABLES, class_folders, files_in, parts
from tinynas.data.readers.listing import listed
from tinynas.data.readers.official import part_of, split_files
from tinynas.data.readers.places import FILE, PLACES, Placed, names_as_labels, placed, said_of_names
from tinynas.data.readers.roles import Roles, choose_roles, open_tables
from tinynas.data.readers.tables import Table
from tinynas.errors import DataError
from tinynas.options.reading import ReadOptions

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Marks = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, eq=False)
class Sheet:
    """The rows of a file: `values` (n, channels), NaN where nothing is, `labels` (n,) and `groups` (n,) as text.

    rows: which of the table's rows these are (n,), ascending.  folder: the class folder or person that the file is in,
    "" for none.  time: the column that tells it, as it lies.
    """

    table: Table
    rows: Ints
    values: Floats
    labels: npt.NDArray[np.str_]
    groups: npt.NDArray[np.str_] | None
    folder: str
    time: npt.NDArray[np.float64] | tuple[str, ...] | None

    @property
    def path(self) -> Path:
        """The file."""
        return self.table.path

    @property
    def lines(self) -> Ints:
        """The line of each row."""
        return self.table.lines[self.rows]

    def of(self, chosen: Mask) -> Sheet:
        """The same of some of the rows."""
        rows = np.flatnonzero(chosen)
        time = self.time
        if time is not None:
            time = tuple(time[row] for row in rows) if isinstance(time, tuple) else time[rows]
        groups = None if self.groups is None else self.groups[rows]
        return Sheet(self.table, self.rows[rows], self.values[rows], self.labels[rows], groups, self.folder, time)


@dataclass(frozen=True, eq=False)
class Sheets:
    """The files of both parts; `by_folder` says that the label is a place and no column."""

    train: list[Sheet]
    test: list[Sheet] | None
    roles: Roles
    by_folder: bool
    notes: tuple[str, ...]

    @property
    def channels(self) -> tuple[str, ...]:
        """The names of the columns that are read."""
        return tuple(name for name, _ in self.roles.values)


def read_sheets(path: Path, options: ReadOptions, needs: Callable[[Sequence[Table]], None]) -> Sheets:
    """The CSV files at `path`; DataError for what cannot be read, and for cells that hold no number.

    `needs` is called with the tables where the label is a place and no column, to refuse that.
    """
    train, test, notes = _files(path, options)
    tables = open_tables(train.files, options)
    tables_test = None if test is None else open_tables(test.files, options)
    roles = choose_roles(tables, options, train.labels if any(train.labels) else None)
    notes += tuple(note for table in (*tables, *(tables_test or ())) for note in table.notes)
    by_place = roles.label is None
    if by_place:
        asked = place_of_label(options, tables)
        if asked not in (None, FILE) and not any(train.labels):
            raise DataError(
                f"{path}: has no subfolder for each class, so label cannot be {asked!r}: give a column's name"
            )
        if not any(train.labels):
            train, test, note = _named(tables, train, test)
            notes += (note,)
        needs(tables)
    notes = (*roles.notes, *notes, *(train.notes if by_place else ()))
    sheets = _sheets(tables, train, roles, tables[0])
    if tables_test is not None and roles.label is not None and all(roles.label not in keys(one) for one in tables_test):
        notes += (
            f"{listed([one.path.name for one in tables_test])} holds no column {roles.label[0]!r}, so it is no test "
            f"part and was left out.",
        )
        tables_test = test = None
    tested = None if tables_test is None or test is None else _sheets(tables_test, test, roles, tables[0])
    _refuse_faults([*sheets, *(tested or ())], roles, options)
    if tested is None and roles.part is not None:
        sheets, tested, note = _parted(sheets, roles.part)
        notes += (note,)
    notes += _telling(sheets, roles) if by_place else ()
    return Sheets(sheets, tested, roles, by_place, notes)


def csv_meta(path: Path) -> Meta:
    """What meta.json says beside or in `path`, under the name of the file where it is one."""
    if os.path.isdir(path):
        return read_meta(path)
    beside = read_meta(path.parent)
    return Meta(path.stem, beside.class_names, beside.layout)


def marks_in(sheets: Sequence[Sheet]) -> Marks:
    """The marks of failed readings in each channel of all the rows."""
    values = np.concatenate([sheet.values for sheet in sheets])
    columns = (values[:, channel] for channel in range(values.shape[1]))
    return tuple(find_marks(column[np.isfinite(column)]) for column in columns)


def count_missing(sheets: Sequence[Sheet], marks: Marks, channels: Sequence[str]) -> str:
    """A phrase that counts every missing value: in all, by channel, and by file; "" when there is none."""
    missing = [is_missing(sheet.values, marks) for sheet in sheets]
    by_channel = sum((mask.sum(axis=0) for mask in missing), np.zeros(len(channels), dtype=np.int64))
    if not by_channel.any():
        return ""
    rows = sum(int(mask.any(axis=1).sum()) for mask in missing)
    counts = [f"{count:,} in {name!r}" for name, count in zip(channels, by_channel.tolist(), strict=True) if count]
    files = sum(bool(mask.any()) for mask in missing)
    where = f" of {files} files" if len(sheets) > 1 else ""
    return f"{by_channel.sum():,} values in {rows:,} rows{where} are missing: {listed(counts, 6)}{shown_marks(marks)}"


def _files(path: Path, options: ReadOptions) -> tuple[Placed, Placed | None, tuple[str, ...]]:
    """(training files, test files, notes) of a CSV file, a folder of them, folders a class, or two folders of those."""
    if not os.path.isdir(path):
        return _flat([path]), None, ()
    folder, folder_test, notes = parts(path)
    flat = files_in(folder, TABLES)
    if not flat:
        asked = options.label if options.label in PLACES else None
        train = placed(folder, TABLES, "CSV files", asked, False)
        if folder_test is not None:
            return train, placed(folder_test, TABLES, "CSV files", asked, False), notes
        train, test, more = train.split()
        return train, test, (*notes, *more)
    if folder_test is not None:
        return _flat(flat), _flat(files_in(folder_test, TABLES)), notes
    train_files, test_files, more = split_files(flat)
    beside = [one.name for one in class_folders(folder)] if folder == path else []
    if beside:
        more = (*more, f"Beside the CSV files these folders were left out: {listed(beside)}.")
    if len(train_files) > 1 and not test_files:
        more = (*more, f"{len(train_files)} files were joined: {listed([file.name for file in train_files])}.")
    return _flat(train_files), _flat(test_files) if test_files else None, (*notes, *more)


def _flat(files: list[Path]) -> Placed:
    return Placed(files, [""] * len(files), [""] * len(files))


def _named(tables: Sequence[Table], train: Placed, test: Placed | None) -> tuple[Placed, Placed | None, str]:
    """The files with the classes that their names say, and the sentence on it; DataError when they say none."""
    labels = names_as_labels(train.files, False)
    labels_test = None if test is None else names_as_labels(test.files, False)
    if labels is None or (test is not None and labels_test is None):
        columns = listed(tables[0].names)
        raise DataError(f"{tables[0].path}: which column is the label? give label (--label); the columns are {columns}")
    test = None if test is None or labels_test is None else replace(test, labels=labels_test, by=FILE)
    return replace(train, labels=labels, by=FILE), test, said_of_names(labels)


def _telling(sheets: Sequence[Sheet], roles: Roles) -> tuple[str, ...]:
    """A warning of each channel that has one value in all files of a class, and another in each."""
    notes = []
    for channel, (name, _) in enumerate(roles.values):
        values: dict[str, set[float]] = {}
        for sheet in sheets:
            if len(sheet.values):
                ends = {float(sheet.values[:, channel].min()), float(sheet.values[:, channel].max())}
                values.setdefault(str(sheet.labels[0]), set()).update(ends)
        if all(len(own) == 1 for own in values.values()) and len(set().union(*values.values())) == len(values) > 1:
            notes.append(
                f"{WARNING}Column {name!r} has one value in all of a class and another in each, so it tells the class "
                f"by itself: leave it out with --columns."
            )
    return tuple(notes)


def _parted(sheets: Sequence[Sheet], part: Key) -> tuple[list[Sheet], list[Sheet], str]:
    """The rows for training and for the test, as the column `part` says, and the sentence on it."""
    says = [np.array([part_of(text) for text in sheet.table.text(keys(sheet.table).index(part))]) for sheet in sheets]
    test = "test" if any((own == "test").any() for own in says) else "val"
    note = f"The training and the test part are as column {part[0]!r} says."
    if test == "test" and any((own == "val").any() for own in says):
        note = f"{note[:-1]}; what is for validation is training data, since a search validates on folds of its own."
    train = [sheet.of(own != test) for sheet, own in zip(sheets, says, strict=True)]
    tested = [sheet.of(own == test) for sheet, own in zip(sheets, says, strict=True)]
    return [sheet for sheet in train if len(sheet.rows)], [sheet for sheet in tested if len(sheet.rows)], note


def _sheets(tables: Sequence[Table], files: Placed, roles: Roles, first: Table) -> list[Sheet]:
    return [
        _sheet(table, label, folder, roles, first)
        for table, label, folder in zip(tables, files.labels, files.folders, strict=True)
    ]


def _sheet(table: Table, label: str, folder: str, roles: Roles, first: Table) -> Sheet:
    """The rows of a table by the roles of its columns, which must be there."""
    places = {key: number for number, key in enumerate(keys(table))}
    other = {roles.label, roles.group, roles.part}
    held = [key for key in places if key not in other and (key in roles.values or key not in keys(first))]
    if not set(roles.values) <= set(held) or (table is not first and roles.strict and held != list(roles.values)):
        wanted = [key[0] for key in roles.values]
        raise DataError(
            f"{table.path}: its columns are {listed([key[0] for key in held])}, those of {first.path.name} "
            f"{listed(wanted)}; wanted the same in each file"
        )
    for key in (roles.label, roles.group):
        if key is not None and key not in places:
            raise DataError(f"{table.path}: has no column {key[0]!r}; the columns are {listed(table.names)}")
    values = np.full((len(table), len(roles.values)), np.nan, np.float32)
    for channel, key in enumerate(roles.values):
        if places[key] in table.numeric:
            values[:, channel] = table.column(places[key])
    labels = [label] * len(table) if roles.label is None else table.text(places[roles.label])
    groups = None if roles.group is None else table.text(places[roles.group])
    time = None if roles.clock is None or roles.clock not in places else _time(table, places[roles.clock])
    texts = np.array(labels, dtype=np.str_), None if groups is None else np.array(groups, dtype=np.str_)
    return Sheet(table, np.arange(len(table)), values, *texts, folder, time)


def _time(table: Table, column: int) -> Any:
    if column in table.clocks:
        return table.clocks[column]
    return table.texts[column] if column not in table.numeric else table.column(column).astype(np.float64)


def _refuse_faults(sheets: Sequence[Sheet], roles: Roles, options: ReadOptions) -> None:
    """Raise DataError for a cell of text where a number must be, an empty label or group, and, unless --missing says
    what becomes of them, for cells that are missing.
    """
    for sheet in sheets:
        table, places = sheet.table, {key: number for number, key in enumerate(keys(sheet.table))}
        faults = [(fault, key) for key in roles.values if (fault := _first_fault(table, places[key])) is not None]
        if faults:
            fault, key = min(faults)
            raise DataError(_fault(table, key, fault, "say with columns (--columns) which ones to read"))
        holes = [(table.holes[places[key]], key) for key in roles.values if places[key] in table.holes]
        if holes and options.missing in (None, "error"):
            hole, key = min(holes)
            counted = count_missing(sheets, (), [name for name, _ in roles.values])
            hint = "say what becomes of such values with missing (--missing drop or interpolate), or with columns"
            raise DataError(_fault(table, key, hole, f"{hint} (--columns) which ones to read", counted))
        for one, what in ((roles.label, sheet.labels), (roles.group, sheet.groups)):
            if one is None or what is None:
                continue
            none = [text for text in np.unique(what).tolist() if is_no_label(text)]
            empty = np.flatnonzero(np.isin(what, none))
            if len(empty):
                more = f" and {len(empty) - 1:,} lines more" if len(empty) > 1 else ""
                held = f"holds {str(what[empty[0]])!r}, which stands for nothing" if what[empty[0]] else "is empty"
                where = f"{table.path}, line {sheet.lines[empty[0]]}{more}"
                raise DataError(f"{where}: column {one[0]!r} {held}; leave such rows out, or give them a name")


def _first_fault(table: Table, number: int) -> tuple[int, str] | None:
    """The line and the cell of the first text where numbers must be."""
    if number in table.numeric:
        return table.faults.get(number)
    return next(((int(line), cell) for line, cell in zip(table.lines, table.texts[number], strict=True)), None)


def _fault(table: Table, key: Key, fault: tuple[int, str], hint: str, counted: str = "") -> str:
    line, cell = fault
    held = repr(cell if len(cell) <= 40 else cell[:40] + "…") if cell else "nothing"
    return (
        f"{table.path}, line {line}: column {key[0]!r} holds {held}, wanted a finite number within float32's range"
        f"{f' ({counted})' if counted else ''}: mend it, or {hint}"
    )

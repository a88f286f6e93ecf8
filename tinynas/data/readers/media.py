"""The pictures or sounds of a data set with their classes: from a list beside them, from folders, or from names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinynas.data.readers.columns import column_of
from tinynas.data.readers.folders import TABLES, below, class_folders, files_in, parts
from tinynas.data.readers.listing import listed
from tinynas.data.readers.names import plain
from tinynas.data.readers.official import SPLIT_COLUMNS, listed_for_test, part_of
from tinynas.data.readers.places import PLACES, Placed, placed
from tinynas.data.readers.roles import choose_label, open_tables
from tinynas.data.readers.tables import Table
from tinynas.errors import DataError
from tinynas.options.reading import ReadOptions

_LOOKED_AT = 50  # rows of a table, until it is plain whether it lists files
_MOST = 0.9  # of its rows and of the files, before a table is their list


@dataclass(frozen=True)
class Labelled:
    """Files with the class of each, and who or what each belongs to where that is known."""

    files: list[Path]
    labels: list[str]
    groups: list[str] | None = None


@dataclass(frozen=True)
class Media:
    """The files of both parts, and what is to be said of them."""

    train: Labelled
    test: Labelled | None
    notes: tuple[str, ...] = ()


def find_media(path: Path, suffixes: frozenset[str], what: str, options: ReadOptions) -> Media:
    """The files with the suffixes at `path`: listed by a table beside them, in folders a class, or named by class.

    The two parts are folders called train and test, a column called split, a testing_list.txt, or names that say so.
    """
    table = None if options.label in PLACES else _list_of(path, suffixes)
    if table is not None:
        return _from_list(path, table, suffixes, options)
    for name in ("label", "group"):
        value = getattr(options, name)
        if value is not None and value not in (PLACES if name == "label" else ()):
            raise DataError(f"{path}: {name} is {value!r}, but no CSV file there lists the {what}")
    folder, folder_test, notes = parts(path)
    asked = options.label
    found = placed(folder, suffixes, what, asked, True)
    if folder_test is not None:
        test = placed(folder_test, suffixes, what, asked, True)
        return Media(_labelled(found), _labelled(test), (*found.notes, *notes))
    chosen = listed_for_test(path)
    tested = [file for file in found.files if os.path.relpath(file, path) in chosen]
    if tested:
        train = found.part([file for file in found.files if file not in set(tested)])
        said = f"The {len(tested):,} files that testing_list.txt names are the test part."
        return Media(_labelled(train), _labelled(found.part(tested)), (*found.notes, *notes, said))
    train, test_part, more = found.split()
    split = None if test_part is None else _labelled(test_part)
    return Media(_labelled(train), split, (*found.notes, *notes, *more))


def is_listed(path: Path, suffixes: frozenset[str]) -> bool:
    """Whether a table in the folder `path` lists files with the suffixes that lie there."""
    return _list_of(path, suffixes) is not None


def _labelled(found: Placed) -> Labelled:
    is_person = any(label != folder and folder for label, folder in zip(found.labels, found.folders, strict=True))
    return Labelled(found.files, found.labels, found.folders if is_person else None)


def _list_of(path: Path, suffixes: frozenset[str]) -> tuple[Table, int, dict[str, Path]] | None:
    """(table, its column of files, files by how they may be called) where a table lists nearly all of the files."""
    try:
        tables = [file for place in (path, *class_folders(path)) for file in files_in(place, TABLES)]
    except DataError:
        return None
    if not tables or len(tables) > 20:
        return None
    files = [file for file in below(path) if file.suffix.lower() in suffixes]
    called: dict[str, Path] = {}
    for file in reversed(files):
        relative = file.relative_to(path)
        for name in (str(relative), relative.as_posix(), file.name, file.stem, str(relative.with_suffix(""))):
            called[name] = file
    for file in tables if files else ():
        found = _lists(file, called, len(files))
        if found is not None:
            return (*found, called)
    return None


def _lists(file: Path, called: dict[str, Path], n: int) -> tuple[Table, int] | None:
    try:
        (table,) = open_tables([file], ReadOptions())
    except DataError:
        return None
    for number, cells in table.texts.items():
        hits = sum(_key(cell) in called for cell in cells[:_LOOKED_AT])
        if hits < _MOST * len(cells[:_LOOKED_AT]):
            continue
        known = {called[_key(cell)] for cell in cells if _key(cell) in called}
        if len(known) >= _MOST * n or (len(known) >= _MOST * len(cells) and len(known) > n // 2):
            return table, number
    return None


def _key(cell: str) -> str:
    return os.path.normpath(cell.strip().replace("\\", "/"))


def _from_list(
    path: Path, found: tuple[Table, int, dict[str, Path]], suffixes: frozenset[str], options: ReadOptions
) -> Media:
    table, of_files, called = found
    label, notes = choose_label(table, options, {of_files})
    if label is None:
        raise DataError(
            f"{table.path}: lists the files, but which column is the label? give label (--label); the columns are "
            f"{listed(table.names)}"
        )
    cells, labels = table.texts[of_files], table.text(label)
    groups = None if options.group is None else table.text(column_of(table, options.group, "group"))
    rows = [row for row, cell in enumerate(cells) if _key(cell) in called]
    lost = len(cells) - len(rows)
    files = [called[_key(cells[row])] for row in rows]
    unlisted = len(set(called.values()) - set(files))
    notes += [f"The classes are those that {table.path.name} lists (--label folder takes folders instead)."]
    notes += [f"{lost:,} rows of {table.path.name} name no file that is there."] * bool(lost)
    notes += [f"{unlisted:,} files that {table.path.name} does not list were left out."] * bool(unlisted)
    every = Labelled(files, [labels[row] for row in rows], None if groups is None else [groups[row] for row in rows])
    parts_ = _parts_of(table)
    if parts_ is None:
        return Media(every, None, (*notes, *table.notes))
    name, says = parts_
    test = "test" if "test" in says else "val"
    notes.append(f"The training and the test part are as column {name!r} says.")
    return Media(
        _some(every, [says[row] in ({"train", "val"} - {test}) for row in rows]),
        _some(every, [says[row] == test for row in rows]),
        (*notes, *table.notes),
    )


def _parts_of(table: Table) -> tuple[str, list[str | None]] | None:
    """The column that splits a table into parts, and the part of each row; None without one."""
    for number, name in enumerate(table.names):
        if plain(name) in SPLIT_COLUMNS and number in table.texts:
            says = [part_of(cell) for cell in table.texts[number]]
            if "train" in says and {"test", "val"} & set(says):
                return name, list(says)
    return None


def _some(every: Labelled, chosen: Sequence[bool]) -> Labelled:
    rows = [row for row, is_chosen in enumerate(chosen) if is_chosen]
    groups = None if every.groups is None else [every.groups[row] for row in rows]
    return Labelled([every.files[row] for row in rows], [every.labels[row] for row in rows], groups)

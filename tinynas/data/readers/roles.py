"""What the columns of CSV files are: label, group, clock, channels, or nothing that a model should see.

What an option names is that. The rest is told from names and contents, and every such guess is a note that says how to
overrule it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from tinynas.data.readers import names as by_name
from tinynas.data.readers.listing import listed
from tinynas.data.readers.places import PLACES
from tinynas.data.readers.rising import rises
from tinynas.data.readers.tables import Table, read_table
from tinynas.errors import DataError, UsageError
from tinynas.options.reading import ReadOptions

Key = tuple[str, int]  # a column's name, and how many of that name stand before it

_FEW = 20  # classes that a column may have, however few rows there are


@dataclass(frozen=True)
class Roles:
    """The columns by their keys: `values` are read, `clock` tells the time, whether it is read or not.

    `strict` says that every file must have these columns and no others, since they were not asked for by name.
    """

    label: Key | None
    group: Key | None
    values: tuple[Key, ...]
    clock: Key | None
    strict: bool = True
    notes: tuple[str, ...] = ()


def open_tables(files: Sequence[Path], options: ReadOptions) -> list[Table]:
    """The files as they lie, with the text of each column that may be the label."""
    known = {*by_name.LABELS, by_name.AXIS, *(name.lower() for name in _named(options))}
    return [read_table(file, partial(_kept, file, options), known) for file in files]


def place_of_label(options: ReadOptions, tables: Sequence[Table]) -> str | None:
    """The place of the label where --label names one and no column bears that name; else None."""
    if options.label in PLACES and all(options.label not in table.names for table in tables):
        return options.label
    return None


def keys(table: Table) -> list[Key]:
    """The key of each column of a table."""
    return [(name, table.names[:number].count(name)) for number, name in enumerate(table.names)]


def column_of(table: Table, wanted: str, option: str) -> int:
    """The number from 0 of the column called `wanted`, or of that number from 1 (-1 is the last)."""
    return _number_of(table.path, table.names, wanted, option)


def choose_roles(tables: Sequence[Table], options: ReadOptions, folders: Sequence[str] | None) -> Roles:
    """The roles of the columns of `tables`, which are the training part's.

    folders: the class that the place of each file says, where it says one; the label is a column all the same where
    one is called so. Without a label column the result has none.
    """
    facts = _Facts(tables, options)
    group = None if options.group is None else facts.key(options.group, "group")
    label, notes = facts.label(group, folders)
    if label is not None and label == group:
        raise UsageError(f"group is {options.group}, which is the label too; a group is who or what was recorded.")
    taken = {key for key in (label, group) if key is not None}
    if options.columns is not None:
        values = [key for name in options.columns if (key := facts.key(name, "columns")) not in taken]
        left: dict[Key, str] = {}
    else:
        left = facts.left_out(taken, label)
        values = [key for key in facts.keys if key not in taken and key not in left]
        if not values:  # better a doubtful channel than none
            values = [key for key, why in left.items() if why in (_RISES, _COPY)]
            notes += [f"Column {key[0]!r} {left[key]}, but there is no other to read." for key in values]
            left = {key: why for key, why in left.items() if key not in values}
    if not values:
        why = f" ({_sentences(left)[0].rstrip('.')})" if left else ""
        raise DataError(f"{tables[0].path}: has no column beside label and group; wanted at least one of numbers{why}")
    clock = facts.clock(taken)
    return Roles(label, group, tuple(values), clock, options.columns is None, (*notes, *_sentences(left)))


def choose_label(table: Table, options: ReadOptions, others: Collection[int]) -> tuple[int | None, list[str]]:
    """The column of the label in a table that lists files, but for the columns `others`, and what is to be said."""
    facts = _Facts([table], options)
    if options.label is not None:
        return column_of(table, options.label, "label"), []
    free = [key for number, key in enumerate(facts.keys) if number not in others and number in table.texts]
    free += [key for key in facts.keys if key not in free and facts.keys.index(key) not in others]
    label, notes = facts.guessed(free)
    return None if label is None else facts.keys.index(label), notes


_RISES = "only rises, as a time stamp or a counter does"
_NAMED = "is called a time or a row number"
_PERSON = "says who or what was recorded (--group makes it keep what belongs together on one side)"
_TEXT = "holds text"
_EMPTY = "holds no value"
_COPY = "says the same as the label"


def _sentences(left: dict[Key, str]) -> list[str]:
    """A sentence for each reason why columns are left out."""
    said = []
    for why in dict.fromkeys(left.values()):
        columns = [repr(key[0]) for key, other in left.items() if other == why]
        back = "" if why in (_TEXT, _EMPTY) else f": --columns {'brings it back' if len(columns) == 1 else 'brings'}"
        if len(columns) > 1:
            back = back and back + " them back"
            said.append(f"Columns {listed(columns)} are left out, since each {why}{back}.")
        else:
            said.append(f"Column {columns[0]} is left out, since it {why}{back}.")
    return said


class _Facts:
    """What the training tables have in common, and what can be told of a column from all of them."""

    def __init__(self, tables: Sequence[Table], options: ReadOptions) -> None:
        self.tables, self.options = tables, options
        self.keys = keys(tables[0])
        self.places = [{key: number for number, key in enumerate(keys(table))} for table in tables]

    def key(self, name: str, option: str) -> Key:
        return self.keys[column_of(self.tables[0], name, option)]

    def numbers(self, key: Key) -> Iterator[tuple[Table, int]]:
        """Yield (table, column number) for each table that has the column."""
        for table, places in zip(self.tables, self.places, strict=True):
            if key in places:
                yield table, places[key]

    def is_text(self, key: Key) -> bool:
        return any(number not in table.numeric for table, number in self.numbers(key))

    def values(self, key: Key) -> list[set[str]]:
        """The different values of a column in each table, as text."""
        return [set(table.text(number)) for table, number in self.numbers(key)]

    def is_class(self, key: Key) -> bool:
        """Whether a column's values may be classes: few of them, and text or whole numbers."""
        values = set[str]().union(*self.values(key))
        few = 2 <= len(values) <= max(_FEW, sum(map(len, self.tables)) // 2)
        return few and (self.is_text(key) or all(map(is_whole, values)))

    def label(self, group: Key | None, folders: Sequence[str] | None) -> tuple[Key | None, list[str]]:
        """The label and what is to be said of it."""
        if place_of_label(self.options, self.tables) is not None:
            return None, []
        if self.options.label is not None:
            return self.key(self.options.label, "label"), []
        chosen = [] if self.options.columns is None else [self.key(name, "columns") for name in self.options.columns]
        free = [key for key in self.keys if key != group and (key not in chosen or self.is_text(key))]
        if folders is not None:
            return self._label_in_folders(free, folders)
        return self.guessed(free)

    def guessed(self, free: Sequence[Key]) -> tuple[Key | None, list[str]]:
        """The likeliest label among some columns, and the sentence that says so."""
        found = list(dict.fromkeys(self._candidates(free)))
        if not found:
            return None, []
        label = next((key for key in found if self.is_class(key)), found[0])
        note = f"The label is column {label[0]!r} (no other was asked for"
        others = [key[0] for key in found if key != label and self.is_class(key)]
        more = f"; it could be {' or '.join(map(repr, others))} too: say which with --label" if others else ""
        return label, [f"{note}{more})."]

    def _candidates(self, free: Sequence[Key]) -> Iterator[Key]:
        """Yield the columns that may be the label, the likeliest first."""
        called = {key[0].lower(): key for key in reversed(free)}
        yield from (called[name] for name in by_name.LABELS if name in called)
        texts = self._texts(free)
        yield from (key for key in texts if not self._is_spoilt(key))
        plain = {by_name.plain(key[0]): key for key in reversed(free)}
        yield from (plain[name] for name in by_name.WEAK_LABELS if name in plain and self.is_class(plain[name]))
        names = [key[0] for key in self.keys]
        if by_name.AXIS in called and not by_name.is_axis(by_name.AXIS, names):
            yield called[by_name.AXIS]
        yield from texts
        if not any(table.has_header for table in self.tables):
            whole = [key for key in free if not self.is_text(key) and self._is_whole(key)]
            yield from (key for key in whole if len(whole) == 1 and self.is_class(key))

    def _texts(self, free: Sequence[Key]) -> list[Key]:
        """The one column of text that may be the label; of several, the one that is called so."""
        found = [key for key in free if self.is_text(key) and not self._is_clock_by_name(key)]
        if len(found) > 1:
            found = [key for key in found if not by_name.is_person(key[0]) and self.is_class(key)]
        if len(found) > 1:
            found = [key for key in found if by_name.plain(key[0]) in by_name.WEAK_LABELS]
        return found if len(found) == 1 else []

    def _is_whole(self, key: Key) -> bool:
        return all(
            (values := table.column(number)).size and (values == np.round(values)).all() and abs(values).max() < 1000
            for table, number in self.numbers(key)
        )

    def _label_in_folders(self, free: Sequence[Key], folders: Sequence[str]) -> tuple[Key | None, list[str]]:
        """The label where the folders say one: a column that is called so, or of text that changes within files."""
        called = [key for name in by_name.LABELS for key in free if key[0].lower() == name]
        texts = [key for key in self._texts(free) if any(len(values) > 1 for values in self.values(key))]
        found = [key for key in dict.fromkeys([*called, *texts]) if self.is_class(key)]
        shown = listed(sorted(set(folders)), 3)
        if not found:
            return None, []
        label = found[0]
        return label, [
            f"The label is column {label[0]!r}, and not the folder or name of the file ({shown}): "
            f"--label folder says otherwise."
        ]

    def left_out(self, taken: set[Key], label: Key | None) -> dict[Key, str]:
        """The columns that are not read unless they are asked for, with the reason for each."""
        left = {}
        for number, key in enumerate(self.keys):
            why = None if key in taken else self._why_left(number, key, label)
            if why is not None:
                left[key] = why
        return left

    def _why_left(self, number: int, key: Key, label: Key | None) -> str | None:
        if by_name.is_time(key[0]) or by_name.is_index(key[0], number):
            return _NAMED
        if self.is_text(key):
            return None if self._is_spoilt(key) else _PERSON if by_name.is_person(key[0]) else _TEXT
        if by_name.is_person(key[0]):
            return _PERSON
        if all(np.isnan(table.column(place)).all() for table, place in self.numbers(key)) and any(self.tables):
            return _EMPTY
        if self._rises(key, label):
            return _RISES
        return _COPY if label is not None and self._copies(key, label) else None

    def _is_spoilt(self, key: Key) -> bool:
        """Whether a column of text looks like numbers that are written oddly, which must not be passed over."""
        cells = [table.texts[number][:_FEW] for table, number in self.numbers(key) if number in table.texts]
        return any(re.match(r"[-+.,]?\d", cell) for some in cells for cell in some)

    def _is_clock_by_name(self, key: Key) -> bool:
        return by_name.is_time(key[0]) or by_name.is_index(key[0], self.keys.index(key))

    def _rises(self, key: Key, label: Key | None) -> bool:
        columns = list(self.numbers(key))
        if any(number not in table.clocks for table, number in columns if len(table) > 1):
            return False
        clocks = [table.clocks[number] for table, number in columns if number in table.clocks]
        runs = [
            np.array(table.texts[places[label]]) if label in places and places[label] in table.texts else None
            for table, places in zip(self.tables, self.places, strict=True)
            if key in places and places[key] in table.clocks
        ]
        return rises(clocks, runs, by_name.is_short_time(key[0]))

    def _copies(self, key: Key, label: Key) -> bool:
        """Whether each value of a column stands for one label and each label for one value."""
        stands: dict[float, str] = {}
        for table, places in zip(self.tables, self.places, strict=True):
            values = table.column(places[key]) if key in places else None
            texts = table.texts.get(places[label]) if label in places else None
            if values is None or texts is None:
                return False
            for value, text in zip(values.tolist(), texts, strict=True):
                if stands.setdefault(value, text) != text or value != value:
                    return False  # mostly within the first rows
        return 1 < len(stands) == len(set(stands.values())) <= sum(map(len, self.tables)) // _FEW

    def clock(self, taken: set[Key]) -> Key | None:
        """The column that tells the time: one that is called so, else one that rises and is no row number."""
        free = [key for key in self.keys if key not in taken]
        named = [key for key in free if by_name.is_time(key[0]) and by_name.plain(key[0]) != "date"]
        rising = [
            key
            for key in free
            if not self.is_text(key) and not by_name.is_index(key[0], self.keys.index(key)) and self._rises(key, None)
        ]
        exact = [key for key in named if by_name.unit_of(key[0]) is not None]
        short = [key for key in rising if by_name.is_short_time(key[0])]
        return next(iter([*exact, *named, *short, *rising]), None)


def is_whole(text: str) -> bool:
    """Whether a text is a whole number, however it is written: 3, 3.0, +3, 3e0."""
    try:
        value = float(text)
    except ValueError:
        return False
    return abs(value) < 2**53 and value == round(value)


def _named(options: ReadOptions) -> list[str]:
    return [name for name in (options.label, options.group, *(options.columns or ())) if name]


def _kept(path: Path, options: ReadOptions, names: Sequence[str]) -> set[int]:
    """The columns whose text is wanted: what is asked for as label or group, and what may be the label."""
    words = {*by_name.LABELS, *by_name.WEAK_LABELS, by_name.AXIS}
    kept = {number for number, name in enumerate(names) if name.lower() in words or by_name.plain(name) in words}
    for option, wanted in (("label", options.label), ("group", options.group)):
        if wanted is not None and not (option == "label" and wanted in PLACES and wanted not in names):
            kept.add(_number_of(path, names, wanted, option))
    return kept


def _number_of(path: Path, names: Sequence[str], wanted: str, option: str) -> int:
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

"""What can be told of the columns of CSV files from their names and contents: the likely label, and what is no channel.

Nothing is decided here for a person who said otherwise: what an option names is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy as np

from tinynas.data.readers import names as by_name
from tinynas.data.readers.listing import listed
from tinynas.data.readers.official import SPLIT_COLUMNS, part_of
from tinynas.data.readers.places import PLACES
from tinynas.data.readers.rising import rises
from tinynas.data.readers.tables import Table
from tinynas.errors import DataError
from tinynas.options.reading import ReadOptions

Key = tuple[str, int]  # a column's name, and how many of that name stand before it

_FEW = 20  # classes that a column may have, however few rows there are

# Why a column is no channel.
RISES = "only rises, as a time stamp or a counter does"
NAMED = "is called a time or a row number"
PERSON = (
    "says who or what was recorded (--group keeps what belongs together on one side of the split, and no window then "
    "crosses from one to another)"
)
TEXT = "holds text"
EMPTY = "holds no value"
COPY = "tells the label"


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
    return number_of(table.path, table.names, wanted, option)


def number_of(path: Path, names: Sequence[str], wanted: str, option: str) -> int:
    """As column_of, from the names alone; DataError when there is no such column, or there are several."""
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


def is_whole(text: str) -> bool:
    """Whether a text is a whole number, however it is written: 3, 3.0, +3, 3e0."""
    try:
        value = float(text)
    except ValueError:
        return False
    return abs(value) < 2**53 and value == round(value)


class Columns:
    """What the training tables have in common, and what can be told of a column from all of them."""

    def __init__(self, tables: Sequence[Table], options: ReadOptions) -> None:
        self.tables, self.options = tables, options
        self.keys = keys(tables[0])
        self.places = [{key: number for number, key in enumerate(keys(table))} for table in tables]

    def key(self, name: str, option: str) -> Key:
        """The key of the column that an option names."""
        return self.keys[column_of(self.tables[0], name, option)]

    def numbers(self, key: Key) -> Iterator[tuple[Table, int]]:
        """Yield (table, column number) for each table that has the column."""
        for table, places in zip(self.tables, self.places, strict=True):
            if key in places:
                yield table, places[key]

    def is_text(self, key: Key) -> bool:
        """Whether a column holds text in any of the tables."""
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
        part = self.part({group})
        free = [key for key in free if key != part]
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
            f"--label folder overrides this."
        ]

    def part(self, taken: Collection[Key | None]) -> Key | None:
        """The column of text that says of each row whether it is for training or for the test."""
        for key in self.keys:
            if key not in taken and by_name.plain(key[0]) in SPLIT_COLUMNS and self.is_text(key):
                says = {part_of(text) for text in set[str]().union(*self.values(key))}
                if None not in says and "train" in says and {"test", "val"} & says:
                    return key
        return None

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
            return NAMED
        if self.is_text(key):
            return None if self._is_spoilt(key) else PERSON if by_name.is_person(key[0]) else TEXT
        if by_name.is_person(key[0]):
            return PERSON
        if all(np.isnan(table.column(place)).all() for table, place in self.numbers(key)) and any(self.tables):
            return EMPTY
        if self._rises(key, label):
            return RISES
        return COPY if label is not None and self._copies(key, label) else None

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
        """Whether each value of a column stands for one label; for one value each, unless it is called so too."""
        stands: dict[float, str] = {}
        for table, places in zip(self.tables, self.places, strict=True):
            values = table.column(places[key]) if key in places else None
            texts = table.texts.get(places[label]) if label in places else None
            if values is None or texts is None:
                return False
            for value, text in zip(values.tolist(), texts, strict=True):
                if stands.setdefault(value, text) != text or value != value:
                    return False  # mostly within the first rows
        is_called_so = by_name.plain(key[0]) in (*by_name.LABELS, *by_name.WEAK_LABELS)
        few = 1 < len(stands) <= sum(map(len, self.tables)) // _FEW
        return few and (is_called_so or len(stands) == len(set(stands.values())))

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

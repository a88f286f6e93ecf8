"""What the columns of CSV files are: label, group, clock, channels, or nothing that a model should see.

What an option names is that. The rest is told from names and contents, and every such guess is a note that says how to
overrule it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tinynas.data.readers import names as by_name
from tinynas.data.readers.columns import COPY, EMPTY, RISES, TEXT, Columns, Key, column_of, number_of
from tinynas.data.readers.listing import listed
from tinynas.data.readers.places import PLACES
from tinynas.data.readers.tables import Table, read_table
from tinynas.errors import DataError, UsageError
from tinynas.options.reading import ReadOptions


@dataclass(frozen=True)
class Roles:
    """The columns by their keys: `values` are read, `clock` tells the time, whether it is read or not, and `part` says
    train or test.

    `clock_note` is the one of the `notes` that says why the clock is no channel, "" where none is about it alone.
    `strict` says that every file must have these columns and no others, since they were not asked for by name.
    """

    label: Key | None
    group: Key | None
    part: Key | None
    values: tuple[Key, ...]
    clock: Key | None
    strict: bool = True
    notes: tuple[str, ...] = ()
    clock_note: str = ""


def open_tables(files: Sequence[Path], options: ReadOptions) -> list[Table]:
    """The files as they lie, with the text of each column that may be the label."""
    known = {*by_name.LABELS, by_name.AXIS, *(name.lower() for name in _named(options))}
    return [read_table(file, partial(_kept, file, options), known) for file in files]


def choose_roles(tables: Sequence[Table], options: ReadOptions, folders: Sequence[str] | None) -> Roles:
    """The roles of the columns of `tables`, which are the training part's.

    folders: the class that the place of each file says, where it says one; the label is a column all the same where
    one is called so. Without a label column the result has none.
    """
    facts = Columns(tables, options)
    group = None if options.group is None else facts.key(options.group, "group")
    label, notes = facts.label(group, folders)
    if label is not None and label == group:
        raise UsageError(f"group is {options.group}, which is the label too; a group is who or what was recorded.")
    part = facts.part({label, group})
    taken = {key for key in (label, group, part) if key is not None}
    if options.columns is not None:
        values = [key for name in options.columns if (key := facts.key(name, "columns")) not in taken]
        left: dict[Key, str] = {}
    else:
        left = facts.left_out(taken, label)
        values = [key for key in facts.keys if key not in taken and key not in left]
        if not values:  # better a doubtful channel than none
            values = [key for key, why in left.items() if why in (RISES, COPY)]
            notes += [f"Column {key[0]!r} {left[key]}, but there is no other to read." for key in values]
            left = {key: why for key, why in left.items() if key not in values}
    if not values:
        why = f" ({_sentences(left)[0].rstrip('.')})" if left else ""
        raise DataError(f"{tables[0].path}: has no column beside label and group; wanted at least one of numbers{why}")
    clock = facts.clock(taken)
    is_alone = clock is not None and clock in left and list(left.values()).count(left[clock]) == 1
    clock_note = _sentences({clock: left[clock]})[0] if clock is not None and is_alone else ""
    strict = options.columns is None
    return Roles(label, group, part, tuple(values), clock, strict, (*notes, *_sentences(left)), clock_note)


def choose_label(table: Table, options: ReadOptions, others: Collection[int]) -> tuple[int | None, list[str]]:
    """The column of the label in a table that lists files, but for the columns `others`, and what is to be said."""
    facts = Columns([table], options)
    if options.label is not None:
        return column_of(table, options.label, "label"), []
    taken = {facts.keys[number] for number in others}
    taken.add(facts.part(taken))  # type: ignore[arg-type]
    label, notes = facts.guessed([key for key in facts.keys if key not in taken])
    return None if label is None else facts.keys.index(label), notes


def _sentences(left: dict[Key, str]) -> list[str]:
    """A sentence for each reason why columns are left out."""
    said = []
    for why in dict.fromkeys(left.values()):
        columns = [repr(key[0]) for key, other in left.items() if other == why]
        back = "" if why in (TEXT, EMPTY) else f": --columns {'brings it back' if len(columns) == 1 else 'brings'}"
        if len(columns) > 1:
            back = back and back + " them back"
            said.append(f"Columns {listed(columns)} are left out, since each {why}{back}.")
        else:
            said.append(f"Column {columns[0]} is left out, since it {why}{back}.")
    return said


def _named(options: ReadOptions) -> list[str]:
    return [name for name in (options.label, options.group, *(options.columns or ())) if name]


def _kept(path: Path, options: ReadOptions, names: Sequence[str]) -> set[int]:
    """The columns whose text is wanted: what is asked for as label or group, and what may be the label."""
    words = {*by_name.LABELS, *by_name.WEAK_LABELS, by_name.AXIS}
    kept = {number for number, name in enumerate(names) if name.lower() in words or by_name.plain(name) in words}
    for option, wanted in (("label", options.label), ("group", options.group)):
        if wanted is not None and not (option == "label" and wanted in PLACES and wanted not in names):
            kept.add(number_of(path, names, wanted, option))
    return kept

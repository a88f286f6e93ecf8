"""A CSV file as it lies: its columns of numbers and of text, with nothing decided on what they mean."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.data.idx import require_file
from tinynas.data.readers.dialect import Dialect, cells_of, find_dialect, is_absent, is_remark
from tinynas.errors import DataError

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Rows = list[tuple[int, list[str]]]

_ROWS = 4096  # read and turned into numbers at a time
_FLOAT32_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class Table:
    """Columns by number from 0: `numbers` (n, k) of the columns `numeric`, `texts` of the others and of those kept.

    A cell without a finite number is NaN in `numbers`; `holes` has (line, cell) of a column's first one that is
    missing, `faults` of its first one that is text. `clocks` are in double precision: columns that mostly rise.
    `lines` (n,) is the line of each row.
    """

    path: Path
    names: tuple[str, ...]
    lines: Ints
    numeric: tuple[int, ...]
    numbers: Floats
    clocks: dict[int, Doubles]
    texts: dict[int, tuple[str, ...]]
    holes: dict[int, tuple[int, str]]
    faults: dict[int, tuple[int, str]]
    has_header: bool
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.lines)

    def column(self, number: int) -> Floats:
        """The numbers (n,) of a numeric column."""
        return self.numbers[:, self.numeric.index(number)]

    def text(self, number: int) -> Sequence[str]:
        """The cells (n,) of a column as text; of numbers whose text was not kept, whole ones without a point."""
        if number in self.texts:
            return self.texts[number]
        return [str(int(value)) if value == np.round(value) else str(value) for value in self.column(number).tolist()]


@dataclass
class _Reading:
    """What is gathered of a table, a part of its rows at a time; the first part decides which columns are text."""

    dialect: Dialect
    keep: Collection[int]
    texts: dict[int, list[str]] = field(default_factory=dict)
    numeric: tuple[int, ...] = ()
    parts: list[Floats] = field(default_factory=list)
    clocks: dict[int, list[Doubles]] = field(default_factory=dict)
    lines: list[int] = field(default_factory=list)
    holes: dict[int, tuple[int, str]] = field(default_factory=dict)
    faults: dict[int, tuple[int, str]] = field(default_factory=dict)

    def take(self, rows: Rows, width: int) -> None:
        """Add rows of `width` cells."""
        first = not self.parts
        likely = self.numeric if not first else self._likely(rows, width)
        values = self._matrix(rows, likely)
        if first:
            sure = likely if values is not None else ()
            self.numeric = tuple(i for i in range(width) if i in sure or not self._is_text(_column(rows, i)))
            self.texts = {i: [] for i in range(width) if i in self.keep or i not in self.numeric}
        if values is None or likely != self.numeric:
            columns = [self._numbers(number, _column(rows, number), rows) for number in self.numeric]
            values = np.stack(columns, axis=1) if columns else np.empty((len(rows), 0))
        self._note_holes(values, rows)
        if first:
            rising = [number for place, number in enumerate(self.numeric) if _mostly_rises(values[:, place])]
            self.clocks = {number: [] for number in rising}
        for number, parts in self.clocks.items():
            parts.append(values[:, self.numeric.index(number)].copy())
        for number, texts in self.texts.items():
            texts += _column(rows, number)
        self.lines += [line for line, _ in rows]
        self.parts.append(values.astype(np.float32))

    def _likely(self, rows: Rows, width: int) -> tuple[int, ...]:
        """The columns whose first cell is a number."""
        return tuple(i for i in range(width) if rows and self.dialect.number(rows[0][1][i]) is not None)

    def _matrix(self, rows: Rows, columns: Sequence[int]) -> Doubles | None:
        """The cells (n, columns) as float64 where each is a number; None otherwise. Much faster than cell by cell."""
        if self.dialect.decimal == ",":
            return None
        try:
            return np.array([[row[i] for i in columns] for _, row in rows], dtype=object).astype(np.float64)
        except (ValueError, OverflowError):
            return None

    def _note_holes(self, values: Doubles, rows: Rows) -> None:
        """Make NaN of what is no finite number within float32's range, and keep a column's first such cell."""
        wrong = ~(np.abs(values) <= _FLOAT32_MAX)
        if not wrong.any():
            return
        values[wrong] = np.nan
        for place in np.flatnonzero(wrong.any(axis=0)).tolist():
            line, row = rows[int(wrong[:, place].argmax())]
            number = self.numeric[place]
            self.holes.setdefault(number, (line, row[number].strip()))

    def _as_numbers(self, cells: Sequence[str]) -> Doubles | None:
        """The cells as float64 where each is a number; None otherwise."""
        try:
            if self.dialect.decimal == ",":
                cells = [cell.replace(",", ".") for cell in cells]
            return np.array(cells, dtype=object).astype(np.float64)
        except (ValueError, OverflowError):
            return None

    def _is_text(self, cells: Sequence[str]) -> bool:
        if self._as_numbers(cells) is not None:
            return False
        filled = [cell for cell in cells if not is_absent(cell)]
        return 2 * sum(self.dialect.number(cell) is None for cell in filled) > len(filled)

    def _numbers(self, number: int, cells: Sequence[str], rows: Rows) -> Doubles:
        """The cells of a column as float64, NaN for what is missing or text, of which the first is kept."""
        values = self._as_numbers(cells)
        if values is None:
            found = [float("nan") if is_absent(cell) else self.dialect.number(cell) for cell in cells]
            for (line, row), value in zip(rows, found, strict=True):
                if value is None:
                    self.faults.setdefault(number, (line, row[number].strip()))
                    break
            values = np.array(found, dtype=np.float64)
        return values


def _column(rows: Rows, number: int) -> list[str]:
    return [row[number].strip() for _, row in rows]


def read_table(path: Path, keep: Callable[[tuple[str, ...]], Collection[int]], known: Collection[str]) -> Table:
    """The table in the file at `path`; DataError when it is none.

    keep: the columns whose text is wanted, numeric or not, told from the names of all.  known: names, in lower case,
    that only a header has.
    """
    require_file(path)
    try:
        dialect = find_dialect(path)
        rows = _rows(path, dialect)
        first, second = next(rows, None), next(rows, None)
        if first is None:
            raise DataError(f"{path}: is empty, wanted rows of numbers")
        names, has_header = _names(first[1], second[1] if second else [], dialect, known)
        if has_header and dialect.header is None and second is None:
            raise DataError(f"{path}: has a header and no rows")
        reading = _Reading(dialect, keep(names))
        head = [first, second] if dialect.header is not None or not has_header else [second]
        _read_all(path, (row for row in (*head, *rows) if row is not None), names, reading)
    except (OSError, UnicodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as CSV ({' '.join(str(error).split())[:200]})") from error
    return Table(
        path,
        names,
        np.array(reading.lines, dtype=np.int64),
        reading.numeric,
        np.concatenate(reading.parts),
        {number: np.concatenate(parts) for number, parts in reading.clocks.items()},
        {number: tuple(texts) for number, texts in reading.texts.items()},
        reading.holes,
        reading.faults,
        has_header,
        dialect.notes,
    )


def _read_all(path: Path, rows: Iterator[tuple[int, list[str]]], names: Sequence[str], reading: _Reading) -> None:
    waiting: Rows = []
    for line, row in rows:
        if len(row) == len(names) + 1 and not row[-1].strip():
            row.pop()  # the line ends with a delimiter
        if len(row) != len(names):
            raise DataError(f"{path}, line {line}: has {len(row)} cells, wanted {len(names)}")
        waiting.append((line, row))
        if len(waiting) == _ROWS:
            reading.take(waiting, len(names))
            waiting = []
    if waiting or not reading.parts:
        reading.take(waiting, len(names))


def _rows(path: Path, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, cells) below the head of the file; lines that are empty or comments are passed over."""
    at, width = 0, None if dialect.header is None else len(dialect.header)

    def lines(file: Any) -> Iterator[str]:
        nonlocal at
        for at, line in enumerate(file, 1):
            if at > dialect.skipped and not is_remark(line, dialect.delimiter, width):
                yield line

    with path.open(encoding=dialect.encoding, newline="") as file:
        for row in cells_of(lines(file), dialect.delimiter):
            if any(cell.strip() for cell in row):
                width = width or len(row)
                yield at, row


def _names(
    first: Sequence[str], second: Sequence[str], dialect: Dialect, known: Collection[str]
) -> tuple[tuple[str, ...], bool]:
    """The names of the columns, and whether the file gives them."""
    if dialect.header is not None:
        return dialect.header, True
    first, second = ([cell.strip() for cell in row] for row in (first, second))
    if not _is_header(first, second, dialect, known):
        return tuple(str(i + 1) for i in range(len(first))), False
    if len(first) > 1 and not first[-1] and not any(second[len(first) - 1 :]):
        first = first[:-1]  # the lines end with a delimiter
    return tuple(name or f"unnamed {number}" for number, name in enumerate(first, 1)), True


def _is_header(first: Sequence[str], second: Sequence[str], dialect: Dialect, known: Collection[str]) -> bool:
    """Whether the first row names the columns.

    It does when it has text over a column of numbers, when all of it is text, or when it has one of the known names.
    """
    texts = [cell.lower() for cell in first if dialect.number(cell) is None]
    if len(texts) == len(first) or set(texts) & set(known):
        return True
    over = zip(first, second, strict=False)
    return any(
        dialect.number(one) is None and not is_absent(one) and dialect.number(two) is not None for one, two in over
    )


def _mostly_rises(values: Doubles) -> bool:
    """Whether a column may be a clock or a counter: it hardly ever falls."""
    steps = np.diff(values[~np.isnan(values)])
    rises, falls = int((steps > 0).sum()), int((steps < 0).sum())
    return rises > 0 and (falls == 0 or (rises > 0.3 * len(steps) and falls < 0.1 * len(steps)))

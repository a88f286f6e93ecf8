"""How a text file holds its table: encoding, delimiter, decimal mark, and the lines at its head that are no rows."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinynas.errors import DataError

_SAMPLE_LINES = 200  # from which a file is understood
_BLOCK = 1 << 20
_COMMENTS = ("#", "%", "//")
# Of delimiters that split the sample equally well, the first.
_DELIMITERS = (";", "\t", "|", ",", " ")
_NONE = "\0"  # a single column
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ERRORS = r"#(?:n/a|null!|div/0!|value!|ref!|name\?|num!)"  # what spreadsheets write where a formula failed
_ABSENT = re.compile(rf"|{_ERRORS}|-?nan|#?n/?a|<na>|null|none|nil|--?|\?|\.|missing|-?1\.#(?:qnan|ind)|-nan\(ind\)")
_PROSE = re.compile(r"\s*(?:#+|%+|//+)\s")
_NO_LABEL = re.compile(rf"(?i:|nan|<na>|n/a|{_ERRORS})|NA")  # none and null may be classes
_COMMA_NUMBER = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class Dialect:
    """`skipped` lines at the head are no part of the table; `header` names the columns where a comment does so.

    A delimiter of " " is any run of blanks.
    """

    encoding: str = "utf-8-sig"
    delimiter: str = ","
    decimal: str = "."
    skipped: int = 0
    header: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()

    def number(self, cell: str) -> float | None:
        """The number that a cell holds, as Python reads it with this decimal mark; None for text."""
        try:
            return float(cell.replace(",", ".") if self.decimal == "," else cell)
        except ValueError:
            return None


def is_absent(cell: str) -> bool:
    """Whether a cell stands for a value that is missing: nothing, NaN, NA, null, ..."""
    return _ABSENT.fullmatch(cell.strip().lower()) is not None


def is_no_label(text: str) -> bool:
    """Whether a label stands for one that is missing: nothing, nan, NA, #N/A."""
    return _NO_LABEL.fullmatch(text.strip()) is not None


def find_dialect(path: Path) -> Dialect:
    """The dialect of the file at `path`, from its first lines; its notes say what was assumed or passed over."""
    encoding, notes = _encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        lines = [line.rstrip("\r\n") for _, line in zip(range(_SAMPLE_LINES), file, strict=False)]
    skipped, delimiter, comment = _head(lines)
    body = [line for line in lines[skipped:] if line.strip() and not is_comment(line)]
    if delimiter is None:
        delimiter = _delimiter(body)
    titles = _titles(body, delimiter)
    if titles:
        skipped = lines.index(body[titles], skipped)
        body = body[titles:]
    header = _commented_header(comment, body, delimiter)
    passed = [line for line in lines[:skipped] if line.strip() and not line.lower().startswith("sep=")]
    if passed and header is None:
        notes += (f"{path.name}: skipped {_shown(passed)} before the table.",)
    decimal = "," if delimiter != "," and _has_decimal_comma(body, delimiter) else "."
    if decimal == ",":
        notes += (f"{path.name}: its numbers are read with decimal commas.",)
    return Dialect(encoding, delimiter, decimal, skipped, header, notes)


def is_comment(line: str) -> bool:
    """Whether a line above the first row is no row but a remark."""
    return line.lstrip().startswith(_COMMENTS)


def is_remark(line: str, delimiter: str, width: int | None) -> bool:
    """Whether a line is no row: it begins as a comment, and has a blank next or is none of the rows of `width` cells.

    A row may begin so too: with a class called #D, or with a spreadsheet's #N/A.
    """
    if not is_comment(line):
        return False
    cells = next(cells_of(iter([line]), delimiter), [])
    if width is None or delimiter == _NONE or len(cells) not in (width, width + 1) or _PROSE.match(line):
        return True
    first = cells[0].strip()
    return not is_absent(first) and _is_number(first.lstrip("#%/ "))


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def cells_of(lines: Iterator[str], delimiter: str) -> Iterator[list[str]]:
    """Yield the cells of each line, as Python's csv splits them; runs of blanks are one where the delimiter is one."""
    if delimiter == _NONE:
        return ([line] for line in lines)
    if delimiter == " ":
        lines = (" ".join(line.split()) for line in lines)
    return csv.reader(lines, delimiter=delimiter)


def _encoding(path: Path) -> tuple[str, tuple[str, ...]]:
    """The encoding of a file and what is to be said of it; DataError when it is no text that is known."""
    with path.open("rb") as file:
        start = file.read(4096)
        known = next((name for mark, name in _BOMS if start.startswith(mark)), None)
        if known is not None:
            return known, ()
        for place, name in ((1, "utf-16-le"), (0, "utf-16-be")):
            if len(start) >= 8 and start[place::2].count(0) > 0.4 * len(start) and 0 not in start[1 - place :: 2]:
                return name, ()
        decoder, block = codecs.getincrementaldecoder("utf-8")(), start
        try:
            while block:
                decoder.decode(block)
                block = file.read(_BLOCK)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return _windows(path)
    return "utf-8-sig", ()


def _windows(path: Path) -> tuple[str, tuple[str, ...]]:
    try:
        with path.open(encoding="cp1252", newline="") as file:
            while file.read(_BLOCK):
                pass
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: cannot be read as CSV: it is neither UTF-8, UTF-16 nor Windows-1252; save it as UTF-8"
        ) from error
    return "cp1252", (f"{path.name}: is not UTF-8 and was read as Windows-1252.",)


def _head(lines: Sequence[str]) -> tuple[int, str | None, str | None]:
    """(lines that come before the table, the delimiter if a line `sep=;` names it, the last comment before it)."""
    delimiter, comment = None, None
    for number, line in enumerate(lines):
        named = re.fullmatch(r'\s*"?sep=(.)"?\s*', line, re.IGNORECASE)
        if named:
            delimiter = named[1]
        elif is_comment(line):
            comment = line
        elif line.strip():
            return number, delimiter, comment
    return len(lines), delimiter, comment


def _delimiter(body: Sequence[str]) -> str:
    """The delimiter that splits the lines into equally many cells, most of them numbers, as far as any does."""
    if len(body) > 1 and "," not in body[0] and all(_COMMA_NUMBER.fullmatch(line.strip()) for line in body[1:]):
        return ";"  # a single column with decimal commas
    best, best_rank = ",", (0.0, 0.0, False)
    for delimiter in (*_DELIMITERS, _NONE):
        rows = _split(body, delimiter)
        if not rows:
            continue
        width, lines = max(Counter(map(len, rows)).items(), key=lambda item: (item[1], item[0]))
        rows = rows[next(i for i, row in enumerate(rows) if len(row) == width) :]  # without titles
        later = [cell for row in rows[1:] or rows for cell in row]
        numeric = sum(_is_numeric(cell, delimiter) for cell in later) / len(later)
        if (width < 2) != (delimiter == _NONE) or (width < 2 and numeric < 0.9):
            continue
        rank = lines / len(rows), round(numeric, 1), width > 1
        if rank > best_rank:
            best, best_rank = delimiter, rank
    if best != _NONE:
        return best
    return ";" if any(map(_COMMA_NUMBER.search, body)) else ","


def _split(body: Sequence[str], delimiter: str) -> list[list[str]]:
    try:
        return [row for row in cells_of(iter(body), delimiter) if row]
    except csv.Error:
        return []


def _is_numeric(cell: str, delimiter: str) -> bool:
    cell = cell.strip()
    if delimiter != "," and _COMMA_NUMBER.fullmatch(cell):
        return True
    return is_absent(cell) or Dialect().number(cell) is not None


def _titles(body: Sequence[str], delimiter: str) -> int:
    """How many lines of one cell stand above a table of several columns."""
    widths = [len(row) for row in _split(body, delimiter)]
    if len(widths) != len(body) or not widths or Counter(widths).most_common(1)[0][0] < 2:
        return 0
    return next(number for number, width in enumerate(widths) if width > 1)


def _commented_header(comment: str | None, body: Sequence[str], delimiter: str) -> tuple[str, ...] | None:
    """The names in the last comment above the table, if they are as many as its columns and it has no others."""
    if comment is None or not body:
        return None
    stripped = comment.lstrip().lstrip("".join(_COMMENTS))
    rows = _split([stripped, body[0]], delimiter)
    if len(rows) != 2 or len(rows[0]) != len(rows[1]) or len(rows[0]) < 2:
        return None
    names, first = ([cell.strip() for cell in row] for row in rows)
    has_numbers = any(_is_numeric(cell, delimiter) for cell in first)
    return tuple(names) if has_numbers and not any(_is_numeric(cell, delimiter) for cell in names) else None


def _has_decimal_comma(body: Sequence[str], delimiter: str) -> bool:
    cells = [cell.strip() for row in _split(body, delimiter) for cell in row]
    return any(map(_COMMA_NUMBER.fullmatch, cells)) and not any(re.fullmatch(r"[+-]?\d*\.\d+", cell) for cell in cells)


def _shown(lines: Sequence[str]) -> str:
    first = lines[0].strip()
    first = first if len(first) <= 40 else first[:40] + "…"
    return f"the line {first!r}" if len(lines) == 1 else f"{len(lines)} lines (the first is {first!r})"

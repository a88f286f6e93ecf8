"""The options of the readers: what a person says of files that do not say it themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, Literal, get_args

from tinynas.errors import UsageError
from tinynas.options.option import DATA, Option, one_of
from tinynas.words import known

COLOURS = ("grey", "rgb")
Layout = Literal["image", "series"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)
_MOST_SIDE = 1024
_MOST_WHOLE = 1 << 31


def _whole(name: str, value: Any, least: int = 1, most: int = _MOST_WHOLE) -> int:
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,12}\s*", value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise UsageError(f"{name} is {value!r}; wanted a whole number from {least:,} to {most:,}.")
    return value


def _column(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise UsageError(f"{name} is {value!r}; wanted a column's name, or its number from 1 (-1 is the last).")
    return str(value).strip()


def _columns(name: str, value: Any) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not parts:
        raise UsageError(f"{name} is {value!r}; wanted columns by name or number, such as ax,ay,az.")
    found = tuple(_column(name, part) for part in parts)
    if len(set(found)) != len(found):
        raise UsageError(f"{name} names {next(c for c in found if found.count(c) > 1)!r} twice; once is enough.")
    return found


def _image_size(name: str, value: Any) -> tuple[int, int]:
    parts = re.split(r"[x,]", value.strip().lower()) if isinstance(value, str) else value
    if isinstance(parts, int) or (isinstance(parts, list | tuple) and len(parts) == 1):
        side = parts if isinstance(parts, int) else parts[0]
        parts = (side, side)
    if not isinstance(parts, list | tuple) or len(parts) != 2:
        raise UsageError(f"{name} is {value!r}; wanted pixels, as 32, or height and width, as 24x32.")
    height, width = (_whole(name, part, 1, _MOST_SIDE) for part in parts)
    return height, width


def _colour(name: str, value: Any) -> str:
    if value not in COLOURS:
        raise UsageError(f"{name} is {value!r}; choose {' or '.join(COLOURS)}.")
    return str(value)


def _between(least: int, most: int) -> Callable[[str, Any], int]:
    """Return a reader of whole numbers in a range."""
    return lambda name, value: _whole(name, value, least, most)


def _row(read: Callable[[str, Any], Any], metavar: str, help: str, default: str = "") -> Any:
    """Return the field of an option that `read` reads from what a person wrote; `default` is said in words."""
    return field(default=None, metadata={"read": read, "metavar": metavar, "help": help, "default": default})


@dataclass(frozen=True)
class ReadOptions:
    """What a reader is told; None means not given. A row here is an option of every command that reads data.

    Every error begins with the option's name, which the command line turns into its own. `image_size` is (height,
    width); what the others are stands beside them.
    """

    label: str | None = _row(
        _column,
        "COLUMN",
        "CSV: the column of the label, by name or number.",
        "the one called label, class, target, y or activity, or the only one of text",
    )
    group: str | None = _row(_column, "COLUMN", "CSV: the column that says what belongs together, such as a person.")
    columns: tuple[str, ...] | None = _row(
        _columns, "COLUMNS", "CSV: the columns to read, such as ax,ay,az.", "all others"
    )
    window: int | None = _row(_whole, "STEPS", "CSV of signals, WAV: steps in a window. Makes a CSV one of signals.")
    stride: int | None = _row(
        _whole, "STEPS", "CSV of signals, WAV: steps from one window to the next.", "as many as a window has"
    )
    image_size: tuple[int, int] | None = _row(
        _image_size, "PIXELS", "Pictures: bring all to one size, such as 32, or height x width as 24x32."
    )
    colour: str | None = _row(_colour, "COLOUR", f"Pictures: {one_of(COLOURS)}.", "grey where all are grey")
    sample_rate: int | None = _row(_between(100, 400_000), "HZ", "WAV: bring all to so many samples a second.")
    mels: int | None = _row(_between(1, 512), "BANDS", "WAV: bands of the log-mel spectrogram.", "40")

    @classmethod
    def create(cls, values: Mapping[str, Any]) -> ReadOptions:
        """The options, from values as people write them; UsageError for one that is unknown or makes no sense."""
        readers = {row.name: row.metadata["read"] for row in fields(cls)}
        for name in values:
            if name not in readers:
                raise UsageError(f"{name} is no option of a data set ({known(name, readers)}).")
        given = {name: readers[name](name, value) for name, value in values.items() if value is not None}
        options = cls(**given)
        if options.stride is not None and options.window is None:
            raise UsageError("stride needs a window: it is the step from one window to the next.")
        return options

    def given(self) -> tuple[str, ...]:
        """The names of the options that have a value."""
        return tuple(row.name for row in fields(self) if getattr(self, row.name) is not None)


def _option(row: Field[Any]) -> Option:
    about = row.metadata
    return Option(row.name, about["help"], "text", None, about["default"], panel=DATA, metavar=about["metavar"])


READING: Mapping[str, Option] = {row.name: _option(row) for row in fields(ReadOptions)}
# What Dataset.load takes beside them, whatever is read.
LOADING: Mapping[str, Option] = {
    "labels": Option(
        "labels",
        "The file of the labels, where --data is an IDX or .npy file of samples.",
        "text",
        panel=DATA,
        metavar="PATH",
    ),
    "layout": Option(
        "layout",
        f"What a sample of H x W values is: {one_of(LAYOUTS)}.",
        "choice",
        None,
        "by its shape",
        choices=LAYOUTS,
        panel=DATA,
    ),
    "reshape": Option("reshape", "Lay each sample out anew, such as 784,1.", "text", panel=DATA, metavar="AXES"),
}

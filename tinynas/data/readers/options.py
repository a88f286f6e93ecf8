"""The options of the readers: what a person says of files that do not say it themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from tinynas.errors import UsageError

COLOURS = ("grey", "rgb")
_MOST_SIDE = 1024
_MOST_WHOLE = 1 << 31


@dataclass(frozen=True)
class ReadOptions:
    """None means not given. Every error begins with the option's name, which the command line turns into its own.

    label, group: a CSV column, by its name or its number from 1 (-1 is the last).  columns: those that are read.
    window, stride: samples of a recording, or rows.  image_size: (height, width).  colour: "grey" or "rgb".
    sample_rate: Hz that sound is brought to.  mels: bands of the log-mel features.
    """

    label: str | None = None
    group: str | None = None
    columns: tuple[str, ...] | None = None
    window: int | None = None
    stride: int | None = None
    image_size: tuple[int, int] | None = None
    colour: str | None = None
    sample_rate: int | None = None
    mels: int | None = None

    @classmethod
    def create(cls, values: Mapping[str, Any]) -> ReadOptions:
        """The options, from values as people write them; UsageError for one that is unknown or makes no sense."""
        known = {field.name: _PARSERS[field.name] for field in fields(cls)}
        for name in values:
            if name not in known:
                raise UsageError(f"{name} is no option of a data set (known: {', '.join(sorted(known))}).")
        given = {name: known[name](name, value) for name, value in values.items() if value is not None}
        options = cls(**given)
        if options.stride is not None and options.window is None:
            raise UsageError("stride needs a window: it is the step from one window to the next.")
        return options

    def given(self) -> tuple[str, ...]:
        """The names of the options that have a value."""
        return tuple(field.name for field in fields(self) if getattr(self, field.name) is not None)


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


_PARSERS: dict[str, Callable[[str, Any], Any]] = {
    "label": _column,
    "group": _column,
    "columns": _columns,
    "window": _whole,
    "stride": _whole,
    "image_size": _image_size,
    "colour": _colour,
    "sample_rate": lambda name, value: _whole(name, value, 100, 400_000),
    "mels": lambda name, value: _whole(name, value, 1, 512),
}

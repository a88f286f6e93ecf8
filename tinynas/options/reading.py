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
_MOST_SECONDS = 86400.0
MISSING = ("error", "drop", "interpolate")
RANGES = ("full", "robust")
SOUND_FEATURES = ("int_log_mel", "int_log_mel+noise", "int_log_mel+pcan", "log_mel")
SERIES_FEATURES = ("spectral",)


def _whole(name: str, value: Any, least: int = 1, most: int = _MOST_WHOLE, also: str = "") -> int:
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,12}\s*", value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise UsageError(f"{name} is {value!r}; wanted a whole number from {least:,} to {most:,}{also}.")
    return value


@dataclass(frozen=True)
class Seconds:
    """A length in time, which becomes steps once the rate is known."""

    value: float

    def steps(self, rate: float) -> int:
        """The steps at `rate` a second, one at the least."""
        return max(1, round(self.value * rate))


def _length(name: str, value: Any) -> int | Seconds:
    """Steps, as 100; or a time, as 2s, 500ms or 1.5s."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(ms|s|sec|min)\s*", value) if isinstance(value, str) else None
    seconds = value.value if isinstance(value, Seconds) else None
    if match is not None:
        seconds = float(match[1]) * {"ms": 1e-3, "min": 60.0}.get(match[2], 1.0)
    if seconds is None:
        return _whole(name, value, also=", or a time such as 2s or 500ms")
    if not 0 < seconds <= _MOST_SECONDS:
        raise UsageError(f"{name} is {value!r}; wanted a time above 0 and of a day at most, such as 2s or 500ms.")
    return Seconds(seconds)


def _rate(name: str, value: Any, least: float = 1e-3, most: float = 1e6) -> float:
    """Hz: 50, 12.5, 50Hz, 16k, 16kHz, 44.1k."""
    match = (
        re.fullmatch(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*(k?)(hz)?\s*", value, re.IGNORECASE)
        if isinstance(value, str)
        else None
    )
    number = float(match[1]) * (1000 if match[2] else 1) if match is not None else value
    if isinstance(number, bool) or not isinstance(number, int | float) or not least <= number <= most:
        raise UsageError(f"{name} is {value!r}; wanted a rate from {least:,} to {most:,} Hz, such as 50 or 16k.")
    return float(number)


def _sample_rate(name: str, value: Any) -> int:
    rate = _rate(name, value, 100, 400_000)
    if rate != round(rate):
        raise UsageError(f"{name} is {value!r}; wanted a whole number of Hz, such as 16000 or 16k.")
    return int(rate)


def _one_of(*choices: str) -> Callable[[str, Any], str]:
    """Return a reader of one of a few words."""

    def read(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise UsageError(f"{name} is {value!r}; choose {one_of(choices)}.")
        return str(value)

    return read


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
        "CSV: the column of the label, by name or number; or folder, subfolder or file, where the place of a "
        "file gives "
        "its class.",
        "the one called label, class, target or activity, or the only one of text, or what names and places suggest",
    )
    group: str | None = _row(
        _column, "COLUMN", "CSV: the column that says which samples belong together, such as those of one person."
    )
    columns: tuple[str, ...] | None = _row(
        _columns,
        "COLUMNS",
        "CSV: the columns to read, such as ax,ay,az.",
        "all but label, group, times, counters and text",
    )
    window: int | Seconds | None = _row(  # noqa: RUF009 (a field, as the others are)
        _length,
        "STEPS",
        "CSV of signals, WAV: the length of a window in steps, or in time as 2s. Makes a CSV file one of signals.",
    )
    stride: int | Seconds | None = _row(  # noqa: RUF009
        _length,
        "STEPS",
        "CSV of signals, WAV: the distance from one window to the next, in steps or time.",
        "the length of a window",
    )
    rate: float | None = _row(
        _rate,
        "HZ",
        "CSV of signals: resample to this many rows per second by the column of time; without one, the rate "
        "that they have.",
        "as they are",
    )
    image_size: tuple[int, int] | None = _row(
        _image_size, "PIXELS", "Pictures: scale all to one size, such as 32, or height x width as 24x32."
    )
    colour: str | None = _row(_one_of(*COLOURS), "COLOUR", f"Pictures: {one_of(COLOURS)}.", "grey where all are grey")
    sample_rate: int | None = _row(
        _sample_rate, "HZ", "WAV: resample all to this many samples per second, such as 16k."
    )
    features: str | None = _row(
        _one_of(*SOUND_FEATURES, *SERIES_FEATURES),
        "KIND",
        "WAV: the features of a clip: int_log_mel, whole numbers on which Python, C and TFLM agree to the last bit; "
        "with +noise the noise of each band is taken off, with +pcan levels are evened out as well; or log_mel, "
        "decibels in floating point. Series of a sensor: spectral, mean, RMS, skewness, kurtosis and spectrum of each "
        "channel, for small data.",
        "int_log_mel for WAV, the samples as they are for all else",
    )
    mels: int | None = _row(_between(1, 512), "BANDS", "WAV: the number of bands of the log-mel spectrogram.", "40")
    missing: str | None = _row(
        _one_of(*MISSING),
        "POLICY",
        f"What to do with missing values (NaN, empty cells, marks such as -999): {one_of(MISSING)}.",
        "error for NaN and empty cells; marks are clipped",
    )
    range: str | None = _row(
        _one_of(*RANGES),
        "RANGE",
        "The range that becomes 0 to 1: full, that of all training values, or robust, that of 99 % of them.",
        "full, without outliers that would leave the other values too few steps",
    )

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
    "reshape": Option("reshape", "Give each sample another shape, such as 784,1.", "text", panel=DATA, metavar="AXES"),
}

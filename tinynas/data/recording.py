"""Recordings of a sensor: the lines that a sketch prints on a serial line, into CSV files that data are read from."""

from __future__ import annotations

import math
import os
import re
import select
import termios
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tinynas.errors import DataError, UsageError, door
from tinynas.words import counted

PATIENCE = 5.0
"""Seconds without a line of numbers after which the line is called silent."""

_TOLERANCE = 0.05  # by which share the rate may be off
_LONGEST = 4096  # bytes of a line; what is longer is no line
_NAMES_WITHIN = 1.0  # seconds that rows wait for the names of their columns
_LOOK = 0.1  # seconds between two looks at the clock
_TIME = re.compile(r"(time|timestamp|t|ms|us|millis|micros|seconds|s)([_ ]?[\[(]?(ms|us|s)[\])]?)?", re.IGNORECASE)
_UNITS = {"ms": 1e-3, "millis": 1e-3, "us": 1e-6, "micros": 1e-6}
_NAME = re.compile(r"[\w .()-]+")


@dataclass(frozen=True)
class Recording:
    """What was recorded: the file, its rows, the seconds from the first to the last, and the rows a second.

    `stopped` is why it ended: "asked" by a time that was over or by the keyboard, "gone" where the port went away,
    "silent" where no more lines came. `refused` are the lines that were no row, and `first_refused` the first of them.
    """

    path: Path
    rows: int
    seconds: float
    rate: float | None
    stopped: str
    refused: int = 0
    first_refused: str = ""
    notes: tuple[str, ...] = field(default=(), compare=False)


@door
def record(
    port: Path | str,
    label: str,
    rate: float,
    out: Path | str,
    *,
    seconds: float | None = None,
    baud: int = 115200,
    said: Callable[[int], None] | None = None,
) -> Recording:
    """Write the rows that come from the serial `port` to a new file below `out`/`label`, until `seconds` are over.

    A row is a line of numbers, separated by commas, semicolons or blanks, as many as in the first row. A line of
    names before them gives the columns their names; an empty line that is sent asks for it. Where the first is called
    time, or time_ms, ms, us and the like, it is the time of the row; else a row is taken to follow the one before after
    1 / `rate` seconds, or, where they come at another rate, at that. Lines that are no row are counted. `said` is
    called now and then with the number of rows.

    Every row is on the disk within a second. KeyboardInterrupt ends the recording as its time does. DataError when the
    port cannot be opened or no row comes within `PATIENCE` seconds: then no file is left; UsageError for a label that
    is no name of a folder, a rate or a time that is none, and a speed that no serial line has.
    """
    _check(label, rate, seconds)
    with _opened(Path(port), baud) as line:
        return _recorded(line, Path(port), label, rate, Path(out), seconds, said or (lambda rows: None))


def _check(label: str, rate: float, seconds: float | None) -> None:
    if not _NAME.fullmatch(label) or label.strip(" .") != label:
        raise UsageError(f"The label is {label!r}; wanted letters, digits, blanks, '-', '_' or '.', such as wave.")
    if not 0 < rate < math.inf:
        raise UsageError(f"The rate is {rate:g}; wanted rows a second, such as 50.")
    if seconds is not None and not 0 < seconds < math.inf:
        raise UsageError(f"The time is {seconds:g} s; wanted more than none.")


@contextmanager
def _opened(port: Path, baud: int) -> Iterator[int]:
    """The port as a file descriptor: raw, at `baud`."""
    speed = getattr(termios, f"B{baud}", None)
    if speed is None:
        raise UsageError(f"No serial line has the speed {baud}; wanted one such as 115200.")
    try:
        line = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError as error:
        found = sorted(map(str, (*Path("/dev").glob("ttyACM*"), *Path("/dev").glob("ttyUSB*"))))
        there = (
            f"; there is {', '.join(found)}" if found else "; no board is plugged in, by /dev/ttyACM* and /dev/ttyUSB*"
        )
        raise DataError(f"The port {port} cannot be opened ({error.strerror}){there}.") from error
    try:
        if not os.isatty(line):
            raise DataError(f"{port} is no serial port; wanted one such as /dev/ttyACM0.")
        tty.setraw(line)
        settings = termios.tcgetattr(line)
        settings[4] = settings[5] = speed
        termios.tcsetattr(line, termios.TCSANOW, settings)
        os.write(line, b"\n")  # the sketch answers with the names of its columns
        yield line
    except termios.error as error:
        raise DataError(f"The port {port} cannot be set to {baud} baud ({error.args[-1]}).") from error
    finally:
        os.close(line)


class _Rows:
    """What becomes of lines: the names of the columns, rows of numbers, and what is refused."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.width = 0
        self.is_begun = False  # the names of the columns are settled
        self.refused = 0
        self.first_refused = ""

    def take(self, text: str) -> list[float] | None:
        """The row of a line; None where it is none."""
        cells = [cell.strip() for cell in re.split(r"[,;\t]|\s+", text.strip(" \t#,;\r"))]
        try:
            row = [float(cell) for cell in cells]
        except ValueError:
            row = []
        if row and all(map(math.isfinite, row)) and len(row) == (self.width or len(self.names) or len(row)):
            self.width = len(row)
            return row
        named = [cell.strip() for cell in re.split(r"[,;\t]", text.strip(" \t#\r"))]
        if not row and all(named) and len(named) > 1 and self.width in (0, len(named)) and _is_names(named):
            if not self.is_begun:
                self.names = named
            if named == self.names:
                return None
        self.refuse(text)
        return None

    def refuse(self, text: str) -> None:
        """Count a line that is no row; what a board says before the first row is none of ours."""
        if self.width and text.strip():
            self.refused += 1
            self.first_refused = self.first_refused or text[:60]

    @property
    def unit(self) -> float | None:
        """Seconds of a unit of the first column, where that is the time."""
        match = _TIME.fullmatch(self.names[0]) if self.names else None
        if match is None or self.width < 2:
            return None
        return _UNITS.get((match[3] or match[1]).lower(), 1.0)


def _is_names(cells: list[str]) -> bool:
    return all(cell.isprintable() and re.search(r"[^\W\d]", cell) and not _is_number(cell) for cell in cells)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _lines(line: int, until: float | None, ends: list[str]) -> Iterator[str | None]:
    """Each line of the port; None where the clock is to be looked at. The first, which may be a part, is left out."""
    kept, is_whole = b"", False
    while True:
        if until is not None and time.monotonic() >= until:
            ends.append("asked")
            return
        if not select.select([line], [], [], _LOOK)[0]:
            yield None
            continue
        try:
            new = os.read(line, 65536)
        except BlockingIOError:
            continue
        except OSError:  # a port that was unplugged, a pty whose other end was closed
            new = b""
        if not new:
            ends.append("gone")
            return
        *whole, kept = (kept + new).split(b"\n")
        for each in whole:
            if is_whole or _is_likely_whole(each):
                yield each.decode("ascii", "replace").strip("\r\0")
            is_whole = True
        if len(kept) > _LONGEST:
            yield kept[:_LONGEST].decode("ascii", "replace")
            kept = b""


def _is_likely_whole(line: bytes) -> bool:
    """Whether the first line that is heard can be used: names can, numbers may have lost their beginning."""
    return bool(re.search(rb"[A-Za-z]{2}", line))


def _recorded(
    line: int, port: Path, label: str, rate: float, out: Path, seconds: float | None, said: Callable[[int], None]
) -> Recording:
    rows, ends = _Rows(), list[str]()
    file: _File | None = None
    waiting: list[tuple[list[float], float, int]] = []
    started = heard = time.monotonic()
    try:
        for text in _lines(line, None if seconds is None else started + seconds, ends):
            now = time.monotonic()
            row = None if text is None else rows.take(text)
            if row is not None:
                heard = now
                waiting.append((row, now, rows.refused))
            elif now - heard > PATIENCE:
                ends.append("silent")
                break
            if waiting and file is None and (rows.names or now - waiting[0][1] > _NAMES_WITHIN):
                file = _File(out / label, label, rows, rate)
            if file is not None:
                file.take(waiting, now)
                said(file.rows)
    except KeyboardInterrupt:
        ends.append("asked")
    finally:
        if waiting and file is None:
            file = _File(out / label, label, rows, rate)
        recording = None if file is None else file.close(waiting)
    if recording is None or file is None:
        raise DataError(
            f"No line of numbers came from {port} within {time.monotonic() - started:.1f} s: is the sketch running "
            f"that prints them, at this speed, and no other program on the port?"
        )
    return Recording(
        *recording, stopped=ends[0], refused=rows.refused, first_refused=rows.first_refused,
        notes=_notes(recording, rows, rate, ends[0], port),
    )  # fmt: skip


class _File:
    """A recording on its way to the disk."""

    def __init__(self, folder: Path, label: str, rows: _Rows, rate: float) -> None:
        self.unit, self.rate, self.rows = rows.unit, rate, 0
        self.first: float | None = None
        self.last = self.began = self.arrived = self.flushed = 0.0
        self.missing = 0
        self.span = 0.0
        rows.is_begun = True
        names = rows.names or [f"c{number + 1}" for number in range(rows.width)]
        self.names = ["time", *(names if self.unit is None else names[1:])]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.path, self.file = _fresh(folder, label)
            self.file.write(",".join(map(_cell, self.names)) + "\n")
        except OSError as error:
            raise DataError(f"{folder} cannot be written ({error.strerror}); choose another --out.") from error

    def take(self, waiting: list[tuple[list[float], float, int]], now: float) -> None:
        """Write what waits, and see that it is on the disk within a second."""
        while waiting:
            self.add(*waiting.pop(0))
        self.flush(now)

    def add(self, row: list[float], now: float, refused: int) -> None:
        """Write a row; without a time of its own, it is as many steps after the first as lines came."""
        if self.unit is None:
            at, values = (self.rows + refused) / self.rate, row
        else:
            at, values = row[0] * self.unit, row[1:]
        if self.first is None:
            self.first, self.began = at, now
        self.span += max(0.0, at - self.first - self.last)  # a board that begins anew has its clock go back
        self.last, self.arrived, self.missing = at - self.first, now, refused
        try:
            self.file.write(
                ",".join([f"{self.last:.6g}" if self.last < 1e5 else f"{self.last:.3f}", *map(_number, values)]) + "\n"
            )
        except OSError as error:
            raise _full(self.path, error) from error
        self.rows += 1

    def flush(self, now: float) -> None:
        """What was added is on the disk within a second."""
        if now - self.flushed > 0.5:
            try:
                self.file.flush()
            except OSError as error:
                raise _full(self.path, error) from error
            self.flushed = now

    def close(self, waiting: list[tuple[list[float], float, int]]) -> tuple[Path, int, float, float | None]:
        """The path, the rows, the seconds, and the rows a second, by the device's clock or by this computer's."""
        while waiting:
            self.add(*waiting.pop(0))
        self.file.close()
        seconds = self.span if self.unit is not None else self.arrived - self.began
        steps = self.rows - 1 + (0 if self.unit is not None else self.missing)
        rate = steps / seconds if steps > 0 and seconds > 0 else None
        if self.unit is None and rate is not None and _is_off(rate, self.rate, seconds):
            self._retime(rate)
        return self.path, self.rows, seconds, rate

    def _retime(self, rate: float) -> None:
        """Give the rows the times that they came at."""
        beside = self.path.with_suffix(".tmp")
        with self.path.open() as before, beside.open("w") as after:
            after.write(next(before))
            for row in before:
                at, values = row.split(",", 1)
                after.write(f"{float(at) * self.rate / rate:.6g},{values}")
        beside.replace(self.path)


def _full(path: Path, error: OSError) -> DataError:
    return DataError(f"{path} cannot be written any further ({error.strerror}); make room, its rows so far are kept.")


def _fresh(folder: Path, label: str) -> tuple[Path, IO[str]]:
    """A new file with the next number: none is written over."""
    number = 1
    while True:
        path = folder / f"{label}_{number:03d}.csv"
        try:
            return path, path.open("x")
        except FileExistsError:
            number += 1


def _cell(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if re.search(r'[",;]', name) else name


def _number(value: float) -> str:
    return f"{value:.9g}"


def _is_off(rate: float, wanted: float, seconds: float) -> bool:
    """Whether a rate is another one; in less than a second a clock tells too little."""
    return seconds >= 1 and abs(rate / wanted - 1) > _TOLERANCE


def _notes(
    recording: tuple[Path, int, float, float | None], rows: _Rows, wanted: float, stopped: str, port: Path
) -> tuple[str, ...]:
    """What a person should know, a sentence each."""
    _, _, seconds, rate = recording
    notes = []
    if rate is not None and _is_off(rate, wanted, seconds):
        whose = "by its own clock " if rows.unit is not None else ""
        notes.append(
            f"The rows came {rate:.3g} times a second {whose}and not {wanted:g} times: the file has the times that "
            f"they came at; read the sensor by a timer, print less or take a higher baud rate, or record at this rate."
        )
    if rows.refused:
        notes.append(
            f"{counted(rows.refused, 'line')} had not {rows.width} numbers and {'is' if rows.refused == 1 else 'are'} "
            f"left out, the first of them {rows.first_refused!r}: something else prints on the "
            f"line, or it loses characters."
        )
    if stopped == "gone":
        notes.append(f"The port {port} went away; all rows up to then are kept.")
    if stopped == "silent":
        notes.append(f"No row came for {PATIENCE:g} s, so the recording ended; all rows up to then are kept.")
    return tuple(notes)

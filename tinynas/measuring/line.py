"""A serial line: bytes out, lines of text in, each wait with an end."""

from __future__ import annotations

import errno
import os
import select
import termios
import time
from types import TracebackType

from tinynas.errors import BoardError, UsageError

_MOST_BYTES = 4096  # of one line: more is noise
_QUIET_S = 0.3


class Line:
    """An open serial port, 8 bits without parity, not shared with a terminal. BoardError, naming it, where it ends."""

    def __init__(self, port: str, baud: int = 115200) -> None:
        """Open the device file `port`; UsageError for a speed that there is not."""
        speed = getattr(termios, f"B{baud}", None)
        if speed is None:
            raise UsageError(f"--baud is {baud}; wanted a usual speed, such as 9600, 115200, 230400 or 921600.")
        self.port = port
        self._kept = b""
        try:
            self._file = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except (OSError, ValueError) as error:
            raise BoardError(f"The port {port!r} cannot be opened: {_reason(error)}.{_hint(error)}") from None
        try:
            _make_raw(self._file, speed)
        except termios.error:
            os.close(self._file)
            raise BoardError(f"{port!r} is no serial port: give the board's, such as /dev/ttyACM0.") from None

    def __enter__(self) -> Line:
        """Return the line."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close it."""
        os.close(self._file)

    def send(self, text: str, timeout_s: float) -> None:
        """Send `text`, within that time."""
        data, end = text.encode("ascii"), time.monotonic() + timeout_s
        while data:
            if not select.select([], [self._file], [], max(0.0, end - time.monotonic()))[1]:
                raise BoardError(
                    f"{self.port} took no more bytes for {timeout_s:g} s: is the board's firmware running?"
                )
            data = data[self._write(data) :]

    def receive(self, timeout_s: float) -> str | None:
        """The next line that is not empty, without its end; None where none comes within that time."""
        end = time.monotonic() + timeout_s
        while True:
            line, is_whole, rest = self._kept.partition(b"\n")
            if is_whole:
                self._kept = rest
                if line.strip():
                    return line.strip().decode("ascii", errors="backslashreplace")
                continue
            if len(self._kept) > _MOST_BYTES:
                start = self._kept[:20]
                raise BoardError(
                    f"{self.port} gave {len(self._kept):,} bytes without the end of a line ({start!r}): is the speed "
                    f"that of the firmware, and the firmware that of tinynas measure?"
                )
            if not select.select([self._file], [], [], max(0.0, end - time.monotonic()))[0]:
                return None
            self._kept += self._read()

    def drain(self, most_s: float = 3.0) -> None:
        """Drop what comes until the line is quiet, such as what a board says when it starts."""
        end = time.monotonic() + most_s
        while select.select([self._file], [], [], min(_QUIET_S, max(0.0, end - time.monotonic())))[0]:
            self._read()
        self._kept = b""

    def _read(self) -> bytes:
        try:
            found = os.read(self._file, 4096)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._ended(error) from None
        if not found:
            raise self._ended()
        return found

    def _write(self, data: bytes) -> int:
        try:
            return os.write(self._file, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise self._ended(error) from None

    def _ended(self, error: OSError | None = None) -> BoardError:
        why = "" if error is None else f" ({_reason(error)})"
        return BoardError(f"{self.port} ended{why}: is the board still plugged in?")


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)


def _hint(error: OSError | ValueError) -> str:
    code = getattr(error, "errno", None)
    if code == errno.EACCES:
        return " The user has to be in the group that owns it, usually dialout."
    return " ls /dev/ttyACM* /dev/ttyUSB* lists what is plugged in." if code == errno.ENOENT else ""


def _make_raw(file: int, speed: int) -> None:
    """Bytes as they are, at that speed; a Ctrl-C that comes is a byte too."""
    mode = termios.tcgetattr(file)
    mode[0] = mode[1] = mode[3] = 0
    mode[2] = termios.CS8 | termios.CREAD | termios.CLOCAL
    mode[4] = mode[5] = speed
    mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0  # so that no bytes means the end
    termios.tcsetattr(file, termios.TCSANOW, mode)

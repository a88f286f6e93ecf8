"""How a search in Python ends that is told to end by a signal: with the processes that it started."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_SIGNALS = ("SIGTERM", "SIGHUP")  # of a batch system, and of a terminal that closes


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block by SystemExit with status 128 + the signal's number, as a shell says it.

    Their usual way is to end the process at once: what it had started then writes of semaphores that nobody removed.
    Nothing is changed where the program handles or ignores a signal itself, nor in another thread than the main one.
    """
    numbers = [number for name in _SIGNALS if (number := getattr(signal, name, None)) is not None]
    is_main = threading.current_thread() is threading.main_thread()
    ours = [number for number in numbers if is_main and signal.getsignal(number) is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # one that is sent twice would cut the end short
    raise SystemExit(128 + number)

"""How a command ends that is told to end: by a signal as by Ctrl-C."""

import signal
from types import FrameType
from typing import NoReturn


def end_as_by_ctrl_c() -> None:
    """Let SIGTERM (of a batch system) and SIGHUP (of a terminal that closes) end this process as Ctrl-C does.

    One that is ignored, as nohup has it, stays ignored.
    """
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # a batch system sends it twice; the end is under way
    raise KeyboardInterrupt

"""Who watches a search besides the terminal: the page report.html, and logs for TensorBoard."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tinynas.searching import Event, GenerationStarted, Note, Started, Watcher

_COST = 20  # a page is written again when its writing took less than a twentieth of the time since


def together(*watchers: Watcher) -> Watcher:
    """Return a watcher that tells all of `watchers`, in turn."""

    def tell(event: Event) -> None:
        for watcher in watchers:
            watcher(event)

    return tell


class ReportWriter:
    """Writes report.html when a generation starts and when a stage is reached; `close` writes it a last time.

    Whatever goes wrong in it is one sentence to `say`: a search never ends over its report.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        """Take where a sentence of trouble goes."""
        self._say = say
        self._folder: Path | None = None
        self._next = 0.0
        self._troubled = False

    def __call__(self, event: Event) -> None:
        """Take an event of the search."""
        if isinstance(event, Started):
            self._folder = event.folder
        elif isinstance(event, GenerationStarted | Note) and time.monotonic() >= self._next:
            self._write()

    def close(self) -> None:
        """Write the page as the search leaves it, unless it left no run folder."""
        if self._folder is not None and self._folder.is_dir():
            self._write()

    def _write(self) -> None:
        from tinynas.report import write_report

        if self._folder is None:
            return
        began = time.monotonic()
        try:
            write_report(self._folder)
        except Exception as error:  # the search is worth more than its picture
            if not self._troubled:
                self._say(f"The report could not be written: {type(error).__name__}: {error}")
            self._troubled = True
        self._next = time.monotonic() + _COST * (time.monotonic() - began)


def watchers_for(view: Watcher, say: Callable[[str], None], tensorboard: bool) -> tuple[Watcher, Callable[[], None]]:
    """Return the watcher of a search on the command line, and what is to be called when it ends, however it ends."""
    report = ReportWriter(say)
    watchers: list[Any] = [view, report]
    if tensorboard:
        from tinynas.cli.tensorboard import TensorBoard

        watchers.append(TensorBoard(say))

    def close() -> None:
        for watcher in watchers[1:]:
            watcher.close()

    return together(*watchers), close

"""What a person sees of a search: a live table on a terminal, lines elsewhere."""

from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from tinynas.cli.formats import duration, share, size
from tinynas.cli.options import in_options
from tinynas.runs import State, Trial
from tinynas.searching import Event, FinalProgress, FoldDone, GenerationStarted, Note, Started, TrialDone
from tinynas.searching.progress import Standing, lines_of, title_of

_ROWS = 12  # of the generation's table: what fits a small terminal
_ALMOST = 0.999


class LiveView:
    """Watches a search. Use as a context manager and pass it to search(watch=...)."""

    def __init__(self, console: Console) -> None:
        """Draw on `console`: live when it is a terminal, else lines."""
        self._console = console
        self._live: Live | None = None
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TimeRemainingColumn(elapsed_when_finished=False),
            console=console,
        )
        self._task: TaskID | None = None
        self._rows: list[tuple[Trial, bool]] = []
        self._generation: GenerationStarted | None = None
        self._standing = Standing()
        self._stage = ""
        self.folder: Path | None = None

    def __enter__(self) -> "LiveView":
        """Start drawing."""
        if self._console.is_terminal:
            self._live = Live(console=self._console, refresh_per_second=4, transient=True)
            self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave the terminal as it was, with the last lines on it."""
        if self._live is not None:
            self._live.stop()

    def __call__(self, event: Event) -> None:
        """Take an event of the search."""
        self._standing.take(event)
        _HANDLERS[type(event)](self, event)
        if self._task is not None:  # below 1, since a bar that is full stops the clock
            self._progress.update(
                self._task, completed=min(self._standing.share, _ALMOST), description=self._standing.text
            )
        if self._live is None or isinstance(event, Started | Note):
            for line in lines_of(event):  # a person wrote options, where a note speaks of settings
                self._print(in_options(line) if isinstance(event, Note) else line)
        if self._live is not None:
            self._live.update(self._picture())

    def started(self, event: Started) -> None:
        """Say what is searched and where it is kept."""
        self.folder = event.folder
        self._begin("search")

    def generation(self, event: GenerationStarted) -> None:
        """Begin a new table; the finalists have a bar of their own."""
        self._generation, self._rows = event, []
        if event.stage == "finalists":
            self._begin("finalists")

    def trial(self, event: TrialDone) -> None:
        """Add a row."""
        self._rows.append((event.trial, event.best))

    def final(self, event: FinalProgress) -> None:
        """Begin a bar for each of the trainings that the final one has."""
        stage = f"final {event.training}"
        if self._stage != stage:
            self._begin(stage)

    def nothing(self, event: Note | FoldDone) -> None:
        """Draw nothing: a note is printed as a line, and of a fold the bar tells."""

    def _begin(self, stage: str) -> None:
        """Begin a stage: its bar and the time that is left are its own, the clock is that of the whole search."""
        before = None if self._task is None else self._progress.tasks[0].start_time
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._stage, self._task = stage, self._progress.add_task(stage, total=1.0)
        if before is not None:
            self._progress.tasks[0].start_time = before

    def _print(self, text: str) -> None:
        (self._live.console if self._live is not None else self._console).print(text, markup=False, highlight=False)

    def _picture(self) -> Group:
        """Return the generation's table above the best so far and the progress bar."""
        parts: list[Any] = []
        if self._generation is not None:
            title = title_of(self._generation)
            parts.append(_table(title, self._rows[-_ROWS:]) if self._rows else title)
        if self._standing.best is not None:
            parts.append(Text(f"Best so far: {self._standing.best}"))
        return Group(*parts, self._progress)


def _table(title: str, rows: list[tuple[Trial, bool]]) -> Table:
    table = Table(title=title, title_justify="left", expand=True)
    table.add_column("#", justify="right")
    table.add_column("from", justify="right")
    table.add_column("architecture", overflow="ellipsis", no_wrap=True, ratio=1)
    for name in ("Flash, B", "arena, B", "int8", "float", "time"):
        table.add_column(name, justify="right", no_wrap=True)
    for trial, best in rows:
        footprint, evaluation = trial.evaluation.footprint, trial.evaluation
        scored = bool(evaluation.folds)
        table.add_row(
            str(trial.number),
            "-" if trial.parent is None else str(trial.parent),
            str(trial.architecture),
            size(None if footprint is None else footprint.flash_bytes),
            size(None if footprint is None else footprint.arena_bytes),
            share(evaluation.mean()) if scored else evaluation.state.value,
            share(evaluation.mean(model="float")) if scored else "-",
            duration(evaluation.seconds),
            style="bold green" if best else "red" if evaluation.state is State.FAILED else None,
        )
    return table


_HANDLERS: dict[type, Any] = {
    Started: LiveView.started,
    GenerationStarted: LiveView.generation,
    TrialDone: LiveView.trial,
    FinalProgress: LiveView.final,
    FoldDone: LiveView.nothing,
    Note: LiveView.nothing,
}

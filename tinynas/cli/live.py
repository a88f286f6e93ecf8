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
from tinynas.searching import Event, FinalProgress, GenerationStarted, Note, Started, TrialDone
from tinynas.words import counted

_ROWS = 12  # of the generation's table: what fits a small terminal


class LiveView:
    """Watches a search. Use as a context manager and pass it to search(watch=...)."""

    def __init__(self, console: Console) -> None:
        """Draw on `console`: live when it is a terminal, else a line an event."""
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
        self._best: Trial | None = None
        self._counts = dict.fromkeys(State, 0)
        self._epochs_shown = 0
        self._in_final = False
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
        _HANDLERS[type(event)](self, event)
        if self._live is not None:
            self._live.update(self._picture())

    def started(self, event: Started) -> None:
        """Say what is searched and where it is kept."""
        self.folder = event.folder
        self._print(f"Target {event.target}. Run folder: {event.folder}")
        if event.resumed:
            self._print(f"Going on after {counted(event.resumed, 'trial')}.")
        self._task = self._progress.add_task("search", total=1.0)

    def generation(self, event: GenerationStarted) -> None:
        """Begin a new table."""
        self._generation, self._rows = event, []
        self._counts[State.INFEASIBLE] += event.infeasible
        self._advance(event.share)
        if self._live is None:
            self._print(self._title(event))

    def trial(self, event: TrialDone) -> None:
        """Add a row."""
        self._rows.append((event.trial, event.best))
        self._counts[event.trial.evaluation.state] += 1
        self._best = event.trial if event.best else self._best
        self._advance(event.share)
        if self._live is None:
            self._print(("* " if event.best else "  ") + str(event.trial))

    def final(self, event: FinalProgress) -> None:
        """Show how far the final training is."""
        if not self._in_final:  # the time left is that of the final training now
            self._in_final = True
            self._task = self._progress.add_task("final", total=1.0)
        self._advance(event.epoch / event.epochs, f"final training, epoch {event.epoch}/{event.epochs}")
        if self._live is None and (event.epoch == event.epochs or event.epoch - self._epochs_shown >= 10):
            self._epochs_shown = event.epoch
            self._print(f"  epoch {event.epoch}/{event.epochs}, loss {event.loss:.4f}, {duration(event.seconds)}")

    def note(self, event: Note) -> None:
        """Print a line that stays; a person wrote options, where it speaks of settings."""
        self._print(in_options(event.text))

    def _advance(self, done: float, text: str | None = None) -> None:
        if self._task is not None:
            counts = self._counts
            text = text or (
                f"{counts[State.COMPLETE]} trained, {counts[State.INFEASIBLE]:,} did not fit, "
                f"{counts[State.FAILED]} failed"
            )
            self._progress.update(self._task, completed=done, description=text)

    def _print(self, text: str) -> None:
        (self._live.console if self._live is not None else self._console).print(text, markup=False, highlight=False)

    def _title(self, event: GenerationStarted) -> str:
        what = "Finalists" if event.stage == "finalists" else f"Generation {event.generation}"
        return f"{what}: {event.to_train} to train, {event.infeasible:,} did not fit"

    def _picture(self) -> Group:
        """Return the generation's table above the best so far and the progress bar."""
        parts: list[Any] = []
        if self._generation is not None:
            title = self._title(self._generation)
            parts.append(_table(title, self._rows[-_ROWS:]) if self._rows else title)
        if self._best is not None:
            parts.append(Text(f"Best so far: {self._best}"))
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
    Note: LiveView.note,
}

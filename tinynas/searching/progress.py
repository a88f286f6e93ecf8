"""How far a search is, for whoever shows it: lines, the share that is done, and what search() shows in Python."""

import sys
from collections.abc import Callable, Mapping
from html import escape
from importlib import import_module
from typing import Any

from tinynas.runs import State, Trial
from tinynas.searching.events import (
    Event,
    FinalProgress,
    FoldDone,
    GenerationStarted,
    Note,
    Started,
    TrialDone,
    Watcher,
)
from tinynas.words import counted, one_of

_EPOCHS = 10  # from one line of the final training to the next, and more where that would be many more than _LINES
_LINES = 20


class Standing:
    """Where a search is: its stage in words, the share of that stage that is done in [0, 1], and the best trial."""

    def __init__(self) -> None:
        self.stage = "search"
        self.share = 0.0
        self.best: Trial | None = None
        self._counts = dict.fromkeys(State, 0)
        self._finalists = (0, 0)  # trained, of how many
        self._folds: dict[int, tuple[int, int]] = {}  # done, of how many, by the number of a finalist in work
        self._final = FinalProgress(0, 1, 0.0, 0.0)

    def take(self, event: Event) -> None:
        """Take an event of the search."""
        if isinstance(event, GenerationStarted):
            self._counts[State.INFEASIBLE] += event.infeasible
            self.share = event.share
            if event.stage == "finalists":
                self.stage, self._finalists, self.share = "finalists", (0, event.to_train), 0.0
        elif isinstance(event, TrialDone):
            self._counts[event.trial.evaluation.state] += 1
            self.best = event.trial if event.best else self.best
            self.share = event.share
            if self.stage == "finalists":
                self._folds.pop(event.trial.number, None)
                self._finalists = (self._finalists[0] + 1, self._finalists[1])
                self.share = self._of_finalists()
        elif isinstance(event, FoldDone):
            self._folds[event.number] = (event.fold, event.folds)
            self.share = self._of_finalists()
        elif isinstance(event, FinalProgress):
            self.stage, self._final, self.share = "final", event, event.epoch / event.epochs

    def _of_finalists(self) -> float:
        done, of = self._finalists
        return min(1.0, (done + sum(fold / folds for fold, folds in self._folds.values())) / max(1, of))

    @property
    def text(self) -> str:
        """What stands beside a bar: how many trials there are, or how far the finalists or the final training are."""
        if self.stage == "finalists":
            done, of = self._finalists
            return f"finalists: {done} of {of} trained{_now(self._folds)}"
        if self.stage == "final":
            named = f" ({self._final.training})" if self._final.training else ""
            return f"final training{named}, epoch {self._final.epoch}/{self._final.epochs}"
        counts = self._counts
        return (
            f"{counts[State.COMPLETE]} trained, {counts[State.INFEASIBLE]:,} did not fit, {counts[State.FAILED]} failed"
        )


def _now(folds: Mapping[int, tuple[int, int]]) -> str:
    """Return in which folds the finalists in work are, by how many of theirs are done."""
    if not folds:
        return ""
    now = sorted((done + 1, of) for done, of in folds.values())
    noun = "fold" if len(now) == 1 else "folds"
    return f", now in {noun} {one_of((str(fold) for fold, _ in now), 'and')} of {now[0][1]}"


def lines_of(event: Event) -> tuple[str, ...]:
    """Return an event in plain words, mostly on one line; of the epochs every tenth or fewer, and the last."""
    if isinstance(event, Started):
        going_on = (f"Going on after {counted(event.resumed, 'trial')}.",) if event.resumed else ()
        return (f"Target {event.target}. Run folder: {event.folder}", *going_on)
    if isinstance(event, GenerationStarted):
        return (title_of(event),)
    if isinstance(event, TrialDone):
        return (("* " if event.best else "  ") + str(event.trial) + (" (the best so far)" if event.best else ""),)
    if isinstance(event, Note):
        return (event.text,)
    if isinstance(event, FoldDone):
        return (f"  #{event.number}: fold {event.fold} of {event.folds} trained",)
    if event.epoch % (_EPOCHS * max(1, round(event.epochs / (_EPOCHS * _LINES)))) and event.epoch != event.epochs:
        return ()
    named = f"{event.training}: " if event.training else ""
    return (f"  {named}epoch {event.epoch}/{event.epochs}, loss {event.loss:.4f}, {event.seconds:.0f} s",)


def title_of(event: GenerationStarted) -> str:
    """Return what stands above the trials of a generation."""
    what = "Finalists" if event.stage == "finalists" else f"Generation {event.generation}"
    return f"{what}: {event.to_train} to train, {event.infeasible:,} did not fit"


def shown() -> Watcher:
    """Return what shows a search in Python: a bar in a notebook, elsewhere lines on standard error."""
    display = _notebook()
    return _lines if display is None else NotebookBar(*display)


def _lines(event: Event) -> None:
    for line in lines_of(event):
        sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _notebook() -> tuple[Callable[..., Any], Callable[[str], Any]] | None:
    """Return IPython's display and HTML where this is a cell of a notebook; None elsewhere, also in IPython's shell."""
    ipython = sys.modules.get("IPython")
    cell = None if ipython is None else ipython.get_ipython()
    if getattr(cell, "kernel", None) is None:
        return None
    shows = import_module("IPython.display")
    return shows.display, shows.HTML


class NotebookBar:
    """A bar below the cell that searches, with the stage, the best trial and what the search has said last."""

    def __init__(self, display: Callable[..., Any], html: Callable[[str], Any]) -> None:
        """`display` and `html` are IPython.display's display and HTML."""
        self._html, self._standing, self._said = html, Standing(), ""
        self._handle = display(html(self._page()), display_id=True)

    def __call__(self, event: Event) -> None:
        """Take an event of the search."""
        self._standing.take(event)
        if isinstance(event, Started | Note):
            self._said = " ".join(lines_of(event))
        self._handle.update(self._html(self._page()))

    def _page(self) -> str:
        standing = self._standing
        best = "" if standing.best is None else f"<br>Best so far: {escape(str(standing.best))}"
        bar = f'<progress max="1" value="{standing.share:.3f}" style="width:20em"></progress>'
        return f"{bar} {escape(standing.text)}{best}<br>{escape(self._said)}"

"""What the loop tells whoever watches: values, so that a terminal, a log or a notebook can each draw its own."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tinynas.runs import Trial


@dataclass(frozen=True)
class Started:
    """The search has started, or goes on: what is searched, where it is kept, what was there already."""

    folder: Path
    data: str
    target: str
    resumed: int


@dataclass(frozen=True)
class GenerationStarted:
    """A generation was screened: `to_train` children fit and are new, `infeasible` did not fit."""

    generation: int
    stage: str  # "search" or "finalists"
    to_train: int
    infeasible: int
    share: float  # of the search phase that is done, by trials, generations or time


@dataclass(frozen=True)
class TrialDone:
    """A trained or failed trial; `best` is whether it leads now."""

    trial: Trial
    best: bool
    share: float


@dataclass(frozen=True)
class FinalProgress:
    """An epoch of the final training is done."""

    epoch: int
    epochs: int
    loss: float
    seconds: float


@dataclass(frozen=True)
class Note:
    """A line for people: a stage was reached, or why the search ends."""

    text: str


Event = Started | GenerationStarted | TrialDone | FinalProgress | Note
Watcher = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Watch nothing."""

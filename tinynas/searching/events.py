"""What the loop tells whoever watches: values, so that a terminal, a log or a notebook can each draw its own."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
class FoldDone:
    """A fold of a finalist is trained, and others of it follow: `fold` of `folds` are done."""

    number: int
    fold: int
    folds: int


@dataclass(frozen=True)
class FinalProgress:
    """An epoch of the final training is done.

    Where that has several trainings, such as one that goes on and one that starts anew, `training` says in words which
    one this is; each counts its epochs and seconds from 0.
    """

    epoch: int
    epochs: int
    loss: float
    seconds: float
    training: str = ""

    @classmethod
    def of(cls, told: Any) -> "FinalProgress":
        """Return what an executor told of an epoch; one that knows a single training need not name it."""
        return cls(told.epoch, told.epochs, told.loss, told.seconds, getattr(told, "training", ""))


@dataclass(frozen=True)
class Note:
    """A line for people: a stage was reached, or why the search ends."""

    text: str


Event = Started | GenerationStarted | TrialDone | FoldDone | FinalProgress | Note
Watcher = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Watch nothing."""

"""A trial as it is recorded: an architecture, where it came from, and what became of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from statistics import mean, pstdev
from typing import Any

from tinynas.architecture import Architecture
from tinynas.data import FoldScores, Scores
from tinynas.errors import UsageError
from tinynas.features.threshold import Tuned
from tinynas.hardware import Footprint

_DECIMALS = 9  # of a score that is ranked: means of the same counts differ in the last place of a float


class State(str, Enum):
    """What became of a trial."""

    COMPLETE = "complete"  # measured, and trained unless the fidelity is "none"
    INFEASIBLE = "infeasible"  # over a limit: never trained
    FAILED = "failed"  # a measurement or the training raised: `error` says what


@dataclass(frozen=True)
class Evaluation:
    """What is known of a trial: its footprint, the violations of the limits, the scores of each fold trained.

    `visits` counts the training samples that were seen, over all folds and epochs; `seconds` is what it all took, of
    which a visit took `visit_s` once the training ran (0.0 where that was not measured).
    `rung` counts the promotions of successive halving before a proxy training: scores of one rung are like for like. A
    full training has rung 0, whatever its architecture's proxies had. `cause` tells a failed trial whose process had
    trouble ("error", "died", "silent"), which is no verdict on its architecture, from one that was refused ("").
    `regularization` is the strength of it that the trial was trained with ("": that was no choice). `stream` is what
    the validation recordings of the first fold say of a full training's stream, where the model can run on one.
    `scored` is the number of samples that a fold's scores were counted on (0: in older runs that is not known).
    """

    state: State
    footprint: Footprint | None = None
    violations: tuple[str, ...] = ()
    folds: tuple[FoldScores, ...] = ()
    fidelity: str = "none"
    seconds: float = 0.0
    error: str = ""
    visits: int = 0
    rung: int = 0
    visit_s: float = 0.0
    cause: str = ""
    regularization: str = ""
    stream: Tuned | None = None
    scored: int = 0

    @property
    def training(self) -> tuple[bool, int]:
        """How well it was trained, to be compared: full fidelity counts before proxy, then the higher rung."""
        return self.fidelity == "full", self.rung

    def mean(self, metric: str = "accuracy", model: str = "int8") -> float:
        """Return the mean over the folds of `metric`, for the "int8" or the "float" model."""
        values = self._values(metric, model)
        return values[0] if len(values) == 1 else mean(values)  # which works in fractions, and takes its time

    def std(self, metric: str = "accuracy", model: str = "int8") -> float:
        """Return the population standard deviation over the folds (0.0 for one fold)."""
        return pstdev(self._values(metric, model))

    def _values(self, metric: str, model: str) -> list[float]:
        return [getattr(getattr(fold, model), metric) for fold in self.folds]

    def to_dict(self) -> dict[str, Any]:
        """Return a value that JSON can hold; `from_dict` takes it back."""
        return {
            "state": self.state.value,
            "footprint": None if self.footprint is None else self.footprint.to_dict(),
            "violations": list(self.violations),
            "folds": [{"float": fold.float.to_dict(), "int8": fold.int8.to_dict()} for fold in self.folds],
            "fidelity": self.fidelity,
            "seconds": self.seconds,
            "error": self.error,
            "visits": self.visits,
            "rung": self.rung,
            "visit_s": self.visit_s,
            **({"cause": self.cause} if self.cause else {}),
            "regularization": self.regularization,
            **({} if self.stream is None else {"stream": self.stream.to_dict()}),
            **({"scored": self.scored} if self.scored else {}),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "Evaluation":
        """Return the evaluation that `to_dict` wrote."""
        footprint = value["footprint"]
        return cls(
            State(value["state"]),
            None if footprint is None else Footprint.from_dict(footprint),
            tuple(value["violations"]),
            tuple(FoldScores(Scores.from_dict(f["float"]), Scores.from_dict(f["int8"])) for f in value["folds"]),
            value["fidelity"],
            value["seconds"],
            value["error"],
            value["visits"],
            value["rung"],
            value.get("visit_s", 0.0),  # version 0.1.0 did not measure it
            value.get("cause", ""),
            value.get("regularization", ""),  # nor had it a choice
            Tuned.from_dict(value["stream"]) if "stream" in value else None,
            value.get("scored", 0),
        )


@dataclass(frozen=True)
class Trial:
    """One architecture on its way through a search; `number` counts from 0, `parent` is the number it came from.

    A trial whose parent has the same architecture is a promotion: its training went on from the parent's weights.
    `elapsed_s` is the age of the search, in wall seconds, when the trial was recorded.
    """

    number: int
    generation: int
    parent: int | None
    architecture: Architecture
    evaluation: Evaluation
    elapsed_s: float = 0.0

    def __str__(self) -> str:
        """Return one line for people: number, verdict, architecture."""
        evaluation = self.evaluation
        if evaluation.state is State.INFEASIBLE:
            verdict = "infeasible: " + "; ".join(evaluation.violations)
        elif evaluation.state is State.FAILED:
            verdict = "failed: " + " ".join(evaluation.error.split())
        elif evaluation.folds:
            verdict = f"int8 {evaluation.mean():.4f}, float {evaluation.mean(model='float'):.4f}"
        else:
            verdict = "fits"
        return f"#{self.number} {verdict} | {self.architecture}"


def ranking(metric: str) -> Callable[[Trial], tuple[int, int, float, int, int]]:
    """Return a sort key, best first: the better trained, int8 score, then the smaller arena, then the older trial."""

    def key(trial: Trial) -> tuple[int, int, float, int, int]:
        footprint = trial.evaluation.footprint
        full, rung = trial.evaluation.training
        return (
            -full,
            -rung,
            -round(trial.evaluation.mean(metric), _DECIMALS),
            0 if footprint is None else footprint.arena_bytes,
            trial.number,
        )

    return key


def leader(trials: Sequence[Trial], metric: str) -> Trial | None:
    """Return the best of the best trained trials; None when none is trained."""
    return min((trial for trial in trials if trial.evaluation.folds), key=ranking(metric), default=None)


def numbered(trials: Iterable[Trial], number: int, folder: Path) -> Trial:
    """Return the trial of that number; UsageError, which names the run's `folder`, when there is none."""
    there = {trial.number: trial for trial in trials}
    if number not in there:
        range_ = f"it has 0 to {max(there)}" if there else "it has none yet"
        raise UsageError(f"{folder} has no trial {number}: {range_}.")
    return there[number]


def latest(trials: Iterable[Trial]) -> tuple[Trial, ...]:
    """Return one trained trial for each architecture, the one of most training, in the order of their births.

    A promotion, or a finalist, is a new trial of an architecture that has one already; of two trained alike the later
    one stands.
    """
    found: dict[str, Trial] = {}
    for trial in trials:
        if trial.evaluation.state is State.COMPLETE and trial.evaluation.folds:
            known = found.get(trial.architecture.key)
            found[trial.architecture.key] = trial if known is None else max(known, trial, key=_trained)
    return tuple(found.values())


def _trained(trial: Trial) -> tuple[tuple[bool, int], int]:
    return trial.evaluation.training, trial.number

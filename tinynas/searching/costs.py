"""What trainings cost, by those that were done: seconds to build and convert, and seconds for each sample visited."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from tinynas.runs import Evaluation, Trial


@dataclass(frozen=True)
class Costs:
    """A training takes `start_s`, whatever its length, and `visit_s` for each sample visited, in one process.

    Both are 0.0 while nothing that was trained took any time.
    """

    start_s: float
    visit_s: float

    def seconds(self, visits: float, trainings: int = 1) -> float:
        """Return the seconds of so many visits in so many trainings."""
        return trainings * self.start_s + visits * self.visit_s

    def visits(self, seconds: float) -> float:
        """Return the visits that one training of so many seconds has; infinite where they cost nothing."""
        return max(0.0, seconds - self.start_s) / self.visit_s if self.visit_s else float("inf")


def costs_of(trials: Sequence[Trial], chosen: Sequence[Trial], usual: bool = False) -> Costs:
    """Return the costs of training the architectures of `chosen`: the dearest one's visits, and the median start.

    `usual`, the visits are those of their mean: what all of them take together.
    """
    visited = [trial.evaluation for trial in trials if trial.evaluation.visits]
    start_s = median(map(_start_s, visited)) if visited else 0.0
    each = [_visit_s(trial.evaluation) for trial in chosen] or [0.0]
    return Costs(start_s, fmean(each) if usual else max(each))


def _start_s(evaluation: Evaluation) -> float:
    if not evaluation.visit_s:
        return 0.0
    return max(0.0, evaluation.seconds - evaluation.visits * _visit_s(evaluation)) / max(1, len(evaluation.folds))


def _visit_s(evaluation: Evaluation) -> float:
    """Return what a visit cost; where that was not measured, all seconds are taken for the visits'."""
    return evaluation.visit_s or (evaluation.seconds / evaluation.visits if evaluation.visits else 0.0)

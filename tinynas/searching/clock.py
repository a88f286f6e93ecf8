"""How a time budget is shared out: for the search, for the finalists, and most for the final training."""

import math
import time
from collections.abc import Sequence
from statistics import mean

from tinynas.data import Dataset
from tinynas.runs import Settings, Trial
from tinynas.training.schedule import Schedule, final_epochs, schedule_for

# The share of the budget after which no new child is trained. A network that is trained twice as long gains more than
# one that was searched for twice as long.
_SEARCH = 0.30
_FINALISTS = 0.08
_RESERVE = 0.03  # and some seconds more, for converting, the test set and the check in TFLM
_RESERVE_S = 12.0

_TRIALS = 60  # so many children are enough to choose from before proxies are made longer, up to _MOST_STRETCH times
_MOST_STRETCH = 5.0


class Clock:
    """Wall seconds since the search began, those before a resume included."""

    def __init__(self, budget_s: float | None, before_s: float, workers: int) -> None:
        """Start now, with `before_s` seconds used by an earlier part of the search."""
        self._budget_s = budget_s
        self._start = time.monotonic() - before_s
        self._workers = workers

    def elapsed(self) -> float:
        """Return the seconds so far."""
        return time.monotonic() - self._start

    def share(self) -> float:
        """Return the share of the search phase that is used (0.0 without a budget)."""
        return 0.0 if self._budget_s is None else self.elapsed() / (self._budget_s * _SEARCH)

    def search_is_over(self) -> bool:
        """Return whether the search phase has used its share."""
        return self.share() >= 1.0

    def search_deadline(self) -> float | None:
        """Return the time (of time.monotonic) after which no child is started, or None."""
        return None if self._budget_s is None else self._start + self._budget_s * _SEARCH

    def finalists_deadline(self) -> float | None:
        """Return the time (of time.monotonic) after which no finalist is started, or None."""
        share = _SEARCH + _FINALISTS
        return None if self._budget_s is None else self._start + self._budget_s * share

    def stretch(self, first: Sequence[Trial], settings: Settings) -> float:
        """Return how many times as long proxies are to be trained from now on, from what those of `first` cost.

        So long that the search phase holds some _TRIALS of them with their promotions, which all together cost as much
        again for each rung. The more trials a budget holds the less one more of them brings, and a longer proxy ranks
        better. 1.0 without a budget.
        """
        seconds = [trial.evaluation.seconds for trial in first if trial.evaluation.visits]
        if self._budget_s is None or not seconds:
            return 1.0
        held = self._budget_s * _SEARCH * self._workers / (mean(seconds) * settings.n_rungs)
        return round(min(_MOST_STRETCH, max(1.0, held / _TRIALS)), 2)

    def finalists(self, ranked: Sequence[Trial], dataset: Dataset, settings: Settings) -> Schedule | None:
        """Return how long the finalists are trained; None when the time allows nothing of use.

        Without a budget that is full fidelity. With one, a fold gets at least the sample visits of the highest rung
        that a proxy reached: a shorter training from fresh weights would rank worse than the proxies did. For that
        folds are left out first, of which two at least are trained, and then epochs. The cost of a visit is the
        proxies' own, building and converting included.
        """
        full = schedule_for("full", dataset, settings.n_folds)
        visit_s = max(trial.evaluation.seconds / max(1, trial.evaluation.visits) for trial in ranked)
        if self._budget_s is None or visit_s == 0:
            return full
        rung = max(trial.evaluation.rung for trial in ranked)
        least = max(trial.evaluation.visits for trial in ranked if trial.evaluation.rung == rung)
        rounds = math.ceil(len(ranked) / self._workers)
        left_s = min(self._budget_s * _FINALISTS, self._budget_s - self.elapsed())
        visits = left_s / rounds / visit_s
        folds = min(full.folds, int(visits / least))
        if folds < 2:
            return None
        epochs = min(full.epochs, math.ceil(visits / folds / full.samples))
        return Schedule(folds, min(full.samples, int(visits / folds / epochs)), epochs)

    def final_epochs(self, dataset: Dataset, settings: Settings) -> int:
        """Return the (most) epochs of the final training."""
        if settings.final_epochs is not None:
            return settings.final_epochs
        return final_epochs(dataset, timed=self._budget_s is not None)

    def final_seconds(self) -> float | None:
        """Return the wall seconds that the final training may take, or None."""
        if self._budget_s is None:
            return None
        reserve = self._budget_s * _RESERVE + _RESERVE_S
        return max(10.0, self._budget_s - self.elapsed() - reserve)

"""Scores at one length of training, so that a child with inherited weights compares with one that began afresh."""

import math
from dataclasses import dataclass
from statistics import median

from tinynas.runs import Trial, ranking

_ERROR_FLOOR = 2e-3  # below it the logarithm would make much of a few samples


@dataclass(frozen=True)
class _Learned:
    """What a trial reached: -log(error) after log2(samples seen), those before its first weights included."""

    key: str
    value: float
    visits: int

    @property
    def doublings(self) -> float:
        return math.log2(max(1, self.visits))


class EqualLength:
    """What each trial would be worth had all been trained equally long; for trained trials, told in their order.

    The error of a network falls about as a power of the samples seen (Hestness et al. 2017, arXiv 1712.00409), so that
    its logarithm falls evenly with each doubling. By how much is read off the promotions, which change nothing but the
    length: the median of what they gained, and never below zero. A child that starts from its parent's weights has
    seen what the parent had seen.
    """

    def __init__(self, metric: str, inherit: bool) -> None:
        """Start with no trial; `inherit` says whether children start from their parents' weights."""
        self._metric = metric
        self._ranking = ranking(metric)
        self._inherit = inherit
        self._learned: dict[int, _Learned] = {}  # by the trial's number
        self._gains: list[float] = []

    def tell(self, trial: Trial) -> None:
        """Keep what `trial`, which has scores, reached and after how much training."""
        key, evaluation = trial.architecture.key, trial.evaluation
        before = self._learned.get(-1 if trial.parent is None else trial.parent)
        promoted = before is not None and before.key == key
        earlier = before.visits if before is not None and (promoted or self._inherit) else 0
        error = max(_ERROR_FLOOR, 1.0 - evaluation.mean(self._metric))
        now = _Learned(key, -math.log(error), evaluation.visits + earlier)
        self._learned[trial.number] = now
        if before is not None and promoted and now.doublings > before.doublings:
            self._gains.append((now.value - before.value) / (now.doublings - before.doublings))

    @property
    def gain(self) -> float:
        """What a doubling of the training adds to -log(error)."""
        return max(0.0, median(self._gains)) if self._gains else 0.0

    def __call__(self, trial: Trial) -> float:
        """Return -log(error) of a trial that was told, less what the length of its training is worth."""
        learned = self._learned[trial.number]
        return learned.value - self.gain * learned.doublings

    def by_key(self) -> dict[str, float]:
        """Return the value of each architecture by its last trial."""
        gain = self.gain
        return {each.key: each.value - gain * each.doublings for each in self._learned.values()}

    def key(self, trial: Trial) -> tuple[int, float, float, int, int]:
        """Sort by it, best first: the higher rung, which is the surer score; this value; then as `ranking` does."""
        rung, score, arena, number = self._ranking(trial)
        return rung, -self(trial), score, arena, number

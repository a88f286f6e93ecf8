"""How much training the weights have had that a trial starts with."""

import math
from statistics import median

from tinynas.runs import Trial


class Lineage:
    """The sample visits of each trial, its own and those that came with its weights."""

    def __init__(self, inherits: bool) -> None:
        """`inherits`: a child starts from the weights of its parent; a promotion goes on from its own in any case."""
        self._inherits = inherits
        self._visits: dict[int, int] = {}
        self._keys: dict[int, str] = {}
        self._own: list[int] = []  # of births

    def add(self, trial: Trial) -> float:
        """Take note of a trained trial; return its head start (0.0: fresh weights)."""
        parent, own = trial.parent, trial.evaluation.visits
        same = parent is not None and self._keys.get(parent) == trial.architecture.key
        before = self._visits.get(parent, 0) if parent is not None and (same or self._inherits) else 0
        self._visits[trial.number] = before + own
        self._keys[trial.number] = trial.architecture.key
        if not same:
            self._own.append(own)
        return _head_start(before, own)

    def head_start(self, parent: int | None) -> float:
        """Return the head start that a child of the trial `parent` would have.

        It is log2(1 + visits before / own visits): 1.0 where the weights have had one training more, 3.0 after seven.
        """
        if parent is None or not self._inherits or not self._own:
            return 0.0
        return _head_start(self._visits.get(parent, 0), int(median(self._own)))


def _head_start(before: int, own: int) -> float:
    return math.log2(1 + before / max(1, own))

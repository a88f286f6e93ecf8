"""Scores at one length of training, so that a child with inherited weights compares with one that began afresh."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from tinynas.architecture import Architecture
from tinynas.runs import Evaluation, Journal, Trial, ranking
from tinynas.training.schedule import Lengths

_ERROR_FLOOR = 2e-3  # below it the logarithm would make much of a few samples


@dataclass(frozen=True)
class SizeBonus:
    """What a doubling of `measure`, a field of the footprint, and of activations is worth beside -log(error).

    That is after 12,000 samples; after more it is less by the root of how many times as many. `on_folds` says whether a
    proxy of several folds has it too.
    """

    of_a_doubling: float
    measure: str = "macs"
    on_folds: bool = False


# With it Kendall's tau of a training of 12,000 samples with one of 144,000 rises from 0.76 to 0.81 (24 random
# architectures for a large board), and with one of 1.15 million from 0.30 to 0.82 (14 that are near the starts, for
# 16 KiB and 8 KiB): what computes most has most still to gain (`tools/proxy_tau.py`). With parameters in place of
# multiply-accumulates, as before, the two are 0.83 and 0.63.
SIZE_BONUS = SizeBonus(0.07)
_BEFORE = SizeBonus(0.08, "params")
_BONUS_VISITS = 12_000


@dataclass(frozen=True)
class _Learned:
    """What a trial reached: -log(error) after log2(samples seen), those before its first weights included."""

    key: str
    value: float
    visits: int
    size: float
    has_bonus: bool

    @property
    def doublings(self) -> float:
        return math.log2(max(1, self.visits))


class EqualLength:
    """What each trial would be worth had all been trained equally long; for trained trials, told in their order.

    The error of a network falls about as a power of the samples seen (Hestness et al. 2017, arXiv 1712.00409), so that
    its logarithm falls evenly with each doubling. By how much is read off the promotions, which change nothing but the
    length: the median of what they gained, and never below zero. A child that starts from its parent's weights has
    seen what the parent had seen. A short training favours small networks; what it lacks is made good by a bonus on
    size beyond the median, which falls with the root of the samples seen. A proxy of several folds starts afresh on
    each, and has seen what it saw of one. Where it has several because samples are few, these are seen often, and size
    has no bonus: the bonus was measured where samples are many.
    """

    def __init__(
        self, metric: str, inherit: bool, size_bonus: SizeBonus = SIZE_BONUS, begun: Mapping[str, int] | None = None
    ) -> None:
        """Start with no trial; `inherit` says whether children start from their parents' weights.

        `begun` are the samples that architectures without a parent had seen before, by key. `size_bonus` is added
        for the size of a network.
        """
        self._metric = metric
        self._ranking = ranking(metric)
        self._inherit = inherit
        self._size_bonus = size_bonus
        self._begun = begun or {}
        self._learned: dict[int, _Learned] = {}  # by the trial's number
        self._gains: list[float] = []
        self._scale: tuple[float, float] | None = None  # the gain and the median size; medians of all, so kept

    def tell(self, trial: Trial) -> None:
        """Keep what `trial`, which has scores, reached and after how much training."""
        key, evaluation = trial.architecture.key, trial.evaluation
        before = self._learned.get(-1 if trial.parent is None else trial.parent)
        promoted = before is not None and before.key == key
        visits = evaluation.visits
        earlier = before.visits if before is not None and (promoted or self._inherit) else 0
        earlier += self._begun.get(key, 0) if before is None else 0
        if afresh(evaluation):
            visits, earlier = visits // len(evaluation.folds), 0
        error = max(_ERROR_FLOOR, 1.0 - evaluation.mean(self._metric))
        now = _Learned(
            key,
            -math.log(error),
            visits + earlier,
            self.size_of(trial),
            not afresh(evaluation) or self._size_bonus.on_folds,
        )
        self._learned[trial.number] = now
        self._scale = None
        if before is not None and promoted and now.doublings > before.doublings:
            self._gains.append((now.value - before.value) / (now.doublings - before.doublings))

    @property
    def gain(self) -> float:
        """What a doubling of the training adds to -log(error)."""
        return max(0.0, median(self._gains)) if self._gains else 0.0

    def __call__(self, trial: Trial) -> float:
        """Return what a trial that was told is worth: -log(error) at one sample seen, and the bonus."""
        return self._worth(self._learned[trial.number])

    def seen(self, trial: Trial) -> int:
        """Return how many samples a trial that was told has seen, with those that its first weights had seen."""
        return self._learned[trial.number].visits

    def stands_out(self, trial: Trial, among: Sequence[Trial], samples: int) -> bool:
        """Return whether `trial` is better than the median of `among` by more than its standard error, size aside.

        That is the standard error of -log(error) where the error is counted on so many `samples`. One that was not
        scored on several folds always does.
        """
        if not afresh(trial.evaluation):
            return True
        error = max(_ERROR_FLOOR, 1.0 - trial.evaluation.mean(self._metric))
        lead = self._value(trial) - median(map(self._value, among))
        return lead > math.sqrt(max(0.0, 1.0 - error) / (error * samples))

    def _value(self, trial: Trial) -> float:
        learned = self._learned[trial.number]
        return learned.value - self.gain * learned.doublings

    def by_key(self) -> dict[str, float]:
        """Return the worth of each architecture by its last trial."""
        return {each.key: self._worth(each) for each in self._learned.values()}

    def _worth(self, learned: _Learned) -> float:
        if self._scale is None:
            self._scale = self.gain, median(each.size for each in self._learned.values())
        gain, usual = self._scale
        extra = (
            bonus(learned.size - usual, learned.visits, self._size_bonus.of_a_doubling) if learned.has_bonus else 0.0
        )
        return learned.value - gain * learned.doublings + extra

    def size_of(self, trial: Trial) -> float:
        """Return the size of a network that the bonus goes by; it must have been measured or screened."""
        footprint = trial.evaluation.footprint
        return size(trial.architecture, 1 if footprint is None else getattr(footprint, self._size_bonus.measure))

    def key(self, trial: Trial) -> tuple[int, int, float, float, int, int]:
        """Sort by it, best first: the better trained, whose score is surer; this value; then as `ranking` does."""
        full, rung, score, arena, number = self._ranking(trial)
        return full, rung, -self(trial), score, arena, number


def size_bonus_of(journal: Journal, lengths: Lengths) -> SizeBonus:
    """Return the bonus of a search whose trainings are so long; on several folds too where the samples are many.

    One that began before multiply-accumulates counted goes on without them.
    """
    if not journal.fact("size_in_macs", False):
        return _BEFORE
    return replace(SIZE_BONUS, on_folds=lengths.few and not lengths.few_samples)


def afresh(evaluation: Evaluation) -> bool:
    """Return whether a proxy began with fresh weights: on several folds each would need some of its own."""
    return evaluation.fidelity == "proxy" and len(evaluation.folds) > 1


def size(architecture: Architecture, measured: int) -> float:
    """Return log2(measured) + log2(activations), those of every block's output together."""
    activations = sum(math.prod(shape) for shape in architecture.shapes[1:])
    return math.log2(max(1, measured)) + math.log2(activations)


def bonus(size: float, visits: int, of_a_doubling: float = SIZE_BONUS.of_a_doubling) -> float:
    """Return what a network's size is worth beside -log(error) after `visits` samples; nothing where none are known."""
    return of_a_doubling * size * math.sqrt(_BONUS_VISITS / visits) if visits else 0.0

"""A model of what was trained ranks a large pool of screened architectures; the best of it is trained next."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tinynas.architecture import SearchSpace, crossover, mutate
from tinynas.errors import door
from tinynas.hardware import Limits
from tinynas.runs import Trial
from tinynas.searching.equal_length import SIZE_BONUS, EqualLength, SizeBonus
from tinynas.searching.features import feature_names, features
from tinynas.searching.population import Population, scored
from tinynas.searching.strategy import Proposal, Screen

if TYPE_CHECKING:
    from tinynas.searching.committee import Committee

_POOL = 128
_ATTEMPTS = 3  # so many times _POOL are screened at most; under tight limits few fit
_ENOUGH = 12  # scored architectures, before which the prior ranks
_RANDOM, _CROSSED = 0.2, 0.25  # shares of the pool; the rest is mutants of the best
_PARENTS = 8
_STEPS = 3  # the most mutations from a parent to a member of the pool
_EXPLORED = 0.05  # the share of children that are drawn from the pool, however they rank

# Before anything is known: how much a standard deviation of each counts, and of chance beside it, by what the size of a
# network is. Kendall's tau of the sum of both with a full training is 0.66 for 24 random architectures of a large board
# (of parameters alone 0.68) and 0.82 for 14 that are near the starts under 16 KiB and 8 KiB (0.55), where nearly all
# have as many parameters as they may.
_PRIOR = {"macs": {"log_params": 1.0, "log_macs": 1.0}, "params": {"log_params": 1.0, "log_macs": 0.25}}
_CHANCE = 1.0


@dataclass(frozen=True)
class _Member:
    """An architecture of the pool that fits, with its features and the trial that it comes from."""

    proposal: Proposal
    features: np.ndarray


class Surrogate:
    """Ranks by a regressor on the features of every trained architecture; only what fits the limits is ranked.

    It learns the logarithm of the error, in which halving it counts the same anywhere, at one length of training (see
    `EqualLength`). A child is the member of the pool with the greatest mean + weight x deviation, the weight drawn for
    each child from an exponential distribution: most children are good bets, some are tries. While few are scored a
    prior on parameters and MACs ranks, with chance beside it.
    """

    @door
    def __init__(
        self,
        space: SearchSpace,
        screen: Screen,
        limits: Limits,
        *,
        start: str = "handmade",
        metric: str = "accuracy",
        inherit: bool = True,
        begun: Mapping[str, int] | None = None,
        size_bonus: SizeBonus = SIZE_BONUS,
        curiosity: float = 0.5,
    ) -> None:
        """Start with no trial known; `curiosity` is the mean of the weight of the deviation.

        `inherit` says whether children start from their parents' weights, `begun` what those without a parent had seen
        before, and `size_bonus` what size is worth, as in `EqualLength`.
        """
        self._space = space
        self._screen = screen
        self._limits = limits
        self._start = start
        self._lengths = EqualLength(metric, inherit, size_bonus, begun)
        self._weights = _PRIOR[size_bonus.measure]
        self._curiosity = curiosity
        self._population = Population()
        self._told: set[str] = set()
        self._features: dict[str, np.ndarray] = {}
        self._fitted: tuple[int, Committee] | None = None  # follows from what was told; kept since fitting takes time

    def tell(self, trial: Trial) -> None:
        """Keep the scores of a trial, and its key: nothing is proposed twice."""
        key, footprint = trial.architecture.key, trial.evaluation.footprint
        self._told.add(key)
        if not scored(trial) or footprint is None:
            return
        self._population.add(trial)
        self._features[key] = features(trial.architecture, footprint, self._space.kinds)
        self._lengths.tell(trial)
        self._fitted = None

    def ask(self, n: int, rng: np.random.Generator) -> list[Proposal]:
        """Return n children: the hand-made starts before anything is known, then members of the pool by rank."""
        fixed: list[Proposal] = []
        if not self._told and self._start == "handmade":
            fixed = [Proposal(architecture) for architecture in self._space.handmade()][:n]
        parents = sorted(self._population.trials, key=self._lengths.key)[:_PARENTS]
        pool = self._pool(parents, rng, {proposal.architecture.key for proposal in fixed} | self._told)
        ranked = self._ranked(pool, n - len(fixed), rng)
        rest = n - len(fixed) - len(ranked)
        return [*fixed, *ranked, *(self._draw(parents, rng) for _ in range(rest))]

    # --- the pool

    def _pool(self, parents: list[Trial], rng: np.random.Generator, known: set[str]) -> list[_Member]:
        """Return up to _POOL new architectures that fit."""
        members: dict[str, _Member] = {}
        for _ in range(_POOL * _ATTEMPTS):
            proposal = self._draw(parents, rng)
            architecture = proposal.architecture
            if architecture.key in known or architecture.key in members:
                continue
            footprint = self._screen(architecture)
            if not self._limits.violations(footprint):
                members[architecture.key] = _Member(proposal, features(architecture, footprint, self._space.kinds))
            if len(members) == _POOL:
                break
        return list(members.values())

    def _draw(self, parents: list[Trial], rng: np.random.Generator) -> Proposal:
        """Return a mutant of one of the best, a child of two of them, or a random architecture."""
        luck = rng.random()
        if not parents or luck < _RANDOM:
            return Proposal(self._space.random_architecture(rng))
        parent, other = (parents[int(rng.integers(len(parents), size=2).min())] for _ in range(2))
        if luck < _RANDOM + _CROSSED:
            return Proposal(crossover(parent.architecture, other.architecture, self._space, rng), parent.number)
        steps = int(rng.integers(1, _STEPS + 1))
        return Proposal(mutate(parent.architecture, self._space, rng, steps), parent.number)

    # --- the rank

    def _ranked(self, pool: list[_Member], n: int, rng: np.random.Generator) -> list[Proposal]:
        """Return up to n different members of the pool."""
        if not pool or n <= 0:
            return []
        x = np.array([member.features for member in pool])
        if len(self._population) < _ENOUGH:
            mean, deviation = _prior(x, self._space.kinds, self._weights), np.full(len(x), _CHANCE)
        else:
            mean, deviation = self._model().predict(x)
        left = np.ones(len(pool), dtype=bool)
        chosen = []
        for _ in range(min(n, len(pool))):
            if len(self._population) < _ENOUGH:
                score = mean + deviation * rng.standard_normal(len(pool))
            elif rng.random() < _EXPLORED:
                score = rng.random(len(pool))
            else:
                score = mean + self._curiosity * rng.exponential() * deviation
            best = int(np.argmax(np.where(left, score.round(6), -np.inf)))
            left[best] = False
            chosen.append(pool[best].proposal)
        return chosen

    def _model(self) -> "Committee":
        from tinynas.searching.committee import Committee

        if self._fitted is None or self._fitted[0] != len(self._features):
            values = self._lengths.by_key()
            x = np.array([self._features[key] for key in values])
            self._fitted = len(self._features), Committee(x, np.array(list(values.values())))
        return self._fitted[1]


def _prior(x: np.ndarray, kinds: tuple[str, ...], weights: Mapping[str, float]) -> np.ndarray:
    """Return how promising each row of features is, by size alone."""
    scaled = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-9)
    names = feature_names(kinds)
    return np.asarray(sum(weight * scaled[:, names.index(name)] for name, weight in weights.items()))

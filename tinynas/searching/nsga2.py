"""NSGA-II: several objectives at once, parents from the Pareto front and its emptiest parts."""

from collections.abc import Iterator, Sequence

import numpy as np

from tinynas.architecture import Architecture, SearchSpace, crossover, mutate
from tinynas.errors import door
from tinynas.hardware import Limits
from tinynas.runs import FRONT, State, Trial, objective_values, undominated
from tinynas.searching.population import Population
from tinynas.searching.starts import first
from tinynas.searching.strategy import Proposal

_CROSSOVERS = 0.5  # the share of children with two parents
_MUTATED = 0.7  # of those, the share that is mutated as well


class NSGA2:
    """NSGA-II (Deb et al. 2002) with its rule for constraints, over all trials so far.

    The order: feasible before infeasible; of two feasible the one on the better front, then the one with more room
    around it (crowding distance); of two infeasible the one with the smaller violation, which is the sum over the
    limits of how far each is passed, relative to it. The best `population` may have children, drawn by tournaments of
    two. An infeasible one was never trained, so its children name no parent.
    """

    @door
    def __init__(
        self,
        space: SearchSpace,
        *,
        objectives: Sequence[str] = FRONT,
        limits: Limits | None = None,
        start: str = "handmade",
        population: int = 20,
        n_mutations: int = 2,
        metric: str = "accuracy",
    ) -> None:
        """Start with no trial known; `objectives` are names from OBJECTIVES."""
        self._space = space
        self._objectives = tuple(objectives)
        self._limits = limits or Limits()
        self._start = start
        self._size = population
        self._n_mutations = n_mutations
        self._metric = metric
        self._population = Population()
        self._infeasible: dict[str, tuple[float, Architecture]] = {}

    def ask(self, n: int, rng: np.random.Generator) -> list[Proposal]:
        """Return n children of one or two parents, or n starts while nothing has been scored."""
        if not len(self._population):
            return [Proposal(architecture) for architecture in first(self._space, self._start, n, rng)]
        ranked = self._ranked()
        return [self._child(ranked, rng) for _ in range(n)]

    def tell(self, trial: Trial) -> None:
        """Keep a trial that has scores, and of an infeasible one how far it is over the limits."""
        self._population.add(trial)
        footprint = trial.evaluation.footprint
        if trial.evaluation.state is State.INFEASIBLE and footprint is not None:
            violation = sum(v.ratio - 1 for v in self._limits.violations(footprint))
            self._infeasible[trial.architecture.key] = violation, trial.architecture

    def _ranked(self) -> list[tuple[Architecture, int | None]]:
        """Return the architectures that may have children with the numbers of their trials, best first."""
        trials = self._population.trials
        order = crowded_order(objective_values(trials, self._objectives, self._metric), self._size)
        ranked: list[tuple[Architecture, int | None]] = [(trials[i].architecture, trials[i].number) for i in order]
        missing = self._size - len(ranked)
        if missing > 0:
            nearest = sorted(self._infeasible.values(), key=lambda entry: (entry[0], entry[1].key))
            ranked.extend((architecture, None) for _, architecture in nearest[:missing])
        return ranked[: self._size]

    def _child(self, ranked: list[tuple[Architecture, int | None]], rng: np.random.Generator) -> Proposal:
        architecture, number = ranked[_tournament(len(ranked), rng)]
        steps = int(rng.integers(1, self._n_mutations + 1))
        if rng.random() >= _CROSSOVERS:
            return Proposal(mutate(architecture, self._space, rng, steps), number)
        other, _ = ranked[_tournament(len(ranked), rng)]
        child = crossover(architecture, other, self._space, rng)
        if rng.random() < _MUTATED or child.key in (architecture.key, other.key):
            child = mutate(child, self._space, rng, steps)
        return Proposal(child, number)


def crowded_order(values: np.ndarray, most: int | None = None) -> list[int]:
    """Return the rows of `values` (n, objectives; less is better), best first, by front and then crowding distance.

    With `most` it ends with the front that makes them so many.
    """
    order: list[int] = []
    for members in fronts(values):
        distances = crowding(values[members])
        order.extend(members[i] for i in sorted(range(len(members)), key=lambda i: (-distances[i], members[i])))
        if most is not None and len(order) >= most:
            break
    return order


def fronts(values: np.ndarray) -> Iterator[list[int]]:
    """Yield the rows of `values` by fronts: those that none dominates, then those that only the first do, ..."""
    left = np.arange(len(values))
    while len(left):
        members = undominated(values[left])
        yield [int(i) for i in left[members]]
        left = left[~members]


def crowding(values: np.ndarray) -> np.ndarray:
    """Return the crowding distance of each row of a front: float64 (n,), infinite at the ends of an objective.

    The sum over the objectives of the distance between a row's two neighbours, relative to the objective's range.
    """
    distances = np.zeros(len(values))
    for column in values.T:
        order = np.argsort(column, kind="stable")
        low, high = column[order[0]], column[order[-1]]
        distances[order[0]] = distances[order[-1]] = np.inf
        if high > low:
            distances[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / (high - low)
    return distances


def _tournament(n: int, rng: np.random.Generator) -> int:
    """Return the better, that is the smaller, of two places drawn from n."""
    return int(rng.integers(n, size=2).min())

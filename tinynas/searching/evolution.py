"""The evolutionary strategy: the best few become parents, children are mutated copies."""

from heapq import nsmallest

import numpy as np

from tinynas.architecture import SearchSpace, mutate
from tinynas.errors import door
from tinynas.runs import Trial, ranking
from tinynas.searching.population import Population, scored
from tinynas.searching.starts import first
from tinynas.searching.strategy import Proposal


class Evolution:
    """(mu, lambda) evolution with selection "comma", (mu + lambda) with "plus".

    The first generation is the hand-made starts, if wanted, and random architectures. After that a child is a parent,
    drawn evenly from the best `n_parents`, after 1 to `n_mutations` mutations. With "comma" the parents are
    left behind: only the newest generation can be chosen from. With "plus" every trial so far can.
    """

    @door
    def __init__(
        self,
        space: SearchSpace,
        *,
        selection: str = "plus",
        start: str = "handmade",
        n_parents: int = 3,
        n_mutations: int = 2,
        metric: str = "accuracy",
    ) -> None:
        """Start with no trial known."""
        self._space = space
        self._selection = selection
        self._start = start
        self._n_parents = n_parents
        self._n_mutations = n_mutations
        self._key = ranking(metric)
        self._ranks: dict[int, tuple[float, ...]] = {}  # by number, as they cost more than to look through them
        self._population = Population()

    def ask(self, n: int, rng: np.random.Generator) -> list[Proposal]:
        """Return n children of the parents, or n starts while nothing has been scored."""
        parents = self._parents()
        if not parents:
            return [Proposal(architecture) for architecture in first(self._space, self._start, n, rng)]
        children = []
        for _ in range(n):
            parent = parents[int(rng.integers(len(parents)))]
            steps = int(rng.integers(1, self._n_mutations + 1))
            children.append(Proposal(mutate(parent.architecture, self._space, rng, steps), parent.number))
        return children

    def tell(self, trial: Trial) -> None:
        """Keep a trial that has scores."""
        if scored(trial):
            self._ranks[trial.number] = self._key(trial)
        self._population.add(trial)

    def _parents(self) -> list[Trial]:
        """Return the trials that may have children now, best first."""
        pool = self._population.newest if self._selection == "comma" else self._population.trials
        return nsmallest(self._n_parents, pool, key=lambda trial: self._ranks[trial.number])

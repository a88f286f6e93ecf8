"""The evolutionary strategy: the best few become parents, children are mutated copies."""

from bisect import bisect_left, insort

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
        self._population = Population()
        self._ranked: list[tuple[tuple[float, ...], str]] = []  # the key of each architecture of it, best first

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
        if not scored(trial):
            return
        key = trial.architecture.key
        before = self._population.of(key)
        self._population.add(trial)
        if before is not None:
            del self._ranked[bisect_left(self._ranked, (self._key(before), key))]
        now = self._population.of(key)
        assert now is not None
        insort(self._ranked, (self._key(now), key))

    def _parents(self) -> list[Trial]:
        """Return the trials that may have children now, best first."""
        if self._selection == "comma":
            return sorted(self._population.newest, key=self._key)[: self._n_parents]
        best = (self._population.of(key) for _, key in self._ranked[: self._n_parents])
        return [trial for trial in best if trial is not None]

"""Regularised evolution: only the youngest live, and the best of a few drawn from them has the next child."""

import numpy as np

from tinynas.architecture import SearchSpace, mutate
from tinynas.errors import door
from tinynas.runs import Trial, ranking
from tinynas.searching.population import Population
from tinynas.searching.starts import first
from tinynas.searching.strategy import Proposal


class AgingEvolution:
    """Aging evolution (Real et al., arXiv 1802.01548), which uNAS (arXiv 2010.14246) searches with.

    The population is the `population` architectures born last; until it is full, children are random (the hand-made
    starts before them, if wanted). Then `sample` of it are drawn, and the best of them, after 1 to `n_mutations`
    mutations, is the child. The paper has a population of 100, a sample of 25 and one mutation; the
    defaults are for searches of some dozen to some hundred trials.
    """

    @door
    def __init__(
        self,
        space: SearchSpace,
        *,
        start: str = "handmade",
        population: int = 20,
        sample: int = 5,
        n_mutations: int = 1,
        metric: str = "accuracy",
    ) -> None:
        """Start with no trial known."""
        self._space = space
        self._start = start
        self._size = population
        self._sample = min(sample, population)
        self._n_mutations = n_mutations
        self._key = ranking(metric)
        self._population = Population()

    def ask(self, n: int, rng: np.random.Generator) -> list[Proposal]:
        """Return n children: random ones while the population is not full."""
        alive = self._population.trials[-self._size :]
        missing = self._size - len(alive)
        if missing > 0:
            start = "random" if alive else self._start
            return [Proposal(architecture) for architecture in first(self._space, start, n, rng)]
        children = []
        for _ in range(n):
            drawn = rng.choice(len(alive), self._sample, replace=False)
            parent = min((alive[int(i)] for i in drawn), key=self._key)
            steps = int(rng.integers(1, self._n_mutations + 1))
            children.append(Proposal(mutate(parent.architecture, self._space, rng, steps), parent.number))
        return children

    def tell(self, trial: Trial) -> None:
        """Keep a trial that has scores."""
        self._population.add(trial)

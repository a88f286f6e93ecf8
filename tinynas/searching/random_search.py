"""The baseline strategy: every child is drawn from the search space, whatever was seen before."""

import numpy as np

from tinynas.architecture import SearchSpace
from tinynas.errors import door
from tinynas.runs import Trial
from tinynas.searching.strategy import Proposal


class RandomSearch:
    """Random architectures of the space."""

    @door
    def __init__(self, space: SearchSpace) -> None:
        """Draw from `space`."""
        self._space = space

    def ask(self, n: int, rng: np.random.Generator) -> list[Proposal]:
        """Return n random architectures."""
        return [Proposal(self._space.random_architecture(rng)) for _ in range(n)]

    def tell(self, trial: Trial) -> None:
        """Learn nothing: what was seen does not change what is drawn."""

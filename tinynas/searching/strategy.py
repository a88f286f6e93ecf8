"""What a strategy is: asked for children, told what became of them. Asking changes no state."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tinynas.architecture import Architecture
from tinynas.hardware import Footprint
from tinynas.runs import Trial

Screen = Callable[[Architecture], Footprint]
"""All that a search knows of boards."""


@dataclass(frozen=True)
class Proposal:
    """A child that a strategy proposes, and the number of the trial that it comes from (None: from nothing)."""

    architecture: Architecture
    parent: int | None = None


class Strategy(Protocol):
    """The seam between the loop and whatever decides what to try next.

    The loop tells every trial, in the order of their numbers, generation by generation. When it asks for another, the
    newest of those asked for may not be told yet (`ahead.py`); a resumed search tells and asks the same again. So a
    strategy whose state follows from what it was told, and whose choices follow from `rng`, gives the same search after
    a kill.
    """

    def ask(self, n: int, rng: np.random.Generator) -> list[Proposal]:
        """Return n proposals; they may be infeasible or known already, the loop sees to that."""
        ...

    def tell(self, trial: Trial) -> None:
        """Take note of a trial: complete, infeasible or failed."""
        ...

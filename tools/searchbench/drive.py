"""A search with nothing around it: ask, screen, train, tell, until the budget is used. For peers and for replays."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from tinynas.architecture import Architecture, SearchSpace
from tinynas.hardware import Footprint, Limits
from tinynas.runs import Evaluation, State, Trial
from tinynas.searching import Proposal, Strategy
from tinynas.searching.feasible import propose
from tinynas.searching.strategy import Screen

Train = Callable[[int, Architecture, Footprint], Evaluation]  # the number of the trial, what, its screened footprint


class BudgetUsedError(Exception):
    """The budget is used: what is trained from here on does not count."""


@dataclass
class Meter:
    """CPU seconds against a budget, and the points of the curve. `clock` gives the seconds since the start.

    `credit` is taken off: seconds that the clock has and the search would not have needed.
    """

    budget_s: float
    clock: Callable[[], float]
    credit: float = 0.0
    points: list[tuple[float, float]] = field(default_factory=list)

    def spent(self) -> float:
        """Return the seconds that count so far."""
        return self.clock() - self.credit

    def note(self, score: float) -> None:
        """Add the score of a training that ends now; BudgetUsedError when that is at the budget's end or after it."""
        self.points.append((self.spent(), score))
        if self.spent() >= self.budget_s:
            raise BudgetUsedError


def drive(
    strategy: Strategy,
    space: SearchSpace,
    screen: Screen,
    limits: Limits,
    train: Train,
    meter: Meter,
    seed: int,
    n_children: int = 1,
) -> list[Trial]:
    """Search until the meter's budget is used or the space holds nothing new; return the trials."""
    known: set[str] = set()
    trials: list[Trial] = []
    for generation in range(10**6):
        rng = np.random.default_rng([seed, generation])
        candidates = propose(strategy, space, screen, limits, known, n_children, rng)
        told = []
        for candidate in candidates:
            architecture, number = candidate.proposal.architecture, len(trials)
            if candidate.violations:
                texts = tuple(map(str, candidate.violations))
                evaluation = Evaluation(State.INFEASIBLE, candidate.footprint, texts)
            else:
                evaluation = train(number, architecture, candidate.footprint)
            trial = Trial(number, generation, candidate.proposal.parent, architecture, evaluation)
            trials.append(trial)
            told.append(trial)
            if evaluation.folds:
                try:
                    meter.note(evaluation.mean())
                except BudgetUsedError:
                    return trials
        if not any(trial.evaluation.folds for trial in told):
            return trials
        for trial in told:
            strategy.tell(trial)
    return trials


def steered(
    architecture: Architecture, space: SearchSpace, screen: Screen, limits: Limits, rng: np.random.Generator
) -> tuple[Architecture, Footprint] | None:
    """Return `architecture`, shrunk until it fits, with its footprint; None when nothing smaller fits."""

    class Given:
        def ask(self, n: int, rng: np.random.Generator) -> list[Proposal]:
            return [Proposal(architecture)]

        def tell(self, trial: Trial) -> None:
            """Nothing is learned."""

    last = propose(Given(), space, screen, limits, set(), 1, rng)[-1]
    return None if last.violations else (last.proposal.architecture, last.footprint)

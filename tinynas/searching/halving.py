"""Successive halving: which trials are trained on, from the weights they have, for longer than they were."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from typing import Any

from tinynas.runs import State, Trial


def promotions(
    trials: Sequence[Trial],
    n_rungs: int,
    reduction: int,
    key: Callable[[Trial], Any],
    stands_out: Callable[[Trial, Sequence[Trial]], bool] = lambda trial, among: True,
    going: Collection[tuple[int, str]] = (),
) -> tuple[Trial, ...]:
    """Return the trials to be promoted now, the highest rungs first.

    Of the architectures that reached a rung, the best 1 / `reduction` go on to the next: when `n` have reached it and
    `p` have left it, the best `n // reduction - p` of those that are still there; `key` sorts the best first. This is
    asynchronous successive halving (Li et al. 2020, ASHA) but for its surplus: there a late, better trial is promoted
    although the share is used up. Here children inherit weights and come from the best, and all would go on. Who does
    not stand out among those that reached the rung stays: where scores are mostly chance, so is their order. `going`
    are promotions under way, the rung and the key of each: they have left, and have reached nothing yet.
    """
    reached: dict[int, dict[str, Trial]] = defaultdict(dict)
    for trial in trials:
        if trial.evaluation.fidelity == "proxy" and trial.evaluation.state is not State.INFEASIBLE:
            reached[trial.evaluation.rung][trial.architecture.key] = trial
    found: list[Trial] = []
    for rung in range(n_rungs - 2, -1, -1):
        gone = reached[rung + 1].keys() | {key for to, key in going if to == rung + 1}
        here = [t for key, t in reached[rung].items() if key not in gone and t.evaluation.folds]
        places = len(reached[rung]) // reduction - len(gone)
        scored = [t for t in reached[rung].values() if t.evaluation.folds]
        found += [t for t in sorted(here, key=key)[: max(0, places)] if stands_out(t, scored)]
    return tuple(found)

"""Which trials may be compared with one another, and which of them no other beats."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from math import isnan

from tinynas.runs import Trial, front, objective_value

COSTS = {"ram": "tensor arena, KiB", "flash": "model file, KiB", "latency": "latency, ms (estimated)"}
"""What accuracy may be held against, and what its axis says."""

MOST_MARKS = 1000
"""Trials that a chart draws: of more, those that lead and an even choice of the others."""


@dataclass(frozen=True)
class Group:
    """Trials whose scores are like for like: of one fidelity and one rung; `label` says which, `full` the fidelity."""

    label: str
    trials: tuple[Trial, ...]
    full: bool = False


def groups(trials: Sequence[Trial], fidelity: str) -> tuple[Group, ...]:
    """Return the trained trials by how they were trained, from the least to the most training.

    `fidelity` is the search's: with "proxy", those of full fidelity are its finalists.
    """
    kinds: dict[tuple[bool, int], list[Trial]] = {}
    for trial in trials:
        if trial.evaluation.folds:
            kinds.setdefault(trial.evaluation.training, []).append(trial)
    rungs = any(rung for full, rung in kinds if not full)
    return tuple(Group(_label(*kind, fidelity, rungs), tuple(kinds[kind]), kind[0]) for kind in sorted(kinds))


def front_line(trials: Sequence[Trial], metric: str, objective: str) -> tuple[Trial, ...]:
    """Return the front of accuracy and `objective` ("ram", "flash", "latency"), by rising cost.

    Trials without such a figure are left out.
    """
    known = [trial for trial in trials if not isnan(cost_of(trial, objective))]
    return tuple(sorted(front(known, ("accuracy", objective), metric), key=lambda trial: cost_of(trial, objective)))


def cost_of(trial: Trial, objective: str) -> float:
    """Return bytes of the arena ("ram") or the file ("flash"), or milliseconds ("latency"); NaN where not known."""
    value = objective_value(trial, objective)
    return float("nan") if value is None else float(value)


def scaled_cost(name: str, trial: Trial) -> float:
    """Return a cost in the unit of its axis; NaN, which is not drawn, where it is not known."""
    return cost_of(trial, name) / (1 if name == "latency" else 1024)


def thinned(groups: Sequence[Group], always: Container[int], most: int) -> tuple[Group, ...]:
    """Return the groups with about `most` trials in all: those whose number is in `always`, and evenly of the rest."""
    rest = sum(trial.number not in always for group in groups for trial in group.trials)
    every = max(1, -(-rest // most))
    return tuple(
        replace(group, trials=tuple(t for n, t in enumerate(group.trials) if t.number in always or n % every == 0))
        for group in groups
    )


def _label(full: bool, rung: int, fidelity: str, rungs: bool) -> str:
    if full:
        return "finalists, trained for longer" if fidelity == "proxy" else "trained on every fold"
    return f"proxy training, rung {rung}" if rungs else "proxy training"

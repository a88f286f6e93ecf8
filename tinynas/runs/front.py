"""The Pareto front: the trials of which none is beaten in every objective at once."""

from collections.abc import Iterable, Sequence

import numpy as np

from tinynas.errors import ModelError, UsageError, door
from tinynas.options.search import OBJECTIVES
from tinynas.runs.trial import Trial, latest
from tinynas.words import known

# What there is to gain beside accuracy -> the footprint's figure that is to be small.
_FIGURES = {
    "ram": "arena_bytes",
    "flash": "flash_bytes",
    "latency": "latency_ms",
    "macs": "macs",
    "params": "params",
}
FRONT = ("accuracy", "ram", "flash")  # where no other objectives were asked for


@door
def checked_objectives(names: Sequence[str]) -> tuple[str, ...]:
    """Return `names` as a tuple; UsageError unless they are known, different, and accuracy is one of them."""
    for name in names:
        if name not in OBJECTIVES:
            raise UsageError(f"There is no objective {name!r} ({known(name, OBJECTIVES)}).")
    if len(set(names)) < len(names):
        raise UsageError(f"The objectives {', '.join(names)} name one of them twice; name each once.")
    if "accuracy" not in names:
        raise UsageError(f"The objectives {', '.join(names) or '()'} leave out accuracy; name it with the others.")
    return tuple(names)


def front_objectives(objectives: Sequence[str]) -> tuple[str, ...]:
    """Return what the front of a search for `objectives` is in: FRONT where it is for accuracy alone."""
    return tuple(objectives) if len(objectives) > 1 else FRONT


def objective_value(trial: Trial, objective: str, metric: str = "accuracy") -> float | None:
    """Return what a trained trial has of an objective, less is better; None where it is not known.

    "accuracy" is the mean of `metric` over the int8 models, negated; ram the arena and flash the model file, in bytes;
    latency in ms.
    """
    if objective == "accuracy":
        return -trial.evaluation.mean(metric)
    footprint = trial.evaluation.footprint
    value: float | None = None if footprint is None else getattr(footprint, _FIGURES[objective])
    return value


def objective_values(trials: Sequence[Trial], objectives: Sequence[str], metric: str = "accuracy") -> np.ndarray:
    """Return the `objective_value` of each trained trial: float64 (trials, objectives), less is better.

    ModelError when a value is not known.
    """
    rows = []
    for trial in trials:
        values = [objective_value(trial, name, metric) for name in objectives]
        if None in values:
            name = objectives[values.index(None)]
            raise ModelError(
                f"The {name} of trial {trial.number} is not known: leave this objective out, or use a board for which "
                f"it can be worked out."
            )
        rows.append(values)
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(objectives))


def undominated(values: np.ndarray) -> np.ndarray:
    """Return bool (n,): whether no row of `values` (n, objectives; less is better) dominates row i.

    A row dominates another that is nowhere worse, and somewhere better.
    One row after the other is held against those that are left, so that the memory is that of the rows.
    """
    left, at = np.arange(len(values)), 0
    while at < len(left):
        rows, row = values[left], values[left[at]]
        stay = (rows < row).any(axis=1) | (rows == row).all(axis=1)
        at = int(stay[:at].sum()) + 1
        left = left[stay]
    found = np.zeros(len(values), dtype=bool)
    found[left] = True
    return found


@door
def front(trials: Iterable[Trial], objectives: Sequence[str] = FRONT, metric: str = "accuracy") -> tuple[Trial, ...]:
    """Return the trained trials that no other dominates, best int8 score first.

    An architecture stands here with its trial of most training (see `latest`); of trials equal in every objective all
    are returned.
    """
    given = tuple(trials)
    for each in given:
        if not isinstance(each, Trial):
            raise UsageError(f"front(): trials must be tinynas.Trial objects, and one is {each!r:.60}.")
    last = latest(given)
    values = objective_values(last, checked_objectives(objectives), metric)
    kept = [trial for trial, stands in zip(last, undominated(values).tolist(), strict=True) if stands]
    return tuple(sorted(kept, key=lambda trial: (-trial.evaluation.mean(metric), trial.number)))

"""The Pareto front: the trials of which none is beaten in every objective at once."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from tinynas.errors import ModelError, UsageError
from tinynas.options.search import OBJECTIVES
from tinynas.runs.trial import Trial, latest
from tinynas.words import known

# What there is to gain -> its value, less is better; None where it is not known.
_VALUES: Mapping[str, Callable[[Trial, str], float | None]] = {
    "accuracy": lambda trial, metric: -trial.evaluation.mean(metric),
    "ram": lambda trial, _: _of(trial, "arena_bytes"),
    "flash": lambda trial, _: _of(trial, "flash_bytes"),
    "latency": lambda trial, _: _of(trial, "latency_ms"),
    "macs": lambda trial, _: _of(trial, "macs"),
    "params": lambda trial, _: _of(trial, "params"),
}
FRONT = ("accuracy", "ram", "flash")  # where no other objectives were asked for


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


def objective_values(trials: Sequence[Trial], objectives: Sequence[str], metric: str = "accuracy") -> np.ndarray:
    """Return what each trained trial has of each objective, less is better: float64 (trials, objectives).

    "accuracy" is the mean of `metric` over the int8 models, negated; ram the arena and flash the model file, in bytes;
    latency in ms. ModelError when a value is not known.
    """
    rows = []
    for trial in trials:
        values = [_VALUES[name](trial, metric) for name in objectives]
        if None in values:
            name = objectives[values.index(None)]
            raise ModelError(
                f"The {name} of trial {trial.number} is not known: leave this objective away, or use a board for which "
                f"it can be worked out."
            )
        rows.append(values)
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(objectives))


def dominance(values: np.ndarray) -> np.ndarray:
    """Return bool (n, n): whether row i of `values` (n, objectives; less is better) dominates row j.

    That is: nowhere worse, and somewhere better.
    """
    rows, columns = values[:, None, :], values[None, :, :]
    return np.logical_and((rows <= columns).all(axis=2), (rows < columns).any(axis=2))


def front(trials: Iterable[Trial], objectives: Sequence[str] = FRONT, metric: str = "accuracy") -> tuple[Trial, ...]:
    """Return the trained trials that no other dominates, best int8 score first.

    An architecture stands here with its trial of most training (see `latest`); of trials equal in every objective all
    are returned.
    """
    last = latest(trials)
    values = objective_values(last, checked_objectives(objectives), metric)
    beaten = np.any(dominance(values), axis=0)
    kept = [trial for trial, is_beaten in zip(last, beaten.tolist(), strict=True) if not is_beaten]
    return tuple(sorted(kept, key=lambda trial: (-trial.evaluation.mean(metric), trial.number)))


def _of(trial: Trial, name: str) -> float | None:
    footprint = trial.evaluation.footprint
    value: float | None = None if footprint is None else getattr(footprint, name)
    return value

"""Which trials may be compared with one another, and which of them no other beats."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tinynas.runs import Trial


@dataclass(frozen=True)
class Group:
    """Trials whose scores are like for like: of one fidelity and one rung; `label` says which."""

    label: str
    trials: tuple[Trial, ...]


def groups(trials: Sequence[Trial], fidelity: str) -> tuple[Group, ...]:
    """Return the trained trials by how they were trained, from the least to the most training.

    `fidelity` is the search's: with "proxy", those of full fidelity are its finalists.
    """
    kinds: dict[tuple[bool, int], list[Trial]] = {}
    for trial in trials:
        if trial.evaluation.folds:
            full = trial.evaluation.fidelity == "full"
            kinds.setdefault((full, trial.evaluation.rung), []).append(trial)
    rungs = any(rung for full, rung in kinds if not full)
    return tuple(Group(_label(*kind, fidelity, rungs), tuple(kinds[kind])) for kind in sorted(kinds))


def front(trials: Sequence[Trial], metric: str, cost: Callable[[Trial], float | None]) -> tuple[Trial, ...]:
    """Return the trials that no other beats, by rising cost: none is at most as costly and scores higher.

    Trials without a cost are left out; of two that are equal in both the older stays.
    """
    priced = [(price, trial) for trial in trials if (price := cost(trial)) is not None]
    priced.sort(key=lambda pair: (pair[0], -pair[1].evaluation.mean(metric), pair[1].number))
    kept: list[Trial] = []
    for _, trial in priced:
        if not kept or trial.evaluation.mean(metric) > kept[-1].evaluation.mean(metric):
            kept.append(trial)
    return tuple(kept)


def _label(full: bool, rung: int, fidelity: str, rungs: bool) -> str:
    if full:
        return "finalists, trained on more folds" if fidelity == "proxy" else "trained on every fold"
    return f"proxy training, rung {rung}" if rungs else "proxy training"

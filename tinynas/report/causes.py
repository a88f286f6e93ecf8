"""Why trials were not trained: how many were over each limit and by how much, and what made others fail."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from tinynas.errors import TinynasError
from tinynas.hardware import MEASURES, Limits
from tinynas.runs import State, Trial

_MOST_ERRORS = 5


@dataclass(frozen=True)
class Cause:
    """A limit: how many trials were over it, and by what factor the one in the middle was (None: not known)."""

    limit: str
    label: str
    trials: int
    median_ratio: float | None


def infeasible(trials: Sequence[Trial], limits: Limits) -> tuple[Cause, ...]:
    """Return a Cause for each limit that was broken, the most frequent first. A trial may be over several."""
    ratios: dict[str, list[float | None]] = {}
    labels: dict[str, str] = {}
    for trial in trials:
        if trial.evaluation.state is not State.INFEASIBLE:
            continue
        for name, label, ratio in _broken(trial, limits):
            labels[name] = label
            ratios.setdefault(name, []).append(ratio)
    causes = [Cause(name, labels[name], len(found), _median(found)) for name, found in ratios.items()]
    return tuple(sorted(causes, key=lambda cause: (-cause.trials, cause.limit)))


def failures(trials: Sequence[Trial]) -> tuple[tuple[str, int], ...]:
    """Return the most common errors of failed trials, and how many had each."""
    errors = Counter(
        " ".join(trial.evaluation.error.split()) or "no reason was given"
        for trial in trials
        if trial.evaluation.state is State.FAILED
    )
    return tuple(errors.most_common(_MOST_ERRORS))


def _broken(trial: Trial, limits: Limits) -> list[tuple[str, str, float | None]]:
    """Return (limit, label, ratio) of what `trial` breaks, or, where that is not known, what its journal says."""
    evaluation = trial.evaluation
    if evaluation.footprint is not None:
        try:
            found = [(v.limit, MEASURES[v.limit].label, v.ratio) for v in limits.violations(evaluation.footprint)]
            if found:
                return list(found)
        except TinynasError:
            pass  # a figure is not known any more: the journal's words stand
    return [(_start(text), _start(text), None) for text in evaluation.violations]


def _start(text: str) -> str:
    """Return what a violation is about: the words before its first number."""
    words = []
    for word in text.split():
        if word[0].isdigit():
            break
        words.append(word)
    return " ".join(words) or text


def _median(ratios: Sequence[float | None]) -> float | None:
    known = [ratio for ratio in ratios if ratio is not None]
    return median(known) if known else None

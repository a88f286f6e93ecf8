"""Smaller than the best and nearly as good: what a standard error cannot tell apart, and what a person may prefer."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import stdev
from typing import Any

from tinynas.runs.trial import Evaluation, Trial

_NOTABLE = 0.9  # of two networks one is the smaller if its file or its arena is at most so much of the other's
_SMALL, _SMALL_ERRORS = 0.02, 2.0  # what "small" gives up: two points, or two standard errors where these are more


def standard_error(evaluation: Evaluation, metric: str, samples: int) -> float:
    """Return the standard error of the mean over the folds; of one fold, that of a share of the samples it has.

    These are `samples` where the evaluation does not say how many it was scored on.
    Over folds it is s / sqrt(K) with the sample deviation s, as in the one-standard-error rule of Breiman et al. 1984,
    "Classification and Regression Trees".
    """
    scores: list[float] = [getattr(fold.int8, metric) for fold in evaluation.folds]
    if len(scores) > 1:
        return stdev(scores) / math.sqrt(len(scores))
    return math.sqrt(scores[0] * (1 - scores[0]) / max(1, evaluation.scored or samples))


def size_beside(trial: Trial, best: Trial) -> float:
    """Return how large `trial` is beside `best`: the mean of the shares of its file and of its arena."""
    return sum(_shares(trial, best)) / 2


def preferred(trials: Sequence[Trial], metric: str, prefer: str, samples: int, best: Trial) -> Trial:
    """Return the trial that a person who has said what he prefers would take.

    "accuracy" is `best`, the one with the best score. "balanced" is the smallest network within one standard error of
    it, "small" the smallest within two points, or two standard errors where these are more: of those trained as well as
    the best, and of which neither file nor arena is larger than its.
    """
    if prefer == "accuracy":
        return best
    lost = _given_up(prefer, standard_error(best.evaluation, metric, samples))
    alike = [trial for trial in trials if trial.evaluation.folds and _alike(trial, best)]
    return min(_within(alike, best, metric, lost), key=lambda trial: _rank(trial, best, metric), default=best)


@dataclass(frozen=True)
class Smaller:
    """A network that is smaller than the best, and not surely worse: `trial` is as it was trained beside the best.

    `points` is what it scored less, in [0, 1]; `error` is the standard error of the best's score there.
    """

    trial: Trial
    points: float
    error: float

    def to_dict(self) -> dict[str, Any]:
        """Return what summary.json says of it."""
        footprint = self.trial.evaluation.footprint
        assert footprint is not None
        return {
            "trial": self.trial.number,
            "fidelity": self.trial.evaluation.fidelity,
            "points": round(100 * self.points, 3),
            "standard_error": round(100 * self.error, 3),
            "flash_bytes": footprint.flash_bytes,
            "arena_bytes": footprint.arena_bytes,
        }


def smaller(trials: Sequence[Trial], best: Trial, metric: str, samples: int) -> Smaller | None:
    """Return the smallest network within one standard error of `best`; None when none is notably smaller.

    A finalist is compared as such; another with the best's proxy of most training, if it had as much: shorter trainings
    favour small networks.
    """
    proxies = [trial for trial in trials if trial.architecture.key == best.architecture.key and trial.evaluation.folds]
    proxies = [trial for trial in proxies if trial.evaluation.fidelity != "full"]
    beside = [best, *sorted(proxies, key=lambda trial: trial.evaluation.training)[-1:]]
    found: dict[str, Smaller] = {}
    for one in beside:  # as finalists first: an architecture stands as it was trained best
        error = standard_error(one.evaluation, metric, samples)
        alike = [trial for trial in trials if trial.evaluation.folds and _alike(trial, one)]
        if one is not best:
            alike = [trial for trial in alike if not _has_full(trials, trial)]
        for trial in _within(alike, one, metric, error):
            lost = one.evaluation.mean(metric) - trial.evaluation.mean(metric)
            found.setdefault(trial.architecture.key, Smaller(trial, lost, error))
    found = {key: each for key, each in found.items() if min(_shares(each.trial, best)) <= _NOTABLE}
    return min(found.values(), key=lambda each: _rank(each.trial, best, metric), default=None)


def unbeaten(
    trials: Sequence[Trial],
    best: Trial,
    proven: Collection[str],
    metric: str,
    samples: int,
    size: Callable[[Trial], float],
) -> Trial:
    """Return the largest of the `proven` architectures (keys) that `best` leads by less than a standard error.

    On one fold that is the error of the difference: both scores are counted, and neither training was repeated.
    That is among those trained as `best` was; `best` itself where there is none. The best of several scores is too high
    by chance, and short comparisons favour what learns fast: who is known to end well stays unless surely beaten. Of
    several such the larger, by `size`, has more to gain from the longer training that follows.
    """
    alike = [trial for trial in trials if trial.architecture.key in proven and trial.evaluation.folds]
    score = best.evaluation.mean(metric)
    level = [
        trial
        for trial in alike
        if _alike(trial, best) and score - trial.evaluation.mean(metric) < _doubt(trial.evaluation, metric, samples)
    ]
    return max(level, key=lambda trial: (size(trial), trial.evaluation.mean(metric)), default=best)


def _doubt(evaluation: Evaluation, metric: str, samples: int) -> float:
    """Return the standard error over the folds; of one fold, that of the difference of two scores counted on it.

    Older runs, which do not say on how many samples that was, go on with the error of one.
    """
    error = standard_error(evaluation, metric, samples)
    return math.sqrt(2) * error if evaluation.scored and len(evaluation.folds) == 1 else error


def contenders(ranked: Sequence[Trial], n: int, metric: str, prefer: str, samples: int) -> list[Trial]:
    """Return the finalists out of `ranked`, the best first: the best `n`, or some small ones among them.

    Who prefers a smaller network has half of the places, one at least, for the smallest of those that are within what
    he gives up and were trained as well as the best.
    """
    if prefer == "accuracy" or not ranked:
        return list(ranked[:n])
    first = list(ranked[: max(1, n - n // 2)])
    lost = _given_up(prefer, standard_error(ranked[0].evaluation, metric, samples))
    rest = [trial for trial in ranked if trial not in first and _alike(trial, ranked[0])]
    small = sorted(_within(rest, ranked[0], metric, lost), key=lambda trial: _rank(trial, ranked[0], metric))
    chosen = [*first, *small[: max(1, n // 2)]]
    return [*chosen, *(trial for trial in ranked if trial not in chosen)][: max(n, len(chosen))]


def _given_up(prefer: str, error: float) -> float:
    """Return how much of the score a smaller network may cost, with the standard error of the best."""
    return error if prefer == "balanced" else max(_SMALL, _SMALL_ERRORS * error)


def _within(trials: Sequence[Trial], best: Trial, metric: str, lost: float) -> list[Trial]:
    """Return those whose score is at most `lost` below the best's, and which are larger in nothing."""
    least = best.evaluation.mean(metric) - lost - 1e-9
    return [t for t in trials if t.evaluation.mean(metric) >= least and t is not best and max(_shares(t, best)) <= 1]


def _alike(trial: Trial, best: Trial) -> bool:
    """Whether the scores of both are like for like: of one kind of training, as long, over as many folds."""
    one, other = ((e.training, len(e.folds), e.visits) for e in (trial.evaluation, best.evaluation))
    return one == other


def _has_full(trials: Sequence[Trial], trial: Trial) -> bool:
    key = trial.architecture.key
    return any(each.architecture.key == key and each.evaluation.fidelity == "full" for each in trials)


def _rank(trial: Trial, best: Trial, metric: str) -> tuple[float, float, int]:
    return size_beside(trial, best), -trial.evaluation.mean(metric), trial.number


def _shares(trial: Trial, best: Trial) -> tuple[float, float]:
    """Return the file and the arena of `trial`, as shares of those of `best`."""
    one, other = trial.evaluation.footprint, best.evaluation.footprint
    assert one is not None
    assert other is not None  # both were trained
    return one.flash_bytes / other.flash_bytes, one.arena_bytes / other.arena_bytes


def smaller_words(summary: Mapping[str, Any], run: str) -> str | None:
    """Return the sentence on the smaller network that a summary names, and the command that trains it; or None."""
    found, best = summary.get("smaller"), summary["best"]
    if not found or best is None:
        return None
    points = found["points"]
    score = (
        "as good in validation"
        if abs(points) < 0.05
        else f"{abs(points):.1f} points {'less' if points > 0 else 'more'}"
    )
    where = "" if found["fidelity"] == "full" else " as the search trained both"
    flash, arena = (100 * found[name] / best[name] for name in ("flash_bytes", "arena_bytes"))
    return (
        f"#{found['trial']}: {score}{where}, {flash:.0f} % of the model file, {arena:.0f} % of the arena: "
        f"tinynas train {run}:{found['trial']}"
    )

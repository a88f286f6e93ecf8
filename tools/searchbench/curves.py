"""A search as a curve of its best score over CPU seconds; means, areas and paired differences of many."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from math import sqrt
from statistics import mean, stdev
from typing import Any


@dataclass(frozen=True)
class Curve:
    """One search: `points` are (CPU seconds so far, score) of every trained trial in order, the score in [0, 1].

    What was finished after `budget_s` does not count. `floor` is the score of a guess: the value before the first
    point. `about` says how the run was made.
    """

    data: str
    strategy: str
    seed: int
    budget_s: float
    floor: float
    points: tuple[tuple[float, float], ...]
    about: Mapping[str, Any] = field(default_factory=dict)

    def best(self, seconds: float | None = None) -> float:
        """Return the best score that was there after `seconds` (default: the budget)."""
        until = self.budget_s if seconds is None else min(seconds, self.budget_s)
        return max((score for at, score in self.points if at <= until), default=self.floor)

    def area(self) -> float:
        """Return the mean over the budget of the best score so far: 1.0 is a perfect model from the first second."""
        steps = [(0.0, self.floor)]
        for at, score in self.points:
            if at <= self.budget_s:
                steps.append((at, max(steps[-1][1], score)))
        steps.append((self.budget_s, steps[-1][1]))
        return sum((later - at) * best for (at, best), (later, _) in pairwise(steps)) / self.budget_s

    def trials(self) -> int:
        """Return how many trainings ended within the budget."""
        return sum(at <= self.budget_s for at, _ in self.points)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; `from_dict` takes them back."""
        return {**asdict(self), "points": [[round(at, 2), round(score, 5)] for at, score in self.points]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Curve":
        """Return the curve that `to_dict` gave."""
        return cls(**{**values, "points": tuple((at, score) for at, score in values["points"])})


@dataclass(frozen=True)
class Paired:
    """Mean and standard error of the differences a - b over what both have run, and how often a was better."""

    mean: float
    error: float
    wins: int
    n: int


def paired(a: Iterable[Curve], b: Iterable[Curve], of: str) -> Paired:
    """Compare two strategies by `of` ("best" or "area"), seed by seed and data set by data set.

    Raises ValueError when they share none.
    """
    values = [{(curve.data, curve.seed): getattr(curve, of)() for curve in curves} for curves in (a, b)]
    both = sorted(set(values[0]) & set(values[1]))
    if not both:
        raise ValueError("the two strategies share no data set and seed")
    differences = [values[0][key] - values[1][key] for key in both]
    error = stdev(differences) / sqrt(len(both)) if len(both) > 1 else float("nan")
    return Paired(mean(differences), error, sum(d > 0 for d in differences), len(both))


def markdown(curves: Sequence[Curve]) -> str:
    """Return the tables for docs/benchmarks.md: each data set, then all of them against the first strategy, paired."""
    strategies = list(dict.fromkeys(curve.strategy for curve in curves))
    lines = []
    for data in dict.fromkeys(curve.data for curve in curves):
        here = [curve for curve in curves if curve.data == data]
        budget = max(curve.budget_s for curve in here)
        marks = [budget / 4, budget / 2, budget]
        lines += [
            f"### {data}, {budget:.0f} CPU s a run",
            "",
            "| strategy | runs | trainings | "
            + " | ".join(f"best at {m:.0f} s" for m in marks)
            + " | anytime area | full |",
            "|---|---|---|" + "---|" * (len(marks) + 2),
        ]
        for strategy in strategies:
            runs = [curve for curve in here if curve.strategy == strategy]
            if runs:
                cells = [_spread([curve.best(mark) for curve in runs]) for mark in marks]
                cells.append(_spread([curve.area() for curve in runs]))
                fulls = [full for curve in runs if (full := curve.about.get("full_of_best")) is not None]
                cells.append(_spread(fulls) if fulls else "-")
                trained = mean(curve.trials() for curve in runs)
                lines.append(f"| {strategy} | {len(runs)} | {trained:.1f} | " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join([*lines, *_against_first(curves, strategies)])


def _against_first(curves: Sequence[Curve], strategies: Sequence[str]) -> list[str]:
    first = strategies[0]
    lines = [
        f"### {first} against each, paired by data set and seed (points of accuracy, mean +/- standard error)",
        "",
        "| against | pairs | best | won | area | won |",
        "|---|---|---|---|---|---|",
    ]
    ours = [curve for curve in curves if curve.strategy == first]
    for other in strategies[1:]:
        theirs = [curve for curve in curves if curve.strategy == other]
        try:
            best, area = paired(ours, theirs, "best"), paired(ours, theirs, "area")
        except ValueError:
            continue
        cells = [f"{100 * p.mean:+.2f} +/- {100 * p.error:.2f} | {p.wins}/{p.n}" for p in (best, area)]
        lines.append(f"| {other} | {best.n} | {cells[0]} | {cells[1]} |")
    return lines


def _spread(values: Sequence[float]) -> str:
    """Return mean and deviation in per cent."""
    deviation = f" +/- {100 * stdev(values):.2f}" if len(values) > 1 else ""
    return f"{100 * mean(values):.2f}{deviation}"

"""The Pareto front as a matplotlib figure, for notebooks and papers; the page report.html draws its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tinynas.errors import UsageError
from tinynas.report.front import COSTS, Group, front_line, groups, scaled_cost
from tinynas.runs import Trial
from tinynas.words import one_of

_COLOURS, _MARKERS = ("#2f7ebd", "#a9609b", "#b07d12", "#3a9aa6"), "o^vD"
_FULL, _BEST = "#14936c", "#d9661f"


def plot_front(
    trials: Sequence[Trial],
    best: Trial | None,
    *,
    cost: str = "ram",
    metric: str = "accuracy",
    fidelity: str = "proxy",
    path: str | Path | None = None,
) -> Any:
    """Return a matplotlib Figure of int8 validation `metric` against `cost`: marks are trials, lines their fronts.

    `cost` is "ram" (the arena, in KiB), "flash" (the model file, in KiB) or "latency" (in ms). Trials are compared only
    with those that were trained alike; `fidelity` is the search's. With `path` the figure is also written there, as
    .png, .svg or .pdf. UsageError for an unknown cost, for nothing to draw, and for a file that cannot be written.
    """
    if cost not in COSTS:
        raise UsageError(f"cost is {cost!r}; choose {one_of(COSTS)}.")
    drawn = [group for group in groups(trials, fidelity) if front_line(group.trials, metric, cost)]
    if not drawn:
        raise UsageError(f"There is no front to draw: no trial has both a score and a known {cost}.")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for place, group in enumerate(drawn):
        _draw(axes, place, group, metric, cost)
    if best is not None and best.evaluation.folds:
        axes.plot(*_points([best], metric, cost), "*", color=_BEST, markersize=15, label=f"the best, #{best.number}")
    axes.set(xlabel=COSTS[cost], ylabel=f"int8 {metric} in validation, %")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    if path is not None:
        _save(figure, Path(path))
    return figure


def _draw(axes: Any, place: int, group: Group, metric: str, cost: str) -> None:
    colour = _FULL if group.full else _COLOURS[place % len(_COLOURS)]
    marker = "s" if group.full else _MARKERS[place % len(_MARKERS)]
    axes.plot(
        *_points(group.trials, metric, cost), marker, color=colour, alpha=0.5, markersize=5,
        label=f"{group.label} ({len(group.trials):,})",
    )  # fmt: skip
    axes.step(*_points(front_line(group.trials, metric, cost), metric, cost), where="post", color=colour, linewidth=1.3)


def _points(trials: Sequence[Trial], metric: str, cost: str) -> tuple[list[float], list[float]]:
    return [scaled_cost(cost, trial) for trial in trials], [100 * trial.evaluation.mean(metric) for trial in trials]


def _save(figure: Any, path: Path) -> None:
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise UsageError(f"{path}: a front is drawn as .png, .svg or .pdf; give the file one of these endings.")
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror or error}).") from error

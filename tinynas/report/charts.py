"""The charts of trials that one can point at, as Bokeh figures: the Pareto fronts, the best so far over time."""

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from bokeh.models import ColumnDataSource, CustomJS, TapTool
from bokeh.plotting import figure

from tinynas.report.front import Group, front
from tinynas.report.looks import GROUP_COLOURS, GROUP_MARKERS, ORANGE, chart_of, hover
from tinynas.report.words import bytes_text, duration, millis, number, percent
from tinynas.runs import Trial

_COSTS: Mapping[str, tuple[str, Callable[[Trial], float | None]]] = {
    "arena": ("tensor arena, KiB", lambda trial: _figure(trial, "arena_bytes")),
    "flash": ("model file, KiB", lambda trial: _figure(trial, "flash_bytes")),
    "latency": ("latency, ms (estimated)", lambda trial: _figure(trial, "latency_ms")),
}


def pareto(groups: Sequence[Group], metric: str, best: Trial | None) -> dict[str, figure]:
    """Return a chart for each cost that is known: score upwards, cost to the right, a line along each front.

    All charts share their trials: pointing at one shows it, a click marks it in all and shows it below.
    """
    columns = _columns(groups, metric, best)
    source = ColumnDataSource(columns)
    charts = {}
    for name, (label, cost) in _COSTS.items():
        if not any(cost(trial) is not None for group in groups for trial in group.trials):
            continue
        chart = chart_of(f"pareto-{name}", 300, x_axis_label=label, y_axis_label=f"int8 {metric}, %")
        for place, group in enumerate(groups):
            line = front(group.trials, metric, cost)
            xs = [_scaled(name, cost(trial)) for trial in line]
            ys = [100 * trial.evaluation.mean(metric) for trial in line]
            if len(line) > 1:
                chart.step(xs, ys, mode="after", color=_colour(place), line_width=1.5, line_alpha=0.8)
        dots = chart.scatter(
            name, "score", source=source, size="size", marker="marker", color="colour", fill_alpha="alpha",
            line_alpha=0.9, line_width=1.2, nonselection_fill_alpha=0.12, nonselection_line_alpha=0.45,
            selection_line_color=ORANGE, selection_line_width=3,
        )  # fmt: skip
        chart.add_tools(hover(dots, _TRIAL_TIP), TapTool(renderers=[dots]))
        charts[name] = chart
    shown = CustomJS(args={"source": source}, code="window.tinynas.showTrial(source)")
    source.selected.js_on_change("indices", shown)
    return charts


_TRIAL_TIP = (
    "<b>trial @number</b> &nbsp;@training<br>int8 @score{0.00} %, float @float{0.00} %<br>"
    "arena @arena_text, file @flash_text<br>@latency_text<br>"
    '<span style="color:var(--muted)">@architecture</span>'
)


def _columns(groups: Sequence[Group], metric: str, best: Trial | None) -> dict[str, list[Any]]:
    """Return the trials column by column; what is only shown is text already."""
    rows: list[dict[str, Any]] = []
    for place, group in enumerate(groups):
        on_front = {t.number for _, cost in _COSTS.values() for t in front(group.trials, metric, cost)}
        for trial in group.trials:
            evaluation, winner = trial.evaluation, best is not None and trial.number == best.number
            arena, flash, latency = (cost(trial) for _, cost in _COSTS.values())
            rows.append(
                {
                    "number": trial.number,
                    "generation": trial.generation,
                    "parent": "–" if trial.parent is None else str(trial.parent),
                    "training": group.label,
                    "score": 100 * evaluation.mean(metric),
                    "float": 100 * evaluation.mean(metric, "float"),
                    "spread": percent(evaluation.std(metric)) if len(evaluation.folds) > 1 else "–",
                    "folds": len(evaluation.folds),
                    "arena": _scaled("arena", arena),
                    "flash": _scaled("flash", flash),
                    "latency": _scaled("latency", latency),
                    "arena_text": "–" if arena is None else bytes_text(int(arena)),
                    "flash_text": "–" if flash is None else bytes_text(int(flash)),
                    "latency_text": millis(latency),
                    "macs": number(_figure(trial, "macs")),
                    "params": number(_figure(trial, "params")),
                    "seconds": duration(evaluation.seconds),
                    "architecture": str(trial.architecture),
                    "colour": _colour(place),
                    "marker": "star" if winner else GROUP_MARKERS[min(place, 3)],
                    "size": 17 if winner else 9 if trial.number in on_front else 7,
                    "alpha": 0.95 if winner else 0.75 if trial.number in on_front else 0.15,
                }
            )
    names = rows[0] if rows else {}
    return {name: [row[name] for row in rows] for name in names}


def anytime(groups: Sequence[Group], metric: str) -> figure:
    """Return the best score so far over the age of the search, a line a group; over trials where no age is known."""
    trials = [trial for group in groups for trial in group.trials]
    aged = len({trial.elapsed_s for trial in trials}) > 1
    unit, label = _time_unit(max((trial.elapsed_s for trial in trials), default=0.0)) if aged else (1, "trial")
    chart = chart_of("anytime", 280, x_axis_label=label, y_axis_label=f"int8 {metric}, %")
    for place, group in enumerate(groups):
        ordered = sorted(group.trials, key=lambda trial: (trial.elapsed_s, trial.number))
        at = [trial.elapsed_s / unit if aged else trial.number for trial in ordered]
        score = [100 * trial.evaluation.mean(metric) for trial in ordered]
        lead = list(accumulate(score, max))
        chart.step(at, lead, mode="after", color=_colour(place), line_width=2.2)
        texts = ["the best so far" if s >= m else f"the best was {m:.2f} %" for s, m in zip(score, lead, strict=True)]
        source = ColumnDataSource(
            {
                "at": at,
                "score": score,
                "number": [trial.number for trial in ordered],
                "age": [duration(trial.elapsed_s) if aged else "" for trial in ordered],
                "lead": texts,
                "training": [group.label] * len(ordered),
            }
        )
        dots = chart.scatter(
            "at", "score", source=source, size=6, marker=GROUP_MARKERS[min(place, 3)], color=_colour(place),
            fill_alpha=0.25, line_alpha=0.7,
        )  # fmt: skip
        tip = "<b>trial @number</b> &nbsp;@age<br>int8 @score{0.00} %, @lead<br>@training"
        chart.add_tools(hover(dots, tip))
    return chart


def _colour(place: int) -> str:
    return GROUP_COLOURS[min(place, len(GROUP_COLOURS) - 1)]


def _figure(trial: Trial, name: str) -> float | None:
    footprint = trial.evaluation.footprint
    return None if footprint is None else getattr(footprint, name)


def _scaled(name: str, value: float | None) -> float:
    """Return a cost in the unit of its axis; NaN, which is not drawn, where it is not known."""
    return float("nan") if value is None else value if name == "latency" else value / 1024


def _time_unit(seconds: float) -> tuple[int, str]:
    if seconds < 180:
        return 1, "seconds of search"
    return (60, "minutes of search") if seconds < 3 * 3600 else (3600, "hours of search")

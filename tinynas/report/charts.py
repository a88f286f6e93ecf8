"""The charts of trials that one can point at, as Bokeh figures: the Pareto fronts, the best so far over time."""

from collections.abc import Container, Sequence
from typing import Any

from bokeh.models import ColumnDataSource, CustomJS, DataRange1d, TapTool
from bokeh.plotting import figure

from tinynas.report.details import details
from tinynas.report.front import COSTS, MOST_MARKS, Group, front_line, scaled_cost, thinned
from tinynas.report.looks import ORANGE, chart_of, hover, mark_of
from tinynas.report.words import duration
from tinynas.runs import Trial

_CROWD = 300  # trials above which those that do not lead are drawn small and faint


def pareto(groups: Sequence[Group], metric: str, best: Trial | None) -> dict[str, figure]:
    """Return a chart for each cost that is known: score upwards, cost to the right, a line along each front.

    All charts share their trials: pointing at one shows it, a click marks it in all and shows it below.
    """
    fronts = {name: [front_line(group.trials, metric, name) for group in groups] for name in COSTS}
    leading = {trial.number for lines in fronts.values() for line in lines for trial in line}
    winner = -1 if best is None else best.number
    drawn = thinned(groups, leading | {winner}, MOST_MARKS)
    columns = _columns(drawn, metric, leading, winner)
    source = ColumnDataSource(columns)
    source.selected.indices = [n for n, number in enumerate(columns.get("number", ())) if number == str(winner)]
    charts = {}
    for name, label in COSTS.items():
        if not any(fronts[name]):
            continue
        chart = chart_of(f"pareto-{name}", 300, x_axis_label=label, y_axis_label=f"int8 {metric}, %")
        dots = chart.scatter(
            f"at_{name}", "score", source=source, size="size", marker="marker", color="colour", fill_alpha="alpha",
            line_alpha="line", line_width=1.2, nonselection_fill_alpha="alpha", nonselection_line_alpha="line",
            selection_fill_alpha="alpha", selection_line_color=ORANGE, selection_line_width=2.5,
        )  # fmt: skip
        for place, line in enumerate(fronts[name]):
            colour, _ = mark_of(place, groups[place].full)
            xs = [scaled_cost(name, trial) for trial in line]
            ys = [100 * trial.evaluation.mean(metric) for trial in line]
            if len(line) > 1:
                chart.step(xs, ys, mode="after", color=colour, line_width=1.5, line_alpha=0.8)
        chart.add_tools(hover(dots, _tip(metric)), TapTool(renderers=[dots]))
        charts[name] = chart
    shown = CustomJS(args={"source": source}, code="window.tinynas.showTrial(source)")
    source.selected.js_on_change("indices", shown)
    return charts


def _tip(metric: str) -> str:
    """Return what a trial shows when it is pointed at."""
    return (
        f"<b>trial @number</b> &nbsp;@training<br>int8 @{{int8 {metric}}}, float @{{float {metric}}}<br>"
        "arena @arena, file @{model file}, @{latency, estimated}<br>"
        '<span style="color:var(--muted)">@architecture</span>'
    )


def _columns(groups: Sequence[Group], metric: str, leading: Container[int], winner: int) -> dict[str, list[Any]]:
    """Return the trials column by column: where each is drawn and how, and what is said of it."""
    rows: list[dict[str, Any]] = []
    crowded = sum(len(group.trials) for group in groups) > _CROWD
    for place, group in enumerate(groups):
        colour, marker = mark_of(place, group.full)
        for trial in group.trials:
            wins, leads = trial.number == winner, trial.number in leading
            rows.append(
                {
                    **details(trial, group.label, metric),
                    "score": 100 * trial.evaluation.mean(metric),
                    **{f"at_{name}": scaled_cost(name, trial) for name in COSTS},
                    "colour": colour,
                    "marker": "star" if wins else marker,
                    "size": 17 if wins else 9 if leads else 5 if crowded else 7,
                    "line": 0.9 if wins or leads or not crowded else 0.4,
                    "alpha": 0.95 if wins else 0.75 if leads else 0.15,
                }
            )
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def anytime(groups: Sequence[Group], metric: str) -> figure:
    """Return the best score so far over the age of the search, a line a group; over trials where no age is known."""
    trials = [trial for group in groups for trial in group.trials]
    aged = len({trial.elapsed_s for trial in trials}) > 1
    unit, label = _time_unit(max((trial.elapsed_s for trial in trials), default=0.0)) if aged else (1, "trial")
    begins = DataRange1d(start=0) if aged else DataRange1d()
    chart = chart_of("anytime", 280, x_range=begins, x_axis_label=label, y_axis_label=f"int8 {metric}, %")
    every = -(-len(trials) // MOST_MARKS)
    tip = "<b>trial @number</b> &nbsp;@age<br>int8 @score{0.00} %, @lead<br>@training"
    for place, group in enumerate(groups):
        colour, marker = mark_of(place, group.full)
        ordered = sorted(group.trials, key=lambda trial: (trial.elapsed_s, trial.number))
        rows, steps = _progress(ordered, metric, unit if aged else None)
        shown = [row for n, row in enumerate(rows) if n in steps or n % every == 0]
        line = [rows[n] for n in sorted(steps)]
        chart.step(
            [row["at"] for row in line], [row["best"] for row in line], mode="after", color=colour,
            line_width=2.2,
        )  # fmt: skip
        source = ColumnDataSource({name: [row[name] for row in shown] for name in rows[0]} | {
            "training": [group.label] * len(shown)
        })  # fmt: skip
        dots = chart.scatter(
            "at", "score", source=source, size=6, marker=marker, color=colour,
            fill_alpha=0.25, line_alpha=0.7,
        )  # fmt: skip
        chart.add_tools(hover(dots, tip))
    return chart


def _progress(ordered: Sequence[Trial], metric: str, unit: int | None) -> tuple[list[dict[str, Any]], set[int]]:
    """Return a row a trial, and the places of the first, the last and each that was better than all before it."""
    rows: list[dict[str, Any]] = []
    steps = {0, len(ordered) - 1}
    best = float("-inf")
    for place, trial in enumerate(ordered):
        score = 100 * trial.evaluation.mean(metric)
        steps |= {place} if score > best else set()
        lead = "the best so far" if score >= best else f"the best was {best:.2f} %"
        best = max(best, score)
        at, age = (trial.number, "") if unit is None else (trial.elapsed_s / unit, duration(trial.elapsed_s))
        rows.append({"at": at, "score": score, "best": best, "number": trial.number, "age": age, "lead": lead})
    return rows, steps


def _time_unit(seconds: float) -> tuple[int, str]:
    if seconds < 180:
        return 1, "seconds of search"
    return (60, "minutes of search") if seconds < 3 * 3600 else (3600, "hours of search")

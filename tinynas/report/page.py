"""report.html: one file that needs no network, made from what a run folder says."""

import platform
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tinynas.errors import RunError, door
from tinynas.report import causes, confusion, drawing, family, words
from tinynas.report.command import command_of
from tinynas.report.counts import counts_of
from tinynas.report.curve import curve_of
from tinynas.report.details import HEADING, details
from tinynas.report.facts import RunFacts, read_facts
from tinynas.report.front import MOST_MARKS, Group, groups
from tinynas.report.measurements import measurements
from tinynas.report.trials import ranked
from tinynas.report.verdict import Verdict, verdict
from tinynas.runs import METRICS, State, chosen_words, find_run, smaller_words
from tinynas.runs.writing import write_atomically

_LISTED = 25  # trials in the page's table
_PACKAGES = ("tinynas", "tensorflow", "tf_keras", "tflite-micro", "numpy", "scikit-learn", "bokeh")


@door
def write_report(folder: Path | str) -> Path:
    """Write report.html of the run in `folder`, whole or not at all, and return its path.

    `folder` may also be a name below runs/, or "latest". The search may be running, stopped or ended: the page shows
    what there is. RunError when `folder` is no run, its journal is damaged, or the page cannot be written there.
    """
    folder = find_run(folder)
    page = render(read_facts(folder))
    path = folder / "report.html"
    try:
        write_atomically(path, page.encode())
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror or error}.") from error
    return path


def render(facts: RunFacts, now: datetime | None = None) -> str:
    """Return the page for `facts`, written at the time `now`."""
    from bokeh.resources import Resources
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("tinynas.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    for name in ("number", "bytes_text", "kib", "percent", "millis", "duration", "moment", "shape_text"):
        environment.filters[name] = getattr(words, name)
    script, divs = _charts(facts)
    library = Resources(mode="inline", components=["bokeh"]).render_js() if divs else ""
    return environment.get_template("page.html.j2").render(
        **_context(facts), now=now or datetime.now(), divs=divs, script=script, library=library
    )


def _context(facts: RunFacts) -> dict[str, Any]:
    """Return what the template shows, section by section."""
    from tinynas.report.looks import mark_of

    settings, trials, best = facts.settings, facts.trials, facts.best
    footprint = facts.footprint
    judged: Verdict | None = None if footprint is None else verdict(footprint, settings.target, settings.limits)
    command, notes = command_of(settings)
    line = None if best is None else family.lineage(trials, best)
    test = None if facts.final is None else facts.final["test"]
    counts: dict[str, Any] = {state.value: sum(trial.evaluation.state is state for trial in trials) for state in State}
    counted = counts_of(trials)
    counts |= {"networks": counted.networks, "trained": counted.words}
    analysis = None if facts.model is None else facts.model.analysis
    operators = () if analysis is None else analysis.operators
    return {
        "facts": facts,
        "settings": settings,
        "target": settings.target,
        "metrics": METRICS,
        "best": best,
        "footprint": footprint,
        "verdict": judged,
        "measurements": measurements(settings.target, footprint, () if facts.model is None else facts.model.digests),
        "test": test,
        "smaller": None if facts.summary is None else smaller_words(facts.summary, str(facts.folder)),
        "chosen": chosen_words(facts.summary),
        "finals": [(one["trial"], one) for one in [facts.final, *facts.trained.values()] if one is not None],
        "files": None if facts.final is None else facts.final.get("held_out"),
        "counts": counts,
        "groups": _groups(facts),
        "marks": [mark_of(place, group.full) for place, group in enumerate(_groups(facts))],
        "most_marks": MOST_MARKS,
        "picked": _picked(facts),
        "heading": HEADING,
        "mistakes": confusion.mistakes_of(None if test is None else test.get("mistakes"), facts.class_names),
        "confusion": confusion.confusion_of(None if test is None else test.get("confusion"), facts.class_names),
        "curve": curve_of(None if facts.final is None else facts.final.get("losses")),
        "drawing": None if best is None else drawing.draw(best.architecture, operators),
        "analysis": analysis,
        "operators": operators,
        "infeasible": causes.infeasible(trials, settings.limits),
        "failures": causes.failures(trials),
        "family": line,
        "score_range": _score_range(line, settings.metric),
        "listed": ranked(trials, settings.metric)[:_LISTED],
        "asked": _asked(facts),
        "versions": {name: _version(name) for name in _PACKAGES} | {"Python": platform.python_version()},
        "command": command,
        "command_notes": notes,
    }


def _charts(facts: RunFacts) -> tuple[str, dict[str, str]]:
    """Return the script that draws the charts and, by name, the place in the page where each is drawn."""
    from bokeh.embed import components

    from tinynas.report import charts, timeline

    found, drawn = _groups(facts), dict[str, Any]()
    if found:
        drawn |= charts.pareto(found, facts.settings.metric, facts.best)
        drawn["anytime"] = charts.anytime(found, facts.settings.metric)
    if facts.model is not None:
        drawn["memory"] = timeline.memory(facts.model.graph, facts.model.analysis)
    if not drawn:
        return "", {}
    script, divs = components(drawn, wrap_script=False)
    return script, dict(divs)


def _groups(facts: RunFacts) -> tuple[Group, ...]:
    return groups(facts.trials, facts.settings.fidelity)


def _picked(facts: RunFacts) -> dict[str, str] | None:
    """Return what is said of the best trial, which is picked until another is clicked."""
    for group in _groups(facts):
        for trial in group.trials:
            if facts.best is not None and trial.number == facts.best.number:
                return details(trial, group.label, facts.settings.metric)
    return None


def _score_range(line: family.Family | None, metric: str) -> tuple[float, float]:
    """Return the least and the greatest score of the family, on which its marks are placed."""
    found = [
        trial.evaluation.mean(metric)
        for step in (() if line is None else line.steps)
        for trial in (step.trial, *step.siblings)
        if trial.evaluation.folds
    ]
    return (min(found), max(found)) if found else (0.0, 1.0)


def _asked(facts: RunFacts) -> Mapping[str, str]:
    """Return the settings as texts, in the order of their file; those that are values of their own are left out."""
    values = facts.settings.model_dump(exclude={"target", "data", "space", "limits", "extensions", "front_end"})
    said = {name: _said(value) for name, value in values.items() if value is not None and value != {}}
    front = facts.settings.front_end
    return said if front is None else said | {"front_end": front.words}


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_said(each)}" for name, each in value.items())
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"

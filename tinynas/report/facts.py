"""Everything that a run folder says, read once: settings, trials, the best one, its file, the summary."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinynas.data import Scores
from tinynas.engine import Figures, estimate
from tinynas.errors import ModelError, RunError, TinynasError, UnsupportedOperatorError
from tinynas.hardware import Footprint, Target
from tinynas.runs import (
    Best,
    Settings,
    Trial,
    kept,
    leader,
    numbered,
    read_settings,
    read_summary,
    read_trained,
    read_trials,
    standing,
    trained,
)
from tinynas.screening import lower
from tinynas.tflite import Analysis, Graph, add_offline_plan, analyze, read


@dataclass(frozen=True)
class Model:
    """The int8 file of the best trial: its graph, what it needs of the board, and whether it is trained.

    `stage` is "proxy", "full" or "final" for a file of the run, "untrained" for one of the same bytes made here.
    `engine` is what a file of the run needs as plain C, without TFLM, and `quick` what it needs with preset speed; None
    where there is no code for it. `digests` are the SHA-256 of the files that one of the run is exported as.
    """

    graph: Graph
    analysis: Analysis
    stage: str
    engine: Figures | None = None
    quick: Figures | None = None
    digests: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunFacts:
    """A run as it stands on disk. `best` is None while nothing is trained, `summary` until the search has ended.

    `trouble` holds a sentence for each file that could not be read: a report of the rest is better than none. Where
    `number` is given, it is about that trial: `best` is the trial, `summary` and `model` those of the final training
    that it was given. `trained` is what summary.json says of a best, of each trial that was given one beside the best.
    """

    folder: Path
    settings: Settings
    trials: tuple[Trial, ...]
    best: Trial | None
    model: Model | None
    class_names: tuple[str, ...]
    summary: dict[str, Any] | None
    trouble: tuple[str, ...] = ()
    number: int | None = None
    trained: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """How a person names it: the folder, or "FOLDER:12"."""
        return f"{self.folder}" if self.number is None else f"{self.folder}:{self.number}"

    @property
    def ended(self) -> bool:
        """Whether the search has come to its end."""
        return self.summary is not None

    @property
    def final(self) -> dict[str, Any] | None:
        """What the summary says of the final model; None before there is one."""
        best: dict[str, Any] | None = None if self.summary is None else self.summary["best"]
        return best if best is not None and best["test"] else None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the summary says against the final model, a sentence each; a run of an older tinynas has none."""
        return tuple(map(str, (self.summary or {}).get("warnings", ())))

    @property
    def footprint(self) -> Footprint | None:
        """The figures of the final model, else of the best trial."""
        if self.final is not None:
            return Footprint.from_dict(self.final["footprint"])
        return None if self.best is None else self.best.evaluation.footprint

    @property
    def seconds(self) -> float:
        """Wall seconds of the search so far."""
        if self.summary is not None:
            return float(self.summary["seconds"])
        return max((trial.elapsed_s for trial in self.trials), default=0.0)


def read_facts(folder: Path, number: int | None = None) -> RunFacts:
    """Return what the run in `folder` says, of its best or of trial `number`.

    RunError when it is no run folder or its journal is damaged, UsageError when it has no such trial.
    """
    settings = read_settings(folder)
    journal = folder / "journal.sqlite"
    trials = tuple(read_trials(journal)) if journal.is_file() else ()
    trouble: list[str] = []
    summary = _summary(folder, trouble, number)
    best = _best(trials, settings.metric, summary) if number is None else numbered(trials, number, folder)
    saved = _saved(folder, trouble, number)
    names = tuple(saved.about["class_names"]) if saved is not None else ()
    classes = settings.space.n_classes
    names = names if len(names) == classes else tuple(map(str, range(classes)))
    model = None if best is None else _model(best, saved, settings, trouble)
    others = {each: found["best"] for each in trained(folder) if (found := _summary(folder, trouble, each)) is not None}
    return RunFacts(folder, settings, trials, best, model, names, summary, tuple(trouble), number, others)


def _summary(folder: Path, trouble: list[str], number: int | None) -> dict[str, Any] | None:
    try:
        summary = read_summary(folder) if number is None else read_trained(folder, number)
    except RunError as error:
        trouble.append(str(error))
        return None
    best = None if summary is None else summary["best"]
    try:
        if best is not None:
            Footprint.from_dict(best["footprint"])
            for model in ("int8", "float") if best["test"] else ():
                Scores.from_dict(best["test"][model])
    except (ValueError, TypeError, KeyError, AttributeError, TinynasError) as error:
        trouble.append(f"{folder}/summary.json is not the summary of a search ({type(error).__name__}: {error}).")
        return None
    return summary


def _best(trials: Sequence[Trial], metric: str, summary: dict[str, Any] | None) -> Trial | None:
    """Return the trial that the summary names, else the one that leads."""
    if summary is not None and summary["best"] is not None:
        number = summary["best"].get("trial")
        found = next((trial for trial in trials if trial.number == number), None)
        if found is not None:
            return found
    return leader(trials, metric)


def _saved(folder: Path, trouble: list[str], number: int | None) -> Best | None:
    try:
        if number is not None:
            return Best(folder, number) if number in {*kept(folder), *trained(folder)} else None
        return None if standing(folder / "best") is None else Best(folder)
    except RunError as error:
        trouble.append(str(error))
        return None


def _model(best: Trial, saved: Best | None, settings: Settings, trouble: list[str]) -> Model | None:
    """Return the saved file if it is the best trial's; else one with random weights, which has the same bytes."""
    try:
        if saved is not None and saved.about.get("architecture") == best.architecture.to_dict():
            data, stage = saved.tflite, str(saved.about["stage"])
        else:
            data, stage = lower(best.architecture), "untrained"
        graph = read(data)
        analysis = analyze(data, settings.target, front_end=settings.front_end)
        if stage == "untrained":
            return Model(graph, analysis, stage)
        return Model(graph, analysis, stage, *_engines(graph), _digests(data, settings.target))
    except TinynasError as error:
        trouble.append(f"The best model's file cannot be analysed: {error}")
        return None


def _digests(data: bytes, board: Target) -> tuple[str, ...]:
    """The SHA-256 of the file, and of the same with the memory plan that convert may put into it."""
    exported = [data]
    with suppress(ModelError):  # one that no plan is known for has none
        exported.append(add_offline_plan(data, board.kernel_library))
    return tuple(hashlib.sha256(each).hexdigest() for each in exported)


def _engines(graph: Graph) -> tuple[Figures | None, Figures | None]:
    """What the file needs as plain C, and that with preset speed; None where an operator has no code."""
    try:
        return estimate(graph), estimate(graph, optimize="speed")
    except UnsupportedOperatorError:
        return None, None

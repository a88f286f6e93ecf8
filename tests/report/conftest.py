"""Run folders as a search leaves them, without any training: made-up scores, real files and figures."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from tests.searching.conftest import footprint_of
from tinynas.architecture import Architecture, SearchSpace, mutate
from tinynas.data import FoldScores, Scores
from tinynas.hardware import Footprint, Limits, Target
from tinynas.options.search import METRICS
from tinynas.runs import DataSource, Evaluation, Run, Settings, State, Trial, ranking
from tinynas.screening import lower, screen

BOARD = Target.load("nucleo_f401")


@dataclass(frozen=True)
class Story:
    """What happened in a made-up search."""

    shape: tuple[int, int, int] = (8, 8, 1)
    class_names: tuple[str, ...] = ("a", "b", "c")
    trained: int = 12
    infeasible: int = 5
    failed: int = 1
    finalists: int = 2
    ended: bool = True
    real: bool = True  # figures of the real file, or made-up ones, which are quick
    target: Target = BOARD
    limits: Limits | None = None
    settings: tuple[tuple[str, object], ...] = ()
    rungs: int = 1
    same: bool = False  # whether all trials are of one network, with scores that hardly differ but for the first's


def scores(value: float) -> Scores:
    return Scores(value, value - 0.01, value - 0.02, value - 0.015)


def fold_scores(value: float) -> FoldScores:
    return FoldScores(scores(min(1.0, value + 0.005)), scores(value))


def make_run(folder: Path, story: Story = Story()) -> Path:
    """Write the run folder of `story`, with trials that descend from one another."""
    space = SearchSpace.for_input(story.shape, len(story.class_names))
    limits = story.limits or story.target.limits
    source = DataSource(kind="digits", digest="0" * 64, summary="made-up data: 100 samples")
    settings = Settings.create(
        version="0.1.0", target=story.target, data=source, space=space, limits=limits, **dict(story.settings)
    )
    run = Run.create(folder, settings)
    for trial in _trials(story, space):
        run.journal.append(trial)
    trained = [trial for trial in run.journal.trials() if trial.evaluation.folds]
    if trained:
        best = min(trained, key=ranking("accuracy"))
        _save(run, best, story)
        if story.ended:
            run.write_summary({**_OF_ALL, "seconds": 321.5, "best": _best(best, story, limits)})
    elif story.ended:
        run.write_summary({**_OF_ALL, "seconds": 1.5, "best": None})
    run.close()
    return folder


def _figures(architecture: Architecture, story: Story) -> Footprint:
    return screen(architecture, story.target) if story.real else footprint_of(architecture)


def _trials(story: Story, space: SearchSpace) -> list[Trial]:
    rng = np.random.default_rng(7)
    kinds = ["infeasible"] * story.infeasible + ["failed"] * story.failed + ["trained"] * max(0, story.trained - 1)
    rng.shuffle(kinds)
    kinds = (["trained"] if story.trained else []) + kinds
    trials: list[Trial] = []
    parents: list[Trial] = []
    for number, kind in enumerate(kinds):
        parent = parents[int(rng.integers(max(0, len(parents) - 3), len(parents)))] if parents else None
        architecture = (
            mutate(parent.architecture, space, rng, 2) if parent is not None else space.random_architecture(rng)
        )
        architecture = trials[0].architecture if story.same and trials else architecture
        figures = _figures(architecture, story)
        value = 0.6 + 0.35 * (1 - np.exp(-number / 8)) - 0.1 * float(rng.random())
        value = (0.9 + number % 4 * 1e-5 if number else 0.5) if story.same else value
        if kind == "infeasible":
            tight = Limits(ram_bytes=figures.arena_bytes - 1)
            evaluation = Evaluation(State.INFEASIBLE, figures, tuple(map(str, tight.violations(figures))))
        elif kind == "failed":
            evaluation = Evaluation(State.FAILED, error="it said\nno", fidelity="proxy")
        else:
            rung = int(rng.integers(story.rungs))
            folds = (fold_scores(round(value, 6)),)
            evaluation = Evaluation(State.COMPLETE, figures, (), folds, "proxy", 3.5, rung=rung)
        came = None if parent is None else parent.number
        trial = Trial(number, number // 8, came, architecture, evaluation, 2.5 * (number + 1))
        trials.append(trial)
        parents += [trial] if kind == "trained" else []
    ranked = sorted(parents, key=ranking("accuracy"))[: story.finalists]
    for place, trial in enumerate(ranked):
        folds = tuple(fold_scores(0.9 - 0.01 * place + 0.002 * fold) for fold in range(5))
        evaluation = replace(trial.evaluation, folds=folds, fidelity="full", seconds=20.0, rung=0)
        number = len(kinds) + place
        trials.append(replace(trial, number=number, parent=trial.number, evaluation=evaluation, elapsed_s=3.0 * number))
    return trials


def _save(run: Run, best: Trial, story: Story) -> None:
    about = {
        "architecture": best.architecture.to_dict(),
        "trial": best.number,
        "stage": "final" if story.ended else best.evaluation.fidelity,
        "class_names": list(story.class_names),
        "layout": "image",
        "normalization": {},
        "footprint": best.evaluation.footprint.to_dict(),
    }
    run.save_best(about, b"keras", lower(best.architecture), np.zeros((2, *story.shape), np.int8))


def counts(n_classes: int) -> list[list[int]]:
    """A confusion matrix: 30 right each, and 3 of every class taken for the next one."""
    return [
        [30 if i == j else 3 if j == (i + 1) % n_classes else 0 for j in range(n_classes)] for i in range(n_classes)
    ]


_SPREAD = {metric: {"mean": 0.9, "std": 0.01} for metric in METRICS}
_OF_ALL = {"target": "nucleo_f401", "data": "made-up data: 100 samples", "seed": 0, "trials": {}}


def _best(best: Trial, story: Story, limits: Limits) -> dict:
    figures = best.evaluation.footprint
    test = {"int8": scores(0.8765).to_dict(), "float": scores(0.8877).to_dict()}
    return {
        "trial": best.number,
        "architecture": best.architecture.to_dict(),
        "description": str(best.architecture),
        "params": figures.params,
        "macs": figures.macs,
        "flops": figures.flops,
        "flash_bytes": figures.flash.model,
        "arena_bytes": figures.arena_bytes,
        "largest_tensor_bytes": figures.largest_tensor_bytes,
        "footprint": figures.to_dict(),
        "validation": {**_SPREAD, "float": _SPREAD},
        "test": {**test, "confusion": counts(len(story.class_names)), "mistakes": [[4, 0, 1], [37, 1, 2]]},
        "epochs": 4,
        "losses": [1.9, 0.9, 0.5, 0.4],
        "fits": not limits.violations(figures),
    }


@pytest.fixture(scope="session")
def ended(tmp_path_factory) -> Path:
    """A search that has ended, with some of everything in it. The folder is not to be changed."""
    return make_run(tmp_path_factory.mktemp("ended") / "run")

"""The public door: search() starts, resume() goes on; both return what was found."""

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Any

from tinynas.architecture import Architecture, SearchSpace
from tinynas.data import Dataset
from tinynas.errors import InfeasibleError, RunError, UsageError, check_kind, known
from tinynas.hardware import MEASURES, Limits, Target
from tinynas.options import SETTINGS
from tinynas.options.search import GENERATIONS, SEVERAL_OBJECTIVES
from tinynas.runs import DataSource, Evaluation, Run, Settings, Trial
from tinynas.searching.arguments import check_arguments, check_settings, unheeded
from tinynas.searching.clock import Clock
from tinynas.searching.events import Note, Watcher
from tinynas.searching.executor import Calls, Executor, Processes
from tinynas.searching.feasible import Screen
from tinynas.searching.loop import Loop
from tinynas.searching.strategies import strategy_for
from tinynas.training.augment import augmentation_for
from tinynas.training.precision import best_precision
from tinynas.version import __version__

Evaluate = Callable[[Architecture], Evaluation]
MakeExecutor = Callable[[Dataset, Settings], Executor]


@dataclass(frozen=True)
class SearchResult:
    """A finished search: the best trial, all trials, summary.json as a mapping, and the run folder."""

    best: Trial | None
    trials: tuple[Trial, ...]
    summary: dict[str, Any]
    folder: Path


def search(
    dataset: Dataset,
    target: Target | Path | str,
    *,
    out: Path | str | None = None,
    limits: Limits | None = None,
    space: SearchSpace | None = None,
    workers: int | None = None,
    evaluate: Evaluate | None = None,
    screen: Screen | None = None,
    executor: MakeExecutor | None = None,
    watch: Watcher | None = None,
    source: DataSource | None = None,
    **settings: Any,
) -> SearchResult:
    """Search for the best model of `dataset` that fits `target`, train it, and leave it in a run folder.

    `target` is a Target, a shipped name or a JSON file. `out` is the new run folder (default: runs/ and the time).
    `limits` tightens the target's limits, field by field; `space` replaces the search space. `workers` is the number of
    processes (default: one a core). `evaluate` replaces training: a function from Architecture to Evaluation, run in
    this process; then there is no final model. `screen` replaces the hardware check: a function from Architecture to
    Footprint. `executor` makes what trains in place of worker processes, from the data and the settings. `watch` is
    called with each event. Other keywords are those of Settings: seed, n_generations, max_trials, time_budget_s,
    fidelity and so on; without any end given, 8 generations are searched. With more objectives than
    accuracy the strategy is nsga2, unless another is named, and `tinynas.runs.front(result.trials, objectives)` is the
    Pareto front.

    Raises InfeasibleError when nothing fits, UsageError for settings that make no sense, RunError for the run folder.
    """
    _check_kind("dataset", dataset, Dataset, "make one with Dataset.from_arrays(x, y)")
    target = Target.load(target) if isinstance(target, str | Path) else target
    _check_kind("target", target, Target, "or the name of a board, or a JSON file")
    check_arguments(
        out=out,
        limits=limits,
        space=space,
        source=source,
        evaluate=evaluate,
        screen=screen,
        executor=executor,
        watch=watch,
    )
    check_settings(settings)
    workers = _checked_workers(workers)
    given = [name for name, value in settings.items() if value is not None]
    if not {"n_generations", "max_trials", "time_budget_s"} & set(given):
        settings["n_generations"] = GENERATIONS
    settings.setdefault("n_folds", _folds_for(dataset))
    settings.setdefault("precision", best_precision(dataset.input_shape))
    if len(settings.get("objectives", ())) > 1:
        settings.setdefault("strategy", SEVERAL_OBJECTIVES)
    chosen = Settings.create(
        version=__version__,
        target=target,
        data=source or DataSource(kind="arrays", digest=dataset.digest, summary=dataset.summary()),
        space=space or SearchSpace.for_input(dataset.input_shape, dataset.n_classes),
        limits=with_limits(target, **asdict(limits or Limits())),
        final_threads=workers,
        **settings,
    )
    _check_space(chosen.space, dataset)
    _check_objectives(chosen, screen or _screen_for(target))
    # What would only be found by the first training is found before there is a run folder.
    augmentation_for(dataset.layout, chosen.augment)
    dataset.folds(chosen.n_folds, 0)
    folder = Path(out) if out is not None else _new_folder(Path("runs"))
    for text in unheeded(given, chosen):
        (watch or _ignore)(Note(text))
    run = Run.create(folder, chosen)
    try:
        return _go_on(run, dataset, workers, evaluate, screen, watch, executor)
    except InfeasibleError:
        run.discard()
        raise


def resume(
    folder: Path | str,
    dataset: Dataset,
    *,
    workers: int | None = None,
    evaluate: Evaluate | None = None,
    screen: Screen | None = None,
    executor: MakeExecutor | None = None,
    watch: Watcher | None = None,
) -> SearchResult:
    """Go on with the search in `folder` as if it had never stopped; `dataset` must be the one it began with.

    A search that has ended is returned as it ended. Raises RunError when the folder is no run, is in use, or began
    with other data.
    """
    _check_kind("dataset", dataset, Dataset, "make one with Dataset.from_arrays(x, y)")
    check_kind("folder", folder, (str, Path), "the path of a run folder")
    check_arguments(evaluate=evaluate, screen=screen, executor=executor, watch=watch)
    workers = _checked_workers(workers)
    run = Run.open(Path(folder))
    if run.settings.data.digest != dataset.digest:
        run.close()
        raise RunError(
            f"{folder} began with other data ({run.settings.data.summary}); these are {dataset.summary()}, "
            f"and their digest differs: resume with the same files."
        )
    return _go_on(run, dataset, workers, evaluate, screen, watch, executor)


def _go_on(
    run: Run,
    dataset: Dataset,
    workers: int,
    evaluate: Evaluate | None,
    screen: Screen | None,
    watch: Watcher | None,
    make_executor: MakeExecutor | None = None,
) -> SearchResult:
    settings = run.settings
    executor: Executor
    if make_executor is not None:
        executor = make_executor(dataset, settings)
    else:
        executor = Calls(evaluate) if evaluate else Processes(dataset, settings, workers)
    try:
        clock = Clock(settings.time_budget_s, run.journal.fact("seconds", 0.0), workers)
        check = screen or _screen_for(settings.target)
        loop = Loop(run, dataset, strategy_for(settings, check), check, executor, watch or _ignore, clock)
        if run.summary() is None:
            loop()
        summary = run.summary()
        assert summary is not None
        number = None if summary["best"] is None else summary["best"]["trial"]
        best = next((trial for trial in loop.trials if trial.number == number), None)
        return SearchResult(best, loop.trials, summary, run.folder)
    finally:
        executor.close()
        run.close()


def _screen_for(target: Target) -> Screen:
    from tinynas.screening.screen import screen

    return partial(screen, target=target)


def with_limits(target: Target, **limits: Any) -> Limits:
    """Return the target's limits with those given in their place; None keeps the target's."""
    unknown = sorted(set(limits) - set(MEASURES))
    if unknown:
        raise UsageError(f"Unknown limit {unknown[0]!r} ({known(unknown[0], MEASURES)}).")
    return replace(target.limits, **{name: value for name, value in limits.items() if value is not None})


def _check_kind(name: str, value: object, kind: type, hint: str) -> None:
    if not isinstance(value, kind):
        raise UsageError(f"search needs a {kind.__name__} as {name}, got {type(value).__name__}: {hint}.")


def _new_folder(root: Path) -> Path:
    """Return a folder below `root` that is called by the time and is not there yet."""
    now = f"{datetime.now():%Y%m%d-%H%M%S}"
    names = chain([now], (f"{now}-{number}" for number in count(2)))
    return next(root / name for name in names if not (root / name).exists())


def _checked_workers(workers: int | None) -> int:
    """Return the number of worker processes: one a core that this process may use, if none is given."""
    if workers is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not isinstance(workers, int) or workers < 1:
        raise UsageError(f"The number of workers is {workers!r}; a whole number of at least 1 is needed.")
    return workers


def _folds_for(dataset: Dataset) -> int:
    """Return the K of the cross-validation: the usual one, or as many as the smallest class has samples or groups."""
    usual: int = SETTINGS["n_folds"].default
    return max(2, min(usual, dataset.most_folds))


def _check_space(space: SearchSpace, dataset: Dataset) -> None:
    if (space.input_shape, space.n_classes) != (dataset.input_shape, dataset.n_classes):
        raise UsageError(
            f"The search space is for input {space.input_shape} and {space.n_classes} classes; the data have "
            f"{dataset.input_shape} and {dataset.n_classes}: make it with SearchSpace.for_input."
        )


def _check_objectives(settings: Settings, screen: Screen) -> None:
    """UsageError when an objective cannot be worked out for the target."""
    if "latency" in settings.objectives and screen(settings.space.handmade()[0]).latency_ms is None:
        raise UsageError(
            f"The latency on {settings.target.name} is not known, so it cannot be an objective; take macs in its place."
        )


def _ignore(event: object) -> None:
    """Watch nothing."""

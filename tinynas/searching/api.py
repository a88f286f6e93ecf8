"""The public door: search() starts, resume() goes on; both return what was found."""

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Any

from tinynas.architecture import Architecture, SearchSpace
from tinynas.data import Dataset
from tinynas.errors import InfeasibleError, RunError, UsageError, check_kind, door
from tinynas.hardware import MEASURES, Limits, Target
from tinynas.options import SETTINGS
from tinynas.options.search import GENERATIONS, SEVERAL_OBJECTIVES
from tinynas.runs import DataSource, Evaluation, Run, Settings, find_run
from tinynas.searching.arguments import (
    check_arguments,
    check_dataset,
    check_same,
    check_settings,
    unheeded,
)
from tinynas.searching.clock import Clock
from tinynas.searching.course import Course
from tinynas.searching.ending import ending_in_order
from tinynas.searching.events import Note, Watcher, ignore
from tinynas.searching.executor import Calls, Executor
from tinynas.searching.extension import checked_more, extend, part_of
from tinynas.searching.front_end import front_end_of, with_front_end
from tinynas.searching.loop import Loop
from tinynas.searching.own import OWN, MakeExecutor, check_resume, check_strategy, names_of
from tinynas.searching.progress import shown
from tinynas.searching.recovery import damage, take_up_end
from tinynas.searching.result import SearchResult
from tinynas.searching.running import Running, checked_running, executor_for
from tinynas.searching.strategies import strategy_for
from tinynas.searching.strategy import Screen, Strategy
from tinynas.searching.warm import Warm, find_networks, keep_networks, read_networks
from tinynas.training.augment import augmentation_for
from tinynas.training.precision import best_precision
from tinynas.training.schedule import usual_folds
from tinynas.version import __version__
from tinynas.words import known

Evaluate = Callable[[Architecture], Evaluation]


@ending_in_order()
def search(
    dataset: Dataset,
    target: Target | Path | str,
    *,
    out: Path | str | None = None,
    limits: Limits | None = None,
    space: SearchSpace | None = None,
    workers: int | None = None,
    trial_timeout_s: float | None = None,
    strategy: Strategy | str | None = None,
    evaluate: Evaluate | None = None,
    screen: Screen | None = None,
    executor: MakeExecutor | str | None = None,
    address: str | None = None,
    watch: Watcher | None = None,
    progress: bool = True,
    source: DataSource | None = None,
    warm_start: Path | str | None = None,
    **settings: Any,
) -> SearchResult:
    """Search for the best model of `dataset` that fits `target`, train it, and leave it in a run folder.

    `target` is a Target, a shipped name or a JSON file. `out` is the new run folder (default: runs/ and the time).
    `limits` tightens the target's limits, field by field; `space` replaces the search space. `workers` is the number of
    processes (default: one a core); one that gives no answer for `trial_timeout_s` (default: by what earlier trials
    cost) is ended, and its child tried again. `strategy` is a name, or an object of your own that knows no trial yet.
    `evaluate` replaces training: a function from Architecture to Evaluation, run in this process; then there is no
    final model. `screen` replaces the hardware check: a function from Architecture to Footprint. `executor` says where
    trials are trained: "processes" or "ray", on the cluster at `address`; or it is a function that makes what trains,
    from the data and the settings. What of these four is the caller's own is named in settings.json, and a resume needs
    it again. `warm_start` names an earlier run, of other data or of another board:
    half of the first generation are its best networks, made to fit, with their weights.

    `watch` is called with each event; without it the progress is shown as lines on standard error, or as a bar in a
    notebook, unless `progress` is False. Other keywords are those of Settings: seed, n_generations, max_trials,
    time_budget_s, fidelity and so on; without any end given, 8 generations are searched. With more objectives than
    accuracy the strategy is nsga2, unless another is named, and `tinynas.runs.front(result.trials, objectives)` is the
    Pareto front.

    Raises InfeasibleError when nothing fits, UsageError for settings that make no sense, RunError for the run folder.
    """
    check_dataset(dataset)
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
        warm_start=warm_start,
    )
    watch = watch or watcher_for(progress)
    check_settings(settings)
    own = _checked_own(strategy=strategy, evaluate=evaluate, screen=screen, executor=executor)
    if strategy is not None:
        settings["strategy"] = OWN if "strategy" in own else strategy
    running = checked_running(workers, trial_timeout_s, executor, address)
    given = [name for name, value in settings.items() if value is not None]
    if not {"n_generations", "max_trials", "time_budget_s"} & set(given):
        settings["n_generations"] = GENERATIONS
    settings.setdefault("n_folds", usual_folds(dataset, SETTINGS["n_folds"].default))
    running = running.connected()
    settings.setdefault("precision", best_precision(dataset.input_shape))
    if len(settings.get("objectives", ())) > 1:
        settings.setdefault("strategy", SEVERAL_OBJECTIVES)
    chosen = Settings.create(
        version=__version__,
        target=target,
        data=source or DataSource(kind="arrays").of(dataset),
        space=space or SearchSpace.for_input(dataset.input_shape, dataset.n_classes),
        limits=with_limits(target, **asdict(limits or Limits())),
        final_threads=running.threads,
        own=own,
        warm_start=None if warm_start is None else str(find_run(warm_start).absolute()),
        front_end=front_end_of(dataset, target),
        **settings,
    )
    _check_space(chosen.space, dataset)
    check = _screen_for(chosen, screen)
    _check_objectives(chosen, check)
    # What would only be found by the first training is found before there is a run folder.
    augmentation_for(dataset.layout, chosen.augment)
    dataset.folds(chosen.n_folds, 0)
    networks = [] if warm_start is None else find_networks(warm_start, chosen, dataset.class_names, check)
    folder = Path(out) if out is not None else _new_folder(Path("runs"))
    for text in unheeded(given, chosen):
        watch(Note(text))
    run = Run.create(folder, chosen)
    try:
        if networks:
            keep_networks(run, networks)
        return _go_on(run, dataset, running, strategy, evaluate, screen, watch)
    except (InfeasibleError, UsageError):
        if not run.journal.trials():
            run.discard()
        raise
    finally:
        run.close()


@ending_in_order()
def resume(
    folder: Path | str,
    dataset: Dataset | None = None,
    *,
    more_time_s: float | None = None,
    more_trials: int | None = None,
    more_generations: int | None = None,
    workers: int | None = None,
    trial_timeout_s: float | None = None,
    strategy: Strategy | None = None,
    evaluate: Evaluate | None = None,
    screen: Screen | None = None,
    executor: MakeExecutor | str | None = None,
    address: str | None = None,
    watch: Watcher | None = None,
    progress: bool = True,
) -> SearchResult:
    """Go on with the search in `folder` as if it had never stopped. A search that has ended is returned as it ended.

    One that has ended goes on where it is given more: so many seconds of wall time, trained children or generations.
    Then there are finalists and a final training anew. The best is replaced only by a better one, and kept as
    "RUN:NUMBER" then.

    `folder` may also be a name below runs/, or "latest". The data are loaded from where the search had them; only
    arrays have to be given again, as `dataset`. What the search was given of its own in Python (`strategy`, `evaluate`,
    `screen`, `executor`) is needed again: an object of the same class that has seen no trial, the same functions.
    `watch` and `progress` are as for search().

    Raises RunError when the folder is no run, is in use, began with other data, or has not ended and is given more;
    UsageError when something is needed.
    """
    more = checked_more(more_time_s=more_time_s, more_trials=more_trials, more_generations=more_generations)
    if dataset is not None:
        check_dataset(dataset)
    check_arguments(folder=folder, evaluate=evaluate, screen=screen, executor=executor, watch=watch)
    running = checked_running(workers, trial_timeout_s, executor, address)
    run = Run.open(find_run(folder))
    try:
        if dataset is not None:
            check_same(run, dataset)
        watch = watch or watcher_for(progress)
        run.set_summary_aside()
        summary = run.summary()
        lost = None if summary is None else damage(run, summary)
        if summary is not None and lost is None and not more:
            run.sweep()  # it may have been killed at its very end
            return _result(run)
        given = {"strategy": strategy, "evaluate": evaluate, "screen": screen, "executor": running.own}
        check_resume(run.folder, run.settings, given)
        if dataset is None:
            dataset = run.settings.data.load()
            check_same(run, dataset)
        if more and lost is not None:
            raise RunError(f"{lost} Resume it first without giving it more: the final training runs again.")
        if more:
            extend(run, more)
        if lost is not None:
            watch(Note(f"{lost} The final training runs again."))
            take_up_end(run)
        return _go_on(run, dataset, running.connected(), strategy, evaluate, screen, watch, try_again=lost is None)
    finally:
        run.close()


def _go_on(
    run: Run,
    dataset: Dataset,
    running: Running,
    strategy: Strategy | str | None,
    evaluate: Evaluate | None,
    screen: Screen | None,
    watch: Watcher,
    try_again: bool = True,
) -> SearchResult:
    """Search from wherever the journal stands to the summary."""
    settings = run.settings
    executor: Executor = Calls(evaluate) if evaluate else executor_for(running, run, dataset, watch)
    try:
        final = settings.fidelity != "none" and evaluate is None
        part = part_of(settings, run.journal.trials())
        clock = Clock(
            part.time_budget_s, max(0.0, run.journal.fact("seconds", 0.0) - part.age_s), running.workers or 1, final
        )
        check = _screen_for(settings, screen)
        networks = read_networks(run, dataset.class_names, check)
        course = Course(run, dataset, executor, watch, clock, networks)
        if strategy is None or isinstance(strategy, str):
            strategy = strategy_for(settings, check, networks, course.size_bonus)
        chosen = Warm(strategy, networks) if networks else strategy
        Loop(course, chosen, check, try_again)()
    finally:
        executor.close()
    return _result(run)


def _result(run: Run) -> SearchResult:
    """Return what the run has found; it has ended."""
    summary, trials = run.summary(), run.journal.trials()
    assert summary is not None
    number = None if summary["best"] is None else summary["best"]["trial"]
    best = next((trial for trial in trials if trial.number == number), None)
    return SearchResult(best, trials, summary, run.folder)


def _checked_own(**given: Any) -> dict[str, str]:
    """Return the names of what was given of the caller's own; UsageError for what cannot be used."""
    if given["strategy"] is not None:
        check_strategy(given["strategy"])
    if given["evaluate"] is not None and given["executor"] not in (None, "processes"):
        raise UsageError("evaluate and executor both say where scores come from: give one of them.")
    return names_of({name: None if isinstance(value, str) else value for name, value in given.items()})


def _screen_for(settings: Settings, own: Screen | None) -> Screen:
    """Return the hardware check, the caller's own or tinynas's, with what stands before the network."""
    from tinynas.screening.screen import screen

    return with_front_end(own or partial(screen, target=settings.target), settings.front_end)


@door
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


def watcher_for(progress: object) -> Watcher:
    """Return what shows the progress of a search that is not watched; UsageError unless `progress` is a truth."""
    check_kind("progress", progress, bool, "True to show how far the search is, or False")
    return shown() if progress else ignore

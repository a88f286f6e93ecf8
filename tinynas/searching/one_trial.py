"""The public door of a final training for any trial of a run: one of the front, a smaller one, the best for longer."""

from pathlib import Path
from typing import Any

from tinynas.data import Dataset
from tinynas.errors import RunError, UsageError, check_kind
from tinynas.options import SETTINGS
from tinynas.runs import Run, State, Trial, numbered, read_trained, run_and_trial
from tinynas.searching.api import watcher_for
from tinynas.searching.arguments import check_arguments, check_dataset, check_same
from tinynas.searching.clock import Clock
from tinynas.searching.ending import ending_in_order
from tinynas.searching.events import FinalProgress, Note, Started, Watcher
from tinynas.searching.executor import Executor
from tinynas.searching.final import final_job, lengths_for, require_fits, say_final
from tinynas.searching.jobs import StartFile
from tinynas.searching.own import MakeExecutor
from tinynas.searching.result import SearchResult
from tinynas.searching.running import checked_running, executor_for
from tinynas.searching.summary import about_best, summarize, warnings_of


@ending_in_order()
def train(
    source: Path | str,
    dataset: Dataset | None = None,
    *,
    time_budget_s: float | None = None,
    executor: MakeExecutor | None = None,
    watch: Watcher | None = None,
    progress: bool = True,
) -> SearchResult:
    """Give a trial of a run the final training that its best had, and keep the result in the run folder.

    `source` is "RUN:12", RUN being a folder, a name below runs/ or "latest". The training is as long as that of the
    best, in epochs; `time_budget_s` is the wall time for everything in its place. The data are loaded from where the
    search had them; only arrays have to be given again, as `dataset`. `executor` makes what trains, and `watch` and
    `progress` are as in search().
    The model goes to trained/12, in place of an earlier one, when it is whole, and `convert("RUN:12")` takes it from
    there; the run's own best stays as it is. The result has the trial as its best, and its summary.

    Raises UsageError for what names no trial, RunError for a trial that cannot be trained, a run that is in use, or
    other data.
    """
    check_kind("source", source, (str, Path), 'a trial of a run, such as "latest:4"')
    if dataset is not None:
        check_dataset(dataset)
    check_arguments(executor=executor, watch=watch)
    _check_budget(time_budget_s)
    folder, number = run_and_trial(source)
    if number is None:
        raise UsageError(
            f"{str(source)!r} is a run, and train takes a trial of it, such as {folder}:4: tinynas pareto {folder} "
            f"lists those worth it."
        )
    run = Run.open(folder)
    try:
        trial = _trial(run, number)
        if dataset is None:
            dataset = run.settings.data.load()
        check_same(run, dataset)
        return _trained(run, dataset, trial, time_budget_s, executor, watch or watcher_for(progress))
    finally:
        run.close()


def _trained(
    run: Run,
    dataset: Dataset,
    trial: Trial,
    time_budget_s: float | None,
    make_executor: MakeExecutor | None,
    watch: Watcher,
) -> SearchResult:
    """Train, and write the result in one piece."""
    settings, trials = run.settings, run.journal.trials()
    clock = Clock(time_budget_s, 0.0, workers=1)

    def say(text: str) -> None:
        run.log(text)
        watch(Note(text))

    watch(Started(run.folder, dataset.summary(), settings.target.name, 0))
    say(f"Final training of {trial}.")
    seconds = clock.final_seconds()
    epochs = _epochs(run) if seconds is None else None
    job = final_job(settings, lengths_for(run, dataset), trial, seconds, epochs, start=_start(run, trial))
    running = checked_running(None, None, make_executor, None)
    executor: Executor = executor_for(running, run, dataset, watch)
    try:
        final = executor.final(job, lambda told: watch(FinalProgress.of(told)))
    finally:
        executor.close()
    if final is None:
        raise UsageError("The executor has no final training: its method final returned None.")
    require_fits(settings, final)
    summary = summarize(run, dataset, trials, trial, final, clock.elapsed())
    warnings = warnings_of(run, dataset, trials, trial, final)
    about = about_best(run, dataset, trial, final.footprint, "final", warnings)
    run.save_trained(trial.number, about, final.keras, final.tflite, final.samples, summary)
    say_final(final, say)
    written = read_trained(run.folder, trial.number)
    assert written is not None  # as it has just been kept
    return SearchResult(trial, trials, written, run.folder, trial.number)


def _check_budget(time_budget_s: Any) -> None:
    row = SETTINGS["time_budget_s"]
    is_number = isinstance(time_budget_s, int | float) and not isinstance(time_budget_s, bool)
    if time_budget_s is not None and not (is_number and row.holds(time_budget_s)):
        raise UsageError(f"time_budget_s is {time_budget_s!r}; wanted {row.wanted}.")


def _trial(run: Run, number: int) -> Trial:
    """Return the trial of that number; RunError when there is nothing in it to train."""
    trial = numbered(run.journal.trials(), number, run.folder)
    evaluation = trial.evaluation
    if evaluation.state is State.INFEASIBLE:
        raise RunError(
            f"Trial {number} of {run.folder} does not fit, so it is not trained: {'; '.join(evaluation.violations)}."
        )
    if evaluation.state is State.FAILED:
        why = " ".join(evaluation.error.split())
        raise RunError(f"Trial {number} of {run.folder} failed ({why}); take one that did not.")
    return trial


def _start(run: Run, trial: Trial) -> StartFile | None:
    """Return the weights of a finalist that its final training goes on from, as that of the best does."""
    path = run.start_path(trial.number) if trial.evaluation.fidelity == "full" else None
    return None if path is None else StartFile(path, trial.architecture)


def _epochs(run: Run) -> int | None:
    """Return how many epochs the best of a search with a time budget was trained for, so that others have as many.

    None where the settings and the data say it, or no best is there yet.
    """
    summary = run.summary()
    if run.settings.time_budget_s is None or summary is None or summary["best"] is None:
        return None
    epochs: int | None = summary["best"]["epochs"]
    return epochs

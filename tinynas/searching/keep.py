"""Which models a search keeps beside the best: those of the trials on the Pareto front."""

from collections.abc import Sequence

from tinynas.data import Dataset
from tinynas.runs import Run, Settings, Trial, front, front_objectives, kept, leader
from tinynas.searching.jobs import Outcome
from tinynas.searching.summary import about_best


def front_of(settings: Settings, trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """Return the front in the objectives of the search, in accuracy, arena and file where it has accuracy alone."""
    return front(trials, front_objectives(settings.objectives), settings.metric)


def keep_models(
    run: Run, dataset: Dataset, trials: Sequence[Trial], trial: Trial, outcome: Outcome, leads: bool
) -> None:
    """Save the model of `trial` if it leads, and if it is on the front of `trials`, which it is one of.

    A search that is stopped has one to show. Models that are on the front no longer stay until `drop_models`.
    """
    if outcome.samples is None or trial.evaluation.footprint is None:
        return  # an evaluation that came without a model
    about = about_best(run, dataset, trial, trial.evaluation.footprint, trial.evaluation.fidelity)
    if trial.evaluation.folds and trial.number in _numbers(run, trials):
        run.save_trial(trial.number, about, outcome.keras, outcome.tflite, outcome.samples)
    if leads:
        run.save_best(about, outcome.keras, outcome.tflite, outcome.samples)


def drop_models(run: Run, trials: Sequence[Trial]) -> None:
    """Remove the models that are not on the front of `trials`."""
    numbers = kept(run.folder)
    if numbers and not set(numbers) <= (front := _numbers(run, trials)):
        run.prune(front)


def recover(run: Run, trials: Sequence[Trial]) -> None:
    """Bring the files of a run that was killed into line with its journal, which holds `trials`.

    What was being written is finished or removed. A model of a trial that the journal does not have is removed, as are
    its weights: the trial runs again, and makes the same. A best/ of such a trial gives way to the journal's best.
    """
    run.sweep()
    run.finish_renames()
    numbers = _numbers(run, trials)
    run.prune(numbers)
    run.prune_weights({trial.number for trial in trials})
    best = leader(trials, run.settings.metric)
    if (
        best is not None
        and best.number in kept(run.folder)
        and run.best_trial() not in {each.number for each in trials}
    ):
        run.copy_to_best(best.number)


def _numbers(run: Run, trials: Sequence[Trial]) -> set[int]:
    return {member.number for member in front_of(run.settings, trials)}

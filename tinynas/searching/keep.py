"""Which models a search keeps beside the best: those of the trials on the Pareto front."""

from collections.abc import Sequence

from tinynas.data import Dataset
from tinynas.runs import Run, Settings, Trial, front, front_objectives
from tinynas.searching.jobs import Outcome
from tinynas.searching.summary import about_best


def front_of(settings: Settings, trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """Return the front in the objectives of the search, in accuracy, arena and file where it has accuracy alone."""
    return front(trials, front_objectives(settings.objectives), settings.metric)


def keep_front(run: Run, dataset: Dataset, trials: Sequence[Trial], trial: Trial, outcome: Outcome) -> None:
    """Save the model of `trial` if it is on the front of `trials`, and remove those that are on it no longer."""
    if outcome.samples is None or trial.evaluation.footprint is None or not trial.evaluation.folds:
        return  # an evaluation that came without a model
    numbers = {member.number for member in front_of(run.settings, trials)}
    if trial.number in numbers:
        about = about_best(run, dataset, trial, trial.evaluation.footprint, trial.evaluation.fidelity)
        run.save_trial(trial.number, about, outcome.keras, outcome.tflite, outcome.samples)
    run.prune(numbers)

"""Which models a search keeps beside the best: those of the trials on the Pareto front."""

from collections.abc import Collection, Sequence

from tinynas.data import Dataset
from tinynas.runs import Run, Settings, Trial, front, front_objectives, kept, latest, leader
from tinynas.searching.jobs import Outcome
from tinynas.searching.summary import about_best


def front_of(settings: Settings, trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """Return the front in the objectives of the search, in accuracy, arena and file where it has accuracy alone."""
    return front(trials, front_objectives(settings.objectives), settings.metric)


class Front:
    """The numbers of the trials on the front, kept up with each trial that comes: its work does not grow with them."""

    def __init__(self, settings: Settings, trials: Sequence[Trial]) -> None:
        """Begin with `trials`."""
        self._settings = settings
        self._standing = {trial.architecture.key: trial for trial in latest(trials)}
        self._members = front_of(settings, trials)

    @property
    def numbers(self) -> set[int]:
        """The numbers of the trials that `front_of` returns for all so far."""
        return {member.number for member in self._members}

    def add(self, trial: Trial) -> None:
        """Take in another trial."""
        key = trial.architecture.key
        known = self._standing.get(key)
        stands = latest([trial] if known is None else [known, trial])
        if not stands or stands[0] is known:
            return
        self._standing[key] = trial
        # What another trial of its network had beaten comes back with it.
        among = self._standing.values() if known in self._members else [*self._members, trial]
        self._members = front_of(self._settings, tuple(among))


def keep_models(
    run: Run, dataset: Dataset, trial: Trial, outcome: Outcome, leads: bool, front_numbers: Collection[int]
) -> None:
    """Save the model of `trial` if it leads, and if it is one of the front's numbers, which it is counted in.

    A search that is stopped has one to show. Models that are on the front no longer stay until `drop_models`.
    """
    if outcome.samples is None or trial.evaluation.footprint is None:
        return  # an evaluation that came without a model
    about = about_best(run, dataset, trial, trial.evaluation.footprint, trial.evaluation.fidelity)
    if trial.evaluation.folds and trial.number in front_numbers:
        run.save_trial(trial.number, about, outcome.keras, outcome.tflite, outcome.samples)
    if leads:
        run.save_best(about, outcome.keras, outcome.tflite, outcome.samples)


def drop_models(run: Run, front_numbers: Collection[int]) -> None:
    """Remove the models that are not on the front."""
    numbers = kept(run.folder)
    if numbers and not set(numbers) <= set(front_numbers):
        run.prune(front_numbers)


def recover(run: Run, trials: Sequence[Trial]) -> None:
    """Bring the files of a run that was killed into line with its journal, which holds `trials`.

    What was being written is finished or removed. A model of a trial that the journal does not have is removed, as are
    its weights: the trial runs again, and makes the same. A best/ of such a trial gives way to the journal's best.
    """
    run.sweep()
    run.finish_renames()
    numbers = {member.number for member in front_of(run.settings, trials)}
    run.prune(numbers)
    run.prune_weights({trial.number for trial in trials})
    best = leader(trials, run.settings.metric)
    if (
        best is not None
        and best.number in kept(run.folder)
        and run.best_trial() not in {each.number for each in trials}
    ):
        run.copy_to_best(best.number)

"""The final training of a trial, the best of a search or another: how long it is, what is kept of it and said of it."""

import math
from collections.abc import Callable

import numpy as np

from tinynas.data import Dataset
from tinynas.errors import RunError
from tinynas.runs import Run, Settings, Trial
from tinynas.searching.jobs import Final, FinalJob, StartFile
from tinynas.training.schedule import MOST_REPLICAS, Lengths
from tinynas.words import counted, within


def lengths_for(run: Run, dataset: Dataset) -> Lengths:
    """Return how long the trainings of a search are; one that version 0.1.0 began does not count steps."""
    settings = run.settings
    earlier = {} if run.journal.fact("few_groups", False) else {"groups": None}
    return Lengths.of(
        dataset,
        settings.n_folds,
        **earlier,
        reduction=settings.reduction,
        batch_size=settings.batch_size,
        replicas=min(settings.final_threads, MOST_REPLICAS),
        least=run.journal.fact("least_steps", False),
        small_sets=run.journal.fact("small_sets", False),
        long_finals=run.journal.fact("long_finals", False),
        cut_finals=run.journal.fact("cut_finals", False),
        ends_plain=run.journal.fact("ends_plain", False),
    )


def seed_of(settings: Settings, number: int) -> int:
    """Return the seed of every training of trial `number`."""
    return int(np.random.SeedSequence([settings.seed, number]).generate_state(1)[0] >> 2)


def final_job(
    settings: Settings,
    lengths: Lengths,
    trial: Trial,
    seconds: float | None,
    epochs: int | None = None,
    *,
    start: StartFile | None = None,
    twice: bool = False,
    cool: bool = False,
) -> FinalJob:
    """Return the final training of `trial`: for `seconds`, or for `epochs`, or by the settings and the data.

    `start`, `twice` and `cool` are as in FinalJob.
    """
    epochs = settings.final_epochs if epochs is None else epochs
    return FinalJob(
        trial.architecture,
        seed_of(settings, trial.number),
        epochs or lengths.final(timed=seconds is not None),
        seconds,
        until_flat=lengths.least and epochs is None and seconds is None,
        regularization=trial.evaluation.regularization,
        start=start,
        twice=twice,
        cool=cool,
        least_epochs=1 if start is not None else _least_epochs(trial, lengths),
        ends_plain=lengths.ends_plain,
    )


def _least_epochs(trial: Trial, lengths: Lengths) -> int:
    """Return the epochs in which the final training sees as many samples as the trial did on a fold: with fewer, as a
    short budget on a slow machine has them, the final model is worse than the one that the trial was chosen for."""
    evaluation = trial.evaluation
    return max(1, math.ceil(evaluation.visits / max(1, len(evaluation.folds)) / lengths.samples))


def require_fits(settings: Settings, final: Final) -> None:
    """RunError when the final file is over a limit."""
    violations = settings.limits.violations(final.footprint)
    if violations:
        raise RunError(f"The final file does not fit: {'; '.join(str(v) for v in violations)}.")


def say_final(final: Final, say: Callable[[str], None]) -> None:
    """Say how good the final model is, and how far TFLM agrees."""
    checked = (
        "TFLM is not available here, so the file was not run in it"
        if final.tflm_largest_step is None
        else f"TFLM agrees with the reference {within(final.tflm_largest_step)}"
    )
    scores = final.scores
    say(
        f"Final model: test accuracy {scores.int8.accuracy:.4f} int8, {scores.float.accuracy:.4f} float "
        f"after {counted(final.epochs, 'epoch')}; {checked}."
    )
    if final.judged:
        judged = " and ".join(f"{score:.4f} {name.upper()}" for name, score in final.judged.items())
        kept = "the better file" if len(set(final.judged.values())) > 1 else "the one nearer to the float model"
        say(f"On training samples held out: {judged}; {kept} was kept.")

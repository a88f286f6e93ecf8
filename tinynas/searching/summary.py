"""What is written of a search: summary.json, and architecture.json beside the best model."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tinynas.data import Dataset
from tinynas.data.doubts import Figures, Validation, doubts
from tinynas.hardware import Footprint
from tinynas.runs import METRICS, Evaluation, Run, State, Trial, latest, smaller
from tinynas.searching.jobs import Final
from tinynas.training.schedule import scored_samples
from tinynas.words import counted


def summarize(
    run: Run,
    dataset: Dataset,
    trials: Sequence[Trial],
    best: Trial | None,
    final: Final | None,
    seconds: float,
    chosen: str | None = None,
) -> dict[str, Any]:
    """Return summary.json; "best" is None when nothing was trained (fidelity "none").

    `chosen` is why `best` is the best where another trial scores higher: what follows on "The best is #12, ".
    """
    states = Counter(trial.evaluation.state for trial in trials)
    return {
        "target": run.settings.target.name,
        "data": dataset.summary(),
        "seed": run.settings.seed,
        "trials": {state.value: states[state] for state in State},
        "best": None if best is None else {**_best(run, best, final), "chosen": chosen},
        "warnings": [] if best is None else list(warnings_of(run, dataset, trials, best, final)),
        "smaller": None if best is None else _smaller(run, dataset, trials, best),
        "seconds": round(seconds, 3),
    }


def warnings_of(
    run: Run, dataset: Dataset, trials: Sequence[Trial], best: Trial, final: Final | None
) -> tuple[str, ...]:
    """Return what speaks against the final model, a sentence each; nothing is said before there is one."""
    if final is None or final.scores.confusion is None:
        return ()
    folds = len(best.evaluation.folds)
    said = doubts(
        Figures(
            confusion=final.scores.confusion,
            class_names=dataset.class_names,
            float_accuracy=final.scores.float.accuracy,
            validation=None
            if not folds
            else Validation(
                accuracy=best.evaluation.mean("accuracy"),
                samples=len(dataset.y) * folds // run.settings.n_folds,
                candidates=len(latest(trials)),
            ),
            losses=final.losses,
        )
    )
    return (*_shorter(run, dataset, best, final), *said)


def _shorter(run: Run, dataset: Dataset, best: Trial, final: Final) -> tuple[str, ...]:
    """Return a sentence where a time budget left the final training less than a fold of the trial had."""
    evaluation, settings = best.evaluation, run.settings
    budgets = (settings.time_budget_s, *(extension.time_budget_s for extension in settings.extensions))
    if not any(budgets) or final.epochs == settings.final_epochs:
        return ()
    had = evaluation.visits // max(1, len(evaluation.folds))
    if evaluation.fidelity != "proxy" or final.epochs * len(dataset.y) >= had:
        return ()
    return (
        f"The time left for the final training was {counted(final.epochs, 'epoch')}, less than the trial was trained "
        f"in the search: give it more, tinynas search --resume {run.folder} --time-budget +5m.",
    )


def _smaller(run: Run, dataset: Dataset, trials: Sequence[Trial], best: Trial) -> dict[str, Any] | None:
    """Return what is said of the smallest network within one standard error of `best`; None where there is none."""
    if not best.evaluation.folds:
        return None
    settings = run.settings
    found = smaller(trials, best, settings.metric, scored_samples(len(dataset.y), settings.n_folds))
    return None if found is None else found.to_dict()


def _best(run: Run, best: Trial, final: Final | None) -> dict[str, Any]:
    footprint = best.evaluation.footprint if final is None else final.footprint
    assert footprint is not None
    tested = None
    if final is not None:
        scores = final.scores
        tested = {"float": scores.float.to_dict(), "int8": scores.int8.to_dict(), "confusion": scores.confusion}
        tested["mistakes"] = scores.mistakes
    return {
        "trial": best.number,
        "architecture": best.architecture.to_dict(),
        "description": str(best.architecture),
        "params": footprint.params,
        "macs": footprint.macs,
        "flops": footprint.flops,
        "flash_bytes": footprint.flash_bytes,
        "arena_bytes": footprint.arena_bytes,
        "largest_tensor_bytes": footprint.largest_tensor_bytes,
        "footprint": footprint.to_dict(),
        "validation": validation(best.evaluation),
        "stream": _stream(best),
        "test": tested,
        "regularization": best.evaluation.regularization,
        "epochs": None if final is None else final.epochs,
        "losses": None if final is None else [round(loss, 5) for loss in final.losses],
        "held_out": None if final is None else dict(final.judged),
        "tflm_largest_step": None if final is None else final.tflm_largest_step,
        "fits": not run.settings.limits.violations(footprint),
    }


def _stream(trial: Trial) -> dict[str, int] | None:
    """Return the threshold of the stream, and what it does on the validation recordings; None where it has none."""
    return None if trial.evaluation.stream is None else trial.evaluation.stream.to_dict()


def validation(evaluation: Evaluation) -> dict[str, Any]:
    """Return mean and deviation over the folds of each metric of the int8 model, below "float" of the float model.

    All are None where no fold was trained: a trial of a search that only measures.
    """
    int8, floats = ({metric: _spread(evaluation, metric, model) for metric in METRICS} for model in ("int8", "float"))
    return {**int8, "float": floats, "fidelity": evaluation.fidelity, "folds": len(evaluation.folds)}


def _spread(evaluation: Evaluation, metric: str, model: str) -> dict[str, float | None]:
    if not evaluation.folds:
        return {"mean": None, "std": None}
    return {"mean": evaluation.mean(metric, model), "std": evaluation.std(metric, model)}


def about_best(
    run: Run, dataset: Dataset, trial: Trial, footprint: Footprint, stage: str, warnings: Sequence[str] = ()
) -> dict[str, Any]:
    """Return what stands beside a saved model: all that a firmware needs to know of it, and how it came about.

    `stage` is "proxy", "full" (one fold's model of a search that goes on) or "final"; `warnings` are what speaks
    against a final model.
    """
    return {
        "architecture": trial.architecture.to_dict(),
        "description": str(trial.architecture),
        "trial": trial.number,
        "stage": stage,
        "target": run.settings.target.name,
        "class_names": list(dataset.class_names),
        "layout": dataset.layout,
        "normalization": dataset.normalization.to_dict(),
        "channels": list(dataset.channels),
        "rate": dataset.rate,
        "features": None if dataset.features is None else dataset.features.to_dict(),
        "validation": validation(trial.evaluation),
        "stream": _stream(trial),
        "footprint": footprint.to_dict(),
        "warnings": list(warnings),
    }

"""What is said of one trial where it is picked: the same texts in the page as it is written and on a click."""

from tinynas.report.words import bytes_text, duration, millis, number, percent
from tinynas.runs import Trial


def details(trial: Trial, training: str, metric: str) -> dict[str, str]:
    """Return the texts of a trained trial by name; `training` says how it was trained."""
    evaluation, footprint = trial.evaluation, trial.evaluation.footprint
    folds = len(evaluation.folds)
    return {
        "number": str(trial.number),
        "training": training,
        "generation": str(trial.generation),
        "parent": "none" if trial.parent is None else f"#{trial.parent}",
        "architecture": str(trial.architecture),
        f"int8 {metric}": percent(evaluation.mean(metric))
        + (f" ± {100 * evaluation.std(metric):.2f}, {folds} folds" if folds > 1 else ""),
        f"float {metric}": percent(evaluation.mean(metric, "float")),
        "arena": bytes_text(None if footprint is None else footprint.arena_bytes),
        "model file": bytes_text(None if footprint is None else footprint.flash_bytes),
        "latency, estimated": millis(None if footprint is None else footprint.latency_ms),
        "MACs": number(None if footprint is None else footprint.macs),
        "parameters": number(None if footprint is None else footprint.params),
        "training took": duration(evaluation.seconds),
    }


HEADING = ("number", "training", "generation", "parent", "architecture")
"""The names of `details` that stand above the others."""

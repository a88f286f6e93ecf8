"""A trial as a row of plain values, for tables, CSV and JSON."""

from collections.abc import Sequence
from typing import Any

from tinynas.runs import METRICS, State, Trial, ranking

_ORDER = {State.COMPLETE: 0, State.INFEASIBLE: 1, State.FAILED: 2}


def trial_row(trial: Trial) -> dict[str, Any]:
    """Return every figure of `trial` under one name each; None where it has none.

    Scores are means over the folds, shares in [0, 1]; `_std` is their population deviation. Bytes, milliseconds and
    seconds are as their names say.
    """
    evaluation, footprint = trial.evaluation, trial.evaluation.footprint
    scores: dict[str, float | None] = {}
    for model in ("int8", "float"):
        for metric in METRICS:
            known = bool(evaluation.folds)
            scores[f"{metric}_{model}"] = evaluation.mean(metric, model) if known else None
            scores[f"{metric}_{model}_std"] = evaluation.std(metric, model) if known else None
    return {
        "number": trial.number,
        "generation": trial.generation,
        "parent": trial.parent,
        "state": evaluation.state.value,
        "fidelity": evaluation.fidelity,
        "rung": evaluation.rung,
        "folds": len(evaluation.folds),
        **scores,
        "flash_bytes": None if footprint is None else footprint.flash_bytes,
        "arena_bytes": None if footprint is None else footprint.arena_bytes,
        "board_flash_bytes": None if footprint is None else footprint.flash.total,
        "board_ram_bytes": None if footprint is None else footprint.ram_bytes,
        "latency_ms": None if footprint is None else footprint.latency_ms,
        "energy_mj": None if footprint is None else footprint.energy_mj,
        "params": None if footprint is None else footprint.params,
        "macs": None if footprint is None else footprint.macs,
        "flops": None if footprint is None else footprint.flops,
        "seconds": evaluation.seconds,
        "elapsed_s": trial.elapsed_s,
        "visits": evaluation.visits,
        "regularization": evaluation.regularization,
        "violations": "; ".join(evaluation.violations),
        "error": " ".join(evaluation.error.split()),
        "key": trial.architecture.key,
        "architecture": str(trial.architecture),
    }


def ranked(trials: Sequence[Trial], metric: str) -> tuple[Trial, ...]:
    """Return the trials best first, as `ranking` has them; then what never was trained, in the order of its numbers."""
    key = ranking(metric)

    def place(trial: Trial) -> tuple[Any, ...]:
        if trial.evaluation.folds:
            return (0, *key(trial))
        return (1 + _ORDER[trial.evaluation.state], trial.number)

    return tuple(sorted(trials, key=place))

"""Runs side by side: the settings in which they differ, and what came of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tinynas.report.counts import counts_of
from tinynas.report.differences import differences
from tinynas.report.facts import RunFacts
from tinynas.runs import State


@dataclass(frozen=True)
class Comparison:
    """A column a run: `settings` are those that differ, by name; `results` are plain values, None where not known.

    `said` are the settings as a person says them, without what follows from others.
    """

    runs: tuple[str, ...]
    settings: dict[str, tuple[Any, ...]]
    results: dict[str, tuple[Any, ...]]
    said: dict[str, tuple[str, ...]]

    def to_dict(self) -> dict[str, Any]:
        """Return a value that JSON can hold: a list of runs, each with its settings and results."""
        columns = []
        for place, name in enumerate(self.runs):
            settings = {key: values[place] for key, values in self.settings.items()}
            results = {key: values[place] for key, values in self.results.items()}
            columns.append({"run": name, "settings": settings, "results": results})
        return {"runs": columns}


def compare(runs: Sequence[RunFacts]) -> Comparison:
    """Return the comparison of `runs`, in their order."""
    flat = [_flat(run.settings.model_dump(mode="json")) for run in runs]
    names = list(dict.fromkeys(name for values in flat for name in values))
    differ = {name: tuple(values.get(name) for values in flat) for name in names}
    differ = {name: values for name, values in differ.items() if any(value != values[0] for value in values)}
    results = [_results(run) for run in runs]
    return Comparison(
        tuple(run.name for run in runs),
        differ,
        {name: tuple(r[name] for r in results) for name in results[0]},
        differences([run.settings for run in runs]),
    )


def _flat(values: dict[str, Any], before: str = "") -> dict[str, Any]:
    """Return nested settings under dotted names; lists stay whole."""
    out: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            out |= _flat(value, f"{before}{name}.")
        else:
            out[before + name] = value
    return out


def _results(run: RunFacts) -> dict[str, Any]:
    best, footprint, metric = run.best, run.footprint, run.settings.metric
    evaluation = None if best is None else best.evaluation
    scored = evaluation is not None and bool(evaluation.folds)
    test = None if run.final is None else run.final["test"]
    counts = counts_of(run.trials)
    states = [trial.evaluation.state for trial in run.trials]
    return {
        "ended": run.ended,
        "best_trial": None if best is None else best.number,
        "metric": metric,
        "validation_int8": evaluation.mean(metric) if evaluation is not None and scored else None,
        "validation_int8_std": evaluation.std(metric) if evaluation is not None and scored else None,
        "validation_folds": len(evaluation.folds) if evaluation is not None else 0,
        "test_int8": None if test is None else test["int8"][metric],
        "test_float": None if test is None else test["float"][metric],
        "flash_bytes": None if footprint is None else footprint.flash_bytes,
        "arena_bytes": None if footprint is None else footprint.arena_bytes,
        "latency_ms": None if footprint is None else footprint.latency_ms,
        "macs": None if footprint is None else footprint.macs,
        "networks_trained": counts.networks,
        "trials_complete": counts.complete,
        "trials_promoted": counts.promotions,
        "trials_finalist": counts.finalists,
        "trials_infeasible": states.count(State.INFEASIBLE),
        "trials_failed": states.count(State.FAILED),
        "seconds": run.seconds,
        "architecture": None if best is None else str(best.architecture),
    }

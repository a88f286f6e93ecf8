"""A model on its way to firmware, with all that is known of it, and how a run's best becomes one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinynas.data.layout import as_layout
from tinynas.data.normalize import Normalization
from tinynas.errors import RunError, TinynasError
from tinynas.export.facts import Facts
from tinynas.hardware import Limits, Target
from tinynas.runs import Best, read_settings
from tinynas.tflite.affine import Int8s


@dataclass(frozen=True)
class Accuracy:
    """Shares of `samples` held-out samples that a model gets right; `float32` is None where there is no float model."""

    samples: int
    int8: float
    float32: float | None = None


@dataclass(frozen=True, eq=False)
class Source:
    """An int8 .tflite, stripped, with all that is known of it.

    `samples` are int8 inputs (n, ...) to check it with. `is_own`: tinynas converted it, so TFLM and TFLite's reference
    must agree on it. `limits` are a run's own beside those of its target; `stage` is a run's, None for other sources.
    """

    origin: str
    tflite: bytes
    samples: Int8s
    facts: Facts
    name: str
    destination: Path
    is_own: bool
    target: Target | None = None
    limits: Limits | None = None
    flops: int | None = None
    stage: str | None = None
    accuracy: Accuracy | None = None
    notes: tuple[str, ...] = ()


def from_run(folder: Path, trial: int | None = None) -> Source:
    """The best model of the run in `folder`, or that of a trial; RunError when there is none or it is damaged."""
    settings, best = read_settings(folder), Best(folder, trial)
    about = best.about
    try:
        normalization = Normalization.from_dict(about["normalization"])
        names, flops = tuple(map(str, about["class_names"])), about["footprint"]["flops"]
        facts = Facts(names, as_layout(about["layout"], "layout"), int(best.samples.shape[-1]), normalization)
    except (TypeError, KeyError, ValueError, IndexError, TinynasError) as error:
        where = "best" if trial is None else f"models/{trial}"
        raise RunError(f"{folder}/{where}/architecture.json is damaged ({error}); resume the search.") from error
    return Source(
        origin=f"the model of {folder}" if trial is None else f"trial {trial} of {folder}",
        tflite=best.tflite,
        samples=best.samples,
        facts=facts,
        name="model",
        destination=folder / ("firmware" if trial is None else f"firmware_{trial}"),
        is_own=True,
        target=settings.target,
        limits=settings.limits,
        flops=flops,
        stage=about["stage"],
    )

"""A model on its way to firmware, with all that is known of it, and how a run's best becomes one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tinynas.data.layout import as_layout
from tinynas.data.normalize import Normalization
from tinynas.errors import RunError, TinynasError
from tinynas.export.ends import Stored
from tinynas.export.facts import Facts
from tinynas.export.output import Ints, Labelled, Output
from tinynas.features import Features, from_dict
from tinynas.features.threshold import Tuned
from tinynas.hardware import Limits, Target
from tinynas.runs import Best, read_settings
from tinynas.tflite.affine import Floats


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The test samples `rows` of `data`: the real inputs (n, values), and a float model's outputs (n, values) for them.

    `floats` is None where there is no float model.
    """

    data: Labelled
    rows: Ints
    inputs: Floats
    floats: Floats | None = None


@dataclass(frozen=True, eq=False)
class Source:
    """A .tflite, stripped, with all that is known of it.

    `samples` are inputs (n, ...), as its tensor holds them, to check it with, of `held_out` where there are data;
    `more_samples` and `more_outputs` are those of further inputs, and what further outputs are. `names` are those of
    the file's tensors, by number, where several inputs or outputs are told apart by them.
    `features` is how sound became the samples.
    `is_own`: tinynas converted it, so TFLM and TFLite's reference must agree on it. `limits` are a run's own beside
    those of its target; `stage` is a run's, None for other sources. `warnings` are what a run says against its model.
    """

    origin: str
    tflite: bytes
    samples: Stored
    output: Output
    facts: Facts
    name: str
    destination: Path
    is_own: bool
    target: Target | None = None
    limits: Limits | None = None
    flops: int | None = None
    stage: str | None = None
    held_out: HeldOut | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    more_samples: tuple[Stored, ...] = ()
    more_outputs: tuple[Output, ...] = ()
    names: tuple[str, ...] = ()
    features: Features | None = None


def run_of_file(path: Path) -> tuple[Path, int | None] | None:
    """The run, and the number of the trial, whose model or firmware the .tflite at `path` is; None for others."""
    place = path.absolute().parent
    firmware = re.fullmatch(r"firmware(?:_(\d+))?", place.name)
    if place.name == "best" or firmware is not None:
        run, number = place.parent, None if firmware is None or firmware[1] is None else int(firmware[1])
    elif place.name.isdecimal() and place.parent.name in ("models", "trained"):
        run, number = place.parent.parent, int(place.name)
    else:
        return None
    return (run, number) if (run / "settings.json").is_file() else None


def from_run(folder: Path, trial: int | None = None) -> Source:
    """The best model of the run in `folder`, or that of a trial; RunError when there is none or it is damaged."""
    settings, best = read_settings(folder), Best(folder, trial)
    about = best.about
    try:
        normalization = Normalization.from_dict(about["normalization"])
        names, flops = tuple(map(str, about["class_names"])), about["footprint"]["flops"]
        features = None if about.get("features") is None else from_dict(about["features"])
        facts = Facts(
            as_layout(about["layout"], "layout"),
            int(best.samples.shape[-1]),
            normalization,
            names=tuple(map(str, about.get("channels", ()))),
            rate=None if about.get("rate") is None else float(about["rate"]),
            tuned=None if about.get("stream") is None else Tuned.from_dict(about["stream"]),
        )
    except (TypeError, KeyError, ValueError, IndexError, TinynasError) as error:
        raise RunError(f"{best.place}/architecture.json is damaged ({error}); resume the search.") from error
    return Source(
        origin=f"the model of {folder}" if trial is None else f"trial {trial} of {folder}",
        tflite=best.tflite,
        samples=best.samples,
        output=Output("classes", names),
        facts=facts,
        name="model",
        destination=folder / ("firmware" if trial is None else f"firmware_{trial}"),
        is_own=True,
        target=settings.target,
        limits=settings.limits,
        flops=flops,
        stage=about["stage"],
        warnings=tuple(map(str, about.get("warnings", ()))),
        features=features,
    )

"""What is held before anything is written: TFLM plans the arena that tinynas plans, and answers as TFLite does."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tinynas.engine import Engine, Figures, build
from tinynas.errors import ConversionError, ModelError
from tinynas.export.ends import Stored
from tinynas.export.source import Source
from tinynas.hardware import Target, Violation
from tinynas.hardware.footprint import Arena, Flash
from tinynas.tflite import Analysis, read, tflm
from tinynas.tflite.kernel_memory import has_state

_MOST_SAMPLES = 200
_ARITHMETIC = "TFLM's arithmetic in Python (TFLM itself was not available)"
_REFERENCE = "TensorFlow Lite's reference kernels (TFLM was not available)"


@dataclass(frozen=True, eq=False)
class Answers:
    """What a file answers to `samples` (n, ...), as its tensor holds them: `outputs` (n, values), and whose they are.

    `more_samples` and `more_outputs` are those of the inputs and outputs after the first. `step` is how far TFLM is
    from TFLite's reference kernels; None where one of them is not there or does not run it.
    """

    samples: Stored
    outputs: Stored
    maker: str
    step: int | None
    notes: tuple[str, ...] = ()
    more_samples: tuple[Stored, ...] = ()
    more_outputs: tuple[Stored, ...] = ()


def answers(data: bytes, source: Source) -> Answers:
    """What training.verify finds of the file `data` on the source's samples; ConversionError as there.

    Where TFLM is not installed its arithmetic in Python answers, which knows it to the last bit; TFLite's reference
    kernels do for a model that the engine has no code for.
    """
    from tinynas.training import verify

    most, notes = _MOST_SAMPLES, tuple[str, ...]()
    if has_state(read(data)):
        most, notes = 1, ("The model remembers what it has seen, so there is one golden sample: its first answer.",)
    samples = source.samples[:most]
    more = tuple(each[:most] for each in source.more_samples)
    if not tflm.available() and samples.dtype == np.int8 and not more:
        try:
            return Answers(samples, build(data).run(samples), _ARITHMETIC, None)
        except ModelError:
            pass
    found = verify.answers(data, samples, source.is_own, more)
    maker = "TFLM" if tflm.available() else _REFERENCE
    notes = notes if found.note is None else (*notes, found.note)
    return Answers(samples, found.outputs, maker, found.step, notes, more, found.more)


def engine_answers(engine: Engine, source: Source) -> Answers:
    """The engine's answers to the source's samples, held against TFLM's to the last bit where that is installed.

    The golden outputs are TFLM's, or where it is not here those of its arithmetic in Python; ConversionError where the
    two are not equal.
    """
    samples = source.samples[:_MOST_SAMPLES]
    outputs = engine.run(samples)
    if not tflm.available():
        return Answers(samples, outputs, _ARITHMETIC, None)
    found = tflm.run(source.tflite, samples).reshape(len(samples), -1)
    if (found != outputs).any():
        raise ConversionError(
            f"TFLM and the engine answer differently on {int((found != outputs).any(axis=1).sum())} of {len(samples)} "
            f"samples; please report the model."
        )
    return Answers(samples, found, "TFLM", 0)


def as_engine(analysis: Analysis, figures: Figures, target: Target | None) -> Analysis:
    """The analysis of the same model as plain C: its memory in the arena's place, its own code in TFLM's."""
    footprint = replace(
        analysis.footprint,
        flash=Flash(figures.weights + figures.tables, figures.code, analysis.footprint.flash.front_end),
        arena=Arena(figures.memory, 0, figures.memory, figures.memory),
        arena_status="exact",
        ram_outside_bytes=figures.stack,
        macs=figures.macs,
    )
    if target is None:
        return replace(analysis, footprint=footprint)
    broken = target.limits.violations(footprint)
    return replace(analysis, footprint=footprint, violations=tuple(broken), fits=not broken)


def violations(source: Source, analysis: Analysis, target: Target | None) -> tuple[Violation, ...]:
    """What the model breaks of the target's limits, and of a run's own while it stays on the run's target."""
    found = analysis.violations
    if source.limits is not None and target is source.target:
        found = (*found, *source.limits.violations(replace(analysis.footprint, flops=source.flops)))
    return tuple({str(each): each for each in found}.values())

"""What is held before anything is written: TFLM plans the arena that tinynas plans, and answers as TFLite does."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tinynas.export.ends import Stored
from tinynas.export.source import Source
from tinynas.hardware import Target, Violation
from tinynas.tflite import Analysis, tflm

_MOST_SAMPLES = 200
_REFERENCE = "TensorFlow Lite's reference kernels (TFLM was not available)"


@dataclass(frozen=True, eq=False)
class Answers:
    """What a file answers to `samples` (n, ...), as its tensor holds them: `outputs` (n, values), and whose they are.

    `step` is how far TFLM is from TFLite's reference kernels; None where one of them is not there or does not run it.
    """

    samples: Stored
    outputs: Stored
    maker: str
    step: int | None
    notes: tuple[str, ...] = ()


def answers(data: bytes, source: Source) -> Answers:
    """What training.verify finds of the file `data` on the source's samples; ConversionError as there."""
    from tinynas.training import verify

    samples = source.samples[:_MOST_SAMPLES]
    found = verify.answers(data, samples, source.is_own)
    maker = "TFLM" if tflm.available() else _REFERENCE
    return Answers(samples, found.outputs, maker, found.step, () if found.note is None else (found.note,))


def violations(source: Source, analysis: Analysis, target: Target | None) -> tuple[Violation, ...]:
    """What the model breaks of the target's limits, and of a run's own while it stays on the run's target."""
    found = analysis.violations
    if source.limits is not None and target is source.target:
        found = (*found, *source.limits.violations(replace(analysis.footprint, flops=source.flops)))
    return tuple({str(each): each for each in found}.values())

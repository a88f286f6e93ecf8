"""What is held before anything is written: TFLM plans the arena that tinynas plans, and answers as TFLite does."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tinynas.errors import ConversionError
from tinynas.export.source import Source
from tinynas.hardware import Target, Violation
from tinynas.tflite import Analysis, tflm
from tinynas.tflite.affine import Int8s

_MOST_SAMPLES = 200
_REFERENCE = "TensorFlow Lite's reference kernels (TFLM was not available)"


@dataclass(frozen=True, eq=False)
class Answers:
    """What a file answers to int8 `samples` (n, ...): `outputs` (n, values), and whose they are.

    `step` is how far TFLM is from TFLite's reference kernels; None where TFLM is not installed.
    """

    samples: Int8s
    outputs: Int8s
    maker: str
    step: int | None
    notes: tuple[str, ...] = ()


def answers(data: bytes, source: Source) -> Answers:
    """The answers of TFLM to the source's samples, held against TFLite's reference; its own where TFLM is not here.

    A note says when more than a step lies between the two; ConversionError when so many do that something else was
    computed, and the file was made here. A file from elsewhere is taken as it is.
    """
    from tinynas.training.int8 import Int8Model
    from tinynas.training.verify import MOST_STEPS, USUAL_STEPS

    samples = source.samples[:_MOST_SAMPLES]
    reference = Int8Model(data, reference=True).run(samples, batch_size=1).reshape(len(samples), -1)
    if not tflm.available():
        return Answers(samples, reference, _REFERENCE, None)
    outputs = tflm.run(data, samples).reshape(len(samples), -1)
    step = int(np.abs(outputs.astype(int) - reference).max())
    far = f"TFLM's outputs are up to {step} steps from those of TFLite's reference on {len(samples)} samples"
    if step > MOST_STEPS and source.is_own:
        raise ConversionError(f"{far} ({MOST_STEPS} are allowed): the board would not do what was done here.")
    notes = (f"{far}: expect TFLM's on the board.",) if step > USUAL_STEPS else ()
    return Answers(samples, outputs, "TFLM", step, notes)


def violations(source: Source, analysis: Analysis, target: Target | None) -> tuple[Violation, ...]:
    """What the model breaks of the target's limits, and of a run's own while it stays on the run's target."""
    found = analysis.violations
    if source.limits is not None and target is source.target:
        found = (*found, *source.limits.violations(replace(analysis.footprint, flops=source.flops)))
    return tuple({str(each): each for each in found}.values())

"""Does the file do on the board what it did here? The real TFLM against TFLite's reference resolver."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinynas.errors import ConversionError
from tinynas.tflite import tflm
from tinynas.tflite.affine import Int8s
from tinynas.training.int8 import Int8Model

# One step comes of the rounding of a pool's average, and a dense layer and softmax can make some steps of it: the
# answer is the same. A kernel that computes something else is dozens of steps off.
_USUAL_STEPS, _MOST_STEPS = 1, 8


@dataclass(frozen=True, eq=False)
class Answers:
    """What a file answers to some samples: `outputs` (n, values) int8 are TFLM's.

    `step` is the largest difference, in int8 steps, from the reference resolver's. It is None where TFLM's wheel does
    not exist (it is for Linux on x86-64), and the outputs are then the resolver's own; and where the resolver does not
    run the file. `note` is a sentence when that is so, or the difference is more than rounding makes.
    """

    outputs: Int8s
    step: int | None
    note: str | None = None


def answers(data: bytes, samples: Int8s, is_own: bool = True) -> Answers:
    """Return what the int8 .tflite `data` answers to int8 `samples` (n, ...), in TFLM and in the reference resolver.

    Raises ConversionError when the two are so far apart that something else was computed and the file `is_own`, made
    here; a file from elsewhere is taken as it is, with a note.
    """
    try:
        reference = _reference(data, samples)
    except ConversionError as error:
        if is_own or not tflm.available():
            raise
        return Answers(tflm.run(data, samples).reshape(len(samples), -1), None, f"TFLM alone runs the file: {error}")
    if not tflm.available():
        return Answers(reference, None)
    outputs = tflm.run(data, samples).reshape(len(samples), -1)
    step = int(np.abs(outputs.astype(int) - reference).max())
    far = f"TFLM's outputs are up to {step} steps from those of TFLite's reference on {len(samples)} samples"
    if step > _MOST_STEPS and is_own:
        raise ConversionError(f"{far} ({_MOST_STEPS} are allowed): the board would not do what was done here.")
    return Answers(outputs, step, f"{far}: expect TFLM's on the board." if step > _USUAL_STEPS else None)


def run(data: bytes, samples: Int8s) -> Int8s:
    """Return the outputs (n, values) of the int8 .tflite `data` for `samples` (n, ...): TFLM's, or the resolver's."""
    return tflm.run(data, samples).reshape(len(samples), -1) if tflm.available() else _reference(data, samples)


def _reference(data: bytes, samples: Int8s) -> Int8s:
    outputs: Int8s = Int8Model(data, reference=True).run(samples, batch_size=1).reshape(len(samples), -1)
    return outputs

"""Does the file do on the board what it did here? The real TFLM against TFLite's reference resolver."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.errors import ConversionError
from tinynas.tflite import read, tflm
from tinynas.tflite.affine import step_of
from tinynas.training.int8 import run_reference

# One step comes of the rounding of a pool's average, and a dense layer and softmax can make some steps of it: the
# answer is the same. A kernel that computes something else is dozens of steps off.
_USUAL_STEPS, _MOST_STEPS = 1, 8

Stored = npt.NDArray[Any]  # values as a tensor holds them: int8, uint8 or float32


@dataclass(frozen=True, eq=False)
class Answers:
    """What a file answers to some samples: `outputs` (n, values), as its tensor holds them, are TFLM's.

    `step` is the largest difference, in steps of the output, from the reference resolver's. It is None where TFLM's
    wheel does not exist (it is for Linux on x86-64), and the outputs are then the resolver's own; and where the
    resolver does not run the file. `note` is a sentence when that is so, or the difference is more than rounding makes.
    `more` are those of the outputs after the first.
    """

    outputs: Stored
    step: int | None
    note: str | None = None
    more: tuple[Stored, ...] = ()


def answers(data: bytes, samples: Stored, is_own: bool = True, more: Sequence[Stored] = ()) -> Answers:
    """Return what the .tflite `data` answers to `samples` (n, ...) of its input's type, in TFLM and in the resolver.

    `more` are samples for the inputs after the first. Raises ConversionError when the two are so far apart that
    something else was computed and the file `is_own`, made here; a file from elsewhere is taken as it is, with a note.
    """
    inputs = (samples, *more)
    try:
        reference = run_reference(data, inputs)
    except ConversionError as error:
        if is_own or not tflm.available():
            raise
        outputs, *others = tflm.run_all(data, inputs)
        return Answers(outputs, None, f"TFLM alone runs the file: {error}", tuple(others))
    if not tflm.available():
        return Answers(reference[0], None, None, reference[1:])
    found = tflm.run_all(data, inputs)
    step = _steps(data, found, reference)
    far = f"TFLM's outputs differ by up to {step} int8 steps from those of TFLite's reference on {len(samples)} samples"
    if step > _MOST_STEPS and is_own:
        raise ConversionError(f"{far} ({_MOST_STEPS} are allowed): the board would not compute what was computed here.")
    return Answers(found[0], step, f"{far}: the board gives those of TFLM." if step > _USUAL_STEPS else None, found[1:])


def run(data: bytes, samples: Stored) -> Stored:
    """Return the outputs (n, values) of the .tflite `data` for `samples` (n, ...): TFLM's, or the resolver's."""
    return tflm.run(data, samples) if tflm.available() else run_reference(data, (samples,))[0]


def _steps(data: bytes, found: Sequence[Stored], reference: Sequence[Stored]) -> int:
    """Return the largest difference of any output in its steps, rounded up; a float one's are those it was made of.

    Where a float output was not made of steps, one is a 255th of the greatest value.
    """
    graph, most = read(data), 0
    for index, one, other in zip(graph.outputs, found, reference, strict=True):
        differences = np.abs(one.astype(np.float64) - other)
        step = 1.0
        if one.dtype == np.float32:
            step = step_of(graph, index) or float(np.abs(other).max()) / 255 or 1.0
        most = max(most, int(np.ceil(differences.max() / step - 1e-3)))  # float32 has rounded both
    return most

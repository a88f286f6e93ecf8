"""Does the file do on the board what it did here? The real TFLM against TFLite's reference resolver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.errors import ConversionError
from tinynas.tflite import read, tflm
from tinynas.tflite.affine import step_of
from tinynas.training.int8 import Int8Model

# One step comes of the rounding of a pool's average, and a dense layer and softmax can make some steps of it: the
# answer is the same. A kernel that computes something else is dozens of steps off.
_USUAL_STEPS, _MOST_STEPS = 1, 8
_TYPES = (np.int8, np.uint8, np.float32)  # of inputs and outputs


@dataclass(frozen=True, eq=False)
class Answers:
    """What a file answers to some samples: `outputs` (n, values), as its tensor holds them, are TFLM's.

    `step` is the largest difference, in steps of the output, from the reference resolver's. It is None where TFLM's
    wheel does not exist (it is for Linux on x86-64), and the outputs are then the resolver's own; and where the
    resolver does not run the file. `note` is a sentence when that is so, or the difference is more than rounding makes.
    """

    outputs: npt.NDArray[Any]
    step: int | None
    note: str | None = None


def answers(data: bytes, samples: npt.NDArray[Any], is_own: bool = True) -> Answers:
    """Return what the .tflite `data` answers to `samples` (n, ...) of its input's type, in TFLM and in the resolver.

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
    step = _steps(data, outputs, reference)
    far = f"TFLM's outputs are up to {step} steps from those of TFLite's reference on {len(samples)} samples"
    if step > _MOST_STEPS and is_own:
        raise ConversionError(f"{far} ({_MOST_STEPS} are allowed): the board would not do what was done here.")
    return Answers(outputs, step, f"{far}: expect TFLM's on the board." if step > _USUAL_STEPS else None)


def run(data: bytes, samples: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the outputs (n, values) of the .tflite `data` for `samples` (n, ...): TFLM's, or the resolver's."""
    return tflm.run(data, samples).reshape(len(samples), -1) if tflm.available() else _reference(data, samples)


def _reference(data: bytes, samples: npt.NDArray[Any]) -> npt.NDArray[Any]:
    found = Int8Model(data, reference=True, types=_TYPES).run(samples, batch_size=1)
    return found.reshape(len(samples), -1)


def _steps(data: bytes, found: npt.NDArray[Any], reference: npt.NDArray[Any]) -> int:
    """Return the largest difference in steps of the output, rounded up; a float one's are those it was made of.

    Where a float output was not made of steps, one is a 255th of the greatest value.
    """
    differences = np.abs(found.astype(np.float64) - reference)
    if found.dtype != np.float32:
        return int(differences.max())
    graph = read(data)
    step = step_of(graph, graph.outputs[0]) or float(np.abs(reference).max()) / 255 or 1.0
    return int(np.ceil(differences.max() / step - 1e-3))  # float32 has rounded both

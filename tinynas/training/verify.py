"""Does the file do on the board what it did here? The real TFLM against TFLite's reference resolver."""

import numpy as np

from tinynas.errors import ConversionError
from tinynas.tflite import tflm
from tinynas.training.int8 import Int8Model

# One step comes of the rounding of a pool's average, and a dense layer and softmax can make some steps of it: the
# answer is the same. A kernel that computes something else is dozens of steps off.
USUAL_STEPS, MOST_STEPS = 1, 8


def largest_step(data: bytes, samples: np.ndarray, allowed: int = MOST_STEPS) -> int | None:
    """Return the largest difference, in int8 steps, between TFLM's outputs and the reference resolver's.

    `samples` are int8 inputs (n, H, W, C). Returns None where TFLM's wheel does not exist (it is for Linux on
    x86-64). Raises ConversionError when the two differ by more than `allowed`.
    """
    if not tflm.available():
        return None
    reference = Int8Model(data, reference=True).run(samples, batch_size=1).astype(int)
    found = tflm.run(data, samples).astype(int)
    step = int(np.abs(reference - found.reshape(reference.shape)).max())
    if step > allowed:
        raise ConversionError(
            f"TFLM's output differs from TFLite's reference by {step} steps on {len(samples)} samples "
            f"({allowed} is allowed): the file would not do on the board what it did here."
        )
    return step

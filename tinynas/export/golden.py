"""Golden samples: a few inputs, spread over the model's answers, and the outputs that TFLM gives for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinynas.hardware import Target
from tinynas.tflite import Analysis, tflm

Int8s = npt.NDArray[np.int8]

MOST_SAMPLES = 8
_BUDGET_BYTES = 64 * 1024  # of Flash, where no board says how much is left


@dataclass(frozen=True, eq=False)
class Golden:
    """int8 inputs (n, values) and outputs (n, values); `maker` says whose outputs they are."""

    inputs: Int8s
    outputs: Int8s
    maker: str

    @property
    def flash_bytes(self) -> int:
        """What the samples take of the board."""
        return self.inputs.size + self.outputs.size


def outputs_of(data: bytes, samples: Int8s) -> tuple[Int8s, str]:
    """The outputs (n, values) of the .tflite `data` for int8 `samples`, and who made them: TFLM where it is here."""
    if tflm.available():
        return tflm.run(data, samples).reshape(len(samples), -1), "TFLM"
    from tinynas.training.int8 import Int8Model

    found = Int8Model(data, reference=True).run(samples)
    return found.reshape(len(samples), -1), "TensorFlow Lite's reference kernels (TFLM was not available)"


def choose(samples: Int8s, outputs: Int8s, maker: str, most: int) -> Golden:
    """At most `most` of the samples; the classes that the model answers take turns, the surest answer goes first."""
    answers = outputs.argmax(axis=1)
    surest = np.argsort(-outputs.max(axis=1).astype(int), kind="stable")
    turn = np.empty(len(samples), dtype=int)
    for answer in np.unique(answers):
        rows = surest[answers[surest] == answer]
        turn[rows] = np.arange(len(rows))
    rows = np.lexsort((answers, turn))[:most]
    return Golden(samples[rows].reshape(len(rows), -1), outputs[rows], maker)


def how_many(sample_bytes: int, analysis: Analysis, target: Target | None) -> int:
    """How many samples of `sample_bytes` (input and output) the self-test gets: 8, or what the board's Flash holds."""
    room = _BUDGET_BYTES
    if target is not None and target.limits.board_flash_bytes is not None:
        room = target.limits.board_flash_bytes - analysis.footprint.flash.total
    return max(1, min(MOST_SAMPLES, room // max(1, sample_bytes)))

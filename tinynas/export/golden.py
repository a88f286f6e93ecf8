"""Golden samples: a few inputs, spread over the model's answers, and the outputs that TFLM gives for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinynas.export.check import Answers
from tinynas.hardware import Target
from tinynas.tflite import Analysis
from tinynas.tflite.affine import Int8s

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


def choose(answers: Answers, most: int) -> Golden:
    """At most `most` of the samples; the classes that the model answers take turns, the surest answer goes first."""
    outputs = answers.outputs
    classes = outputs.argmax(axis=1)
    surest = np.argsort(-outputs.max(axis=1).astype(int), kind="stable")
    turn = np.empty(len(outputs), dtype=int)
    for number in np.unique(classes):
        rows = surest[classes[surest] == number]
        turn[rows] = np.arange(len(rows))
    chosen = np.lexsort((classes, turn))[:most]
    return Golden(answers.samples[chosen].reshape(len(chosen), -1), outputs[chosen], answers.maker)


def how_many(answers: Answers, analysis: Analysis, target: Target | None) -> int:
    """How many samples the self-test gets: 8, or as many as the board's Flash has room for, but one."""
    sample_bytes = answers.samples[0].size + answers.outputs[0].size
    room: int = _BUDGET_BYTES
    if target is not None and target.limits.board_flash_bytes is not None:
        room = target.limits.board_flash_bytes - analysis.footprint.flash.total
    return max(1, min(MOST_SAMPLES, room // int(sample_bytes)))

"""Golden samples: a few inputs, spread over the model's answers, and the outputs that TFLM gives for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinynas.export.check import Answers
from tinynas.export.ends import Stored, dequantized
from tinynas.export.output import Ints, Output
from tinynas.hardware import Target
from tinynas.tflite import Analysis, Tensor
from tinynas.tflite.affine import Floats

MOST_SAMPLES = 8
_BUDGET_BYTES = 64 * 1024  # of Flash, where no board says how much is left
_PROGRAM_BYTES = 20 * 1024
"""Of Flash, for what runs the samples: main.cc, newlib-nano's printf and the start-up take 12 kB, and TFLM's code is
known to some per cent."""


@dataclass(frozen=True, eq=False)
class Golden:
    """Inputs (n, values) and outputs (n, values), as the tensors hold them; `maker` says whose outputs they are.

    `more_inputs` and `more_outputs` are those after the first.
    """

    inputs: Stored
    outputs: Stored
    maker: str
    more_inputs: tuple[Stored, ...] = ()
    more_outputs: tuple[Stored, ...] = ()

    @property
    def flash_bytes(self) -> int:
        """What the samples take of the board."""
        return sum(each.nbytes for each in (self.inputs, self.outputs, *self.more_inputs, *self.more_outputs))


def choose(answers: Answers, most: int, output: Output, result: Tensor) -> Golden:
    """At most `most` of the samples, spread over what the model answers; `result` is the output's tensor.

    Classes take turns, the surest answer of each going first; values, and reconstructions by their first value, take
    turns from the least to the greatest.
    """
    group, sureness = _turns(output, dequantized(answers.outputs, result), most)
    surest = np.argsort(-sureness, kind="stable")
    turn = np.empty(len(group), dtype=int)
    for number in np.unique(group):
        rows = surest[group[surest] == number]
        turn[rows] = np.arange(len(rows))
    chosen = np.lexsort((group, turn))[:most]
    inputs, *more = (each[chosen].reshape(len(chosen), -1) for each in (answers.samples, *answers.more_samples))
    more_outputs = tuple(each[chosen] for each in answers.more_outputs)
    return Golden(inputs, answers.outputs[chosen], answers.maker, tuple(more), more_outputs)


def _turns(output: Output, real: Floats, parts: int) -> tuple[Ints, Floats]:
    """The group of each output (n, values) that the samples of take turns, and how sure it is, a number."""
    if output.kind == "classes":
        return output.answers(real), real.max(axis=1)
    if output.kind == "binary":
        return output.answers(real), np.abs(real[:, 0] - np.float32(output.threshold))
    ranks = real[:, 0].argsort(kind="stable").argsort(kind="stable")
    return ranks * parts // len(real), np.zeros(len(real), dtype=np.float32)


def how_many(answers: Answers, analysis: Analysis, target: Target | None) -> int:
    """How many samples the self-test gets: 8, or as many as the board's Flash has room for, but one.

    The room is beside the model, TFLM's code and the program that runs the samples and prints.
    """
    return max(1, min(MOST_SAMPLES, _room(analysis, target) // _sample_bytes(answers)))


def too_large(answers: Answers, analysis: Analysis, target: Target | None) -> str | None:
    """What to say where not even one sample fits; None where it does."""
    room, needed = _room(analysis, target), _sample_bytes(answers)
    if room >= needed:
        return None
    return (
        f"A golden sample takes {needed:,} B, and beside the model, TFLM's code and a program that prints the board's "
        f"Flash has {max(room, 0):,} B left: leave the self-test out of the program."
    )


def _sample_bytes(answers: Answers) -> int:
    ends = (answers.samples, answers.outputs, *answers.more_samples, *answers.more_outputs)
    return sum(int(each[0].nbytes) for each in ends)


def _room(analysis: Analysis, target: Target | None) -> int:
    """Bytes of Flash for golden samples."""
    if target is None or target.limits.board_flash_bytes is None:
        return _BUDGET_BYTES
    return target.limits.board_flash_bytes - analysis.footprint.flash.total - _PROGRAM_BYTES

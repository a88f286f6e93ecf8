"""Which samples become golden, and how many."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.export.firmware import fixture
from tinynas.export.check import Answers
from tinynas.export.golden import MOST_SAMPLES, choose, how_many, too_large
from tinynas.export.output import Output
from tinynas.hardware import Target
from tinynas.tflite import Tensor, analyze

CLASSES = Output("classes")
RESULT = Tensor("", (1, 3), "INT8", None, (1 / 256,), (-128,))


def answers(outputs: np.ndarray) -> Answers:
    samples = np.arange(len(outputs), dtype=np.int8).reshape(-1, 1, 1).repeat(2, axis=2)
    return Answers(samples, outputs.astype(np.int8), "someone", 0)


def test_every_answer_gets_its_turn_and_the_surest_goes_first() -> None:
    outputs = np.full((6, 3), -128)
    outputs[[0, 1, 2, 3, 4, 5], [0, 0, 0, 2, 2, 1]] = [10, 90, 50, 20, 30, 5]
    chosen = choose(answers(outputs), 4, CLASSES, RESULT)
    assert chosen.inputs[:, 0].tolist() == [1, 5, 4, 2]
    assert chosen.outputs.argmax(axis=1).tolist() == [0, 1, 2, 0]
    assert chosen.inputs.shape == (4, 2)
    assert chosen.flash_bytes == 4 * (2 + 3)
    assert chosen.maker == "someone"


@given(st.integers(1, 60), st.integers(1, 8), st.integers(0, 2**31))
def test_samples_keep_their_outputs_and_none_comes_twice(n: int, most: int, seed: int) -> None:
    outputs = np.random.default_rng(seed).integers(-128, 128, (n, 5), dtype=np.int8)
    chosen = choose(answers(outputs), most, CLASSES, RESULT)
    rows = chosen.inputs[:, 0].tolist()
    assert len(set(rows)) == len(rows) == min(n, most)
    np.testing.assert_array_equal(chosen.outputs, outputs[rows])
    classes = len(set(outputs.argmax(axis=1)))
    assert len(set(chosen.outputs.argmax(axis=1))) == min(classes, len(rows))


def test_there_are_as_many_as_the_flash_holds() -> None:
    data = fixture("mn_tiny_c4_b1")
    several = Answers(np.zeros((9, 28, 28, 1), np.int8), np.zeros((9, 10), np.int8), "someone", 0)
    assert how_many(several, analyze(data), None) == MOST_SAMPLES
    board = Target.load("nucleo_f401")
    analysis = analyze(data, board)
    assert how_many(several, analysis, board) == MOST_SAMPLES
    needed = analysis.footprint.flash.total + board.reserved_flash_bytes
    program = 20 * 1024  # what runs the samples and prints
    for room, samples in ((0, 1), (program, 1), (program + 794 * 3 + 5, 3)):
        tight = replace_flash(board, needed + room)
        assert how_many(several, analysis, tight) == samples
        assert (too_large(several, analysis, tight) is None) == (room > program)
    large = replace(several, samples=np.zeros((9, 96, 96, 3), np.int8))
    assert how_many(large, analyze(data), None) == 2


def test_a_large_model_leaves_room_for_the_program_that_prints() -> None:
    """Visual wake words on 512 KiB: 333,288 B of model, 27,650 B a sample."""
    board = Target.load("nucleo_f401")
    analysis = analyze(fixture("vw_plain"), board)
    flash = replace(analysis.footprint.flash, model=333_288)
    large = replace(analysis, footprint=replace(analysis.footprint, flash=flash))
    sample = Answers(np.zeros((9, 96, 96, 3), np.int8), np.zeros((9, 2), np.int8), "someone", 0)
    n = how_many(sample, large, board)
    assert 1 < n < MOST_SAMPLES
    assert flash.total + n * 27_650 + 16 * 1024 < 512 * 1024
    small = replace_flash(board, flash.total + 40_000)
    said = too_large(sample, large, small)
    assert said is not None
    assert "takes 27,650 B" in said
    assert "19,520 B left" in said


def replace_flash(board: Target, flash_bytes: int) -> Target:
    return Target(**{**board.model_dump(), "flash_bytes": flash_bytes})

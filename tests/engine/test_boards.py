"""Engines on emulated Cortex-M boards: the same outputs, the same layers, and the figures that are promised."""

from pathlib import Path
from typing import Any

import boards
import numpy as np
import pytest

from tests.engine.host import samples
from tests.tflite.models import NAMES, fixture
from tinynas.engine import Engine, build
from tinynas.engine.evaluate import evaluate_all

needs_board = pytest.mark.skipif(
    not boards.available(), reason="arm-none-eabi-gcc or qemu-system-arm is not installed: make system-packages"
)
pytestmark = [needs_board]
MAIN = "Cortex-M4F"  # here every fixture runs, elsewhere one of four
KINDS: dict[str, dict[str, Any]] = {"by rows": {}, "whole": {"by_rows": False}, "speed": {"optimize": "speed"}}
SMALL_RAM_BYTES = 11_000  # of the emulated Cortex-M0's 16 kB: the rest is stack and the test program's


def check(engine: Engine, board: str, folder: Path, foreign: str = "") -> boards.Report:
    """The engine's outputs and whole layers on the board are those of the reference; `foreign` is C for its foreign
    layers."""
    inputs = samples(engine.net, 2, 1)
    report = boards.run(engine, inputs, boards.BOARDS[board], folder, foreign=foreign)
    assert (report.outputs == engine.run(inputs)).all()
    values = evaluate_all(engine.net, inputs[-1:])
    for call, (_, size), found in zip(engine.calls, boards.whole_results(engine), report.hashes, strict=True):
        if size:
            assert found == boards.hash_of(values[engine.net.layers[call.layer].output]), f"layer {call.layer}"
    return report


@pytest.mark.parametrize(
    ("name", "board"), [("o_quant", "Cortex-M4F"), ("ci_res16_avg_b1", "Cortex-M4F"), ("c1d_dw_b1", "Cortex-M0")]
)
def test_outputs_and_layers_on_a_board(name: str, board: str, tmp_path: Path) -> None:
    report = check(build(fixture(name)), board, tmp_path)
    assert report.instructions > 0
    assert 0 < report.stack_bytes < boards.STACK_BYTES


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("name", "board"), [(n, b) for b in boards.BOARDS for n in NAMES[:: 1 if b == MAIN else 4]])
def test_every_fixture_on_every_board(name: str, board: str, kind: str, tmp_path: Path) -> None:
    engine = build(fixture(name), **KINDS[kind])
    if board == "Cortex-M0" and engine.memory_bytes > SMALL_RAM_BYTES:
        pytest.skip("more memory than this board has")
    check(engine, board, tmp_path)


def test_instructions_do_not_change_from_run_to_run(tmp_path: Path) -> None:
    engine = build(fixture("mn_tiny_c4_b1"))
    board = boards.BOARDS["Cortex-M4F"]
    one, two = (boards.run(engine, samples(engine.net, 1), board, tmp_path).instructions for _ in range(2))
    assert one == two


def test_a_wrong_byte_changes_the_hash() -> None:
    values = np.arange(10, dtype=np.int8)
    other = values.copy()
    other[3] ^= 1
    assert boards.hash_of(values) != boards.hash_of(other)

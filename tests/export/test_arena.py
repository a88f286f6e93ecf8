"""The arena that firmware is told to reserve, against what TFLM needed on an emulated Cortex-M4."""

import json

from tests.every import every
from tests.export.firmware import ARENA, fixture
from tinynas.export.arena import arena_size
from tinynas.hardware import Target
from tinynas.tflite import analyze, strip

MEASURED = {row["model"]: row for row in json.loads((ARENA / "measured.json").read_text())}
LIBRARIES = ("cmsis_nn", "cmsis_nn_no_dsp", "reference")


def board(kernels: str, ram_bytes: int = 1 << 20) -> Target:
    return Target(
        name="b",
        mcu="m",
        core="Cortex-M4F",
        clock_hz=80_000_000,
        flash_bytes=1 << 20,
        ram_bytes=ram_bytes,
        kernels=kernels,
    )


@every("model", sorted(MEASURED))
def test_it_is_never_below_what_tflm_needed(model: str) -> None:
    data = strip(fixture(model))
    needed = {kernels: MEASURED[model][f"m4_{kernels}"]["min_arena"] for kernels in LIBRARIES}
    for kernels, least in needed.items():
        target = board(kernels)
        size = arena_size(data, analyze(data, target), target)
        assert size.minimum == least
        assert size.total >= least + 256
        assert size.total % 16 == 0
        assert dict(size.minima) == needed
    without = arena_size(data, analyze(data), None)
    assert without.minimum == max(needed.values())
    assert without.kernels == "any"


def test_the_margin_takes_no_more_than_the_board_has_left() -> None:
    data = fixture("mn_tiny_c4_b1")
    wide = board("cmsis_nn")
    analysis = analyze(data, wide)
    needed = analysis.arena.minimum + analysis.footprint.ram_outside_bytes
    for left, margin in ((0, 0), (15, 0), (100, 96), (1 << 18, arena_size(data, analysis, wide).margin)):
        tight = board("cmsis_nn", needed + left)
        assert arena_size(data, analyze(data, tight), tight).margin == margin


def test_an_estimate_gets_a_tenth_more() -> None:
    data = fixture("mn_tiny_c4_b1")
    known, unknown = Target.load("nucleo_f401"), Target.load("esp32_devkitc")
    exact, estimated = (arena_size(data, analyze(data, each), each) for each in (known, unknown))
    assert exact.minimum == estimated.minimum
    assert abs(estimated.margin - exact.margin - exact.minimum // 10) < 16

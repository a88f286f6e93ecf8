"""What stands before the network, held against the generated C: structures, linked programs, counted instructions."""

import subprocess
from dataclasses import replace
from pathlib import Path

import boards
import pytest
from fit_front_end import FLAGS, flash, instructions, series, sound, spectral, stream, with_options

from tests.export.firmware import needs_arm, needs_emulator
from tinynas.export.render import Firmware, render
from tinynas.features import IntLogMel, MelFeatures
from tinynas.features.smoothing import Smoothing
from tinynas.features.stream import Stream
from tinynas.hardware import FrontEnd, Target, front_end
from tinynas.hardware.front_counts import options_of
from tinynas.hardware.front_end import costs

needs_board = pytest.mark.skipif(not boards.available(), reason="arm-none-eabi-gcc or qemu-system-arm is not there")
BOARD = Target.load("nucleo_f401")
# None of these is among those that the figures were fitted to.
WHOLE = sound(IntLogMel(12000, 5000, 400, 230, 512, 33, 90, 5700), 5)
DECIBELS = sound(MelFeatures(12000, 3001, 400, 230, 512, 17, 90, 5700), 6)
STEPS = series(75, 5, 7)
_, NOISE, PCAN = with_options(WHOLE)
SPECTRA = spectral(75, 5, 7)
EVERY = {
    "int_log_mel": WHOLE,
    "log_mel": DECIBELS,
    "steps": STEPS,
    "spectral": SPECTRA,
    "noise": NOISE,
    "pcan": PCAN,
}
KINDS = {"noise": "int_log_mel", "pcan": "int_log_mel"}


def front(firmware: Firmware, target: Target | None = BOARD) -> FrontEnd:
    found = front_end(firmware.features, stream(firmware), target)
    assert found is not None
    return found


@needs_arm
@pytest.mark.parametrize("kind", EVERY)
def test_ram_is_that_of_the_structure(kind: str, tmp_path: Path) -> None:
    for name, data in render(EVERY[kind], ("stream",)).items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "size.c").write_text('#include "net_stream.h"\nconst char size[sizeof(net_stream)] = {1};\n')
    command = ["arm-none-eabi-gcc", *FLAGS["Cortex-M4"], "-ffreestanding", "-c", "size.c"]
    subprocess.run(command, cwd=tmp_path, check=True)
    said = subprocess.run(
        ["arm-none-eabi-nm", "-S", "size.o"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert int(said.stdout.split()[1], 16) == front(EVERY[kind]).ram_bytes


@needs_emulator
@pytest.mark.parametrize("kind", EVERY)
def test_flash_is_that_of_a_linked_program(kind: str) -> None:
    found = front(EVERY[kind])
    assert found.kind == KINDS.get(kind, kind)
    assert flash(EVERY[kind]) == pytest.approx(found.flash_bytes, abs=found.code_error * found.code_bytes + 8)


@needs_board
@pytest.mark.parametrize(
    ("kind", "board"),
    [
        *((kind, "nucleo_f401") for kind in EVERY),
        *((kind, "rpi_pico") for kind in ("int_log_mel", "pcan", "spectral")),
    ],
)
def test_instructions_are_those_of_an_emulated_board(kind: str, board: str) -> None:
    target = Target.load(board)
    found = front(EVERY[kind], target)
    push, window = instructions(EVERY[kind], "Cortex-M0+" if target.core == "Cortex-M0+" else "Cortex-M4F")
    about = costs()["instructions"]["Cortex-M0+" if target.core == "Cortex-M0+" else "Cortex-M4F"]
    error = sum(about[each]["error"] for each in (found.kind, *options_of(EVERY[kind].features)))
    assert found.push_instructions == pytest.approx(push, rel=error + 0.01)
    about_window = about["spectral_window" if kind == "spectral" else "window"]
    assert found.window_instructions == pytest.approx(window, rel=about_window["error"] + 0.01)


def test_a_core_without_fpu_takes_longer_for_decibels_alone() -> None:
    without = BOARD.model_copy(update={"core": "Cortex-M3", "kernels": "cmsis_nn_no_dsp"})
    assert front(DECIBELS, without).push_instructions > 5 * front(DECIBELS).push_instructions
    assert front(WHOLE, without).push_instructions == front(WHOLE).push_instructions


def test_noise_reduction_takes_an_estimate_a_band_and_pcan_the_gains_beside() -> None:
    plain, noise, pcan = map(front, (WHOLE, NOISE, PCAN))
    assert noise.ram_bytes - plain.ram_bytes == pcan.ram_bytes - plain.ram_bytes == 4 * 33
    assert (noise.tables_bytes - plain.tables_bytes, pcan.tables_bytes - noise.tables_bytes) == (4 * 33, 252)
    assert plain.code_bytes < noise.code_bytes < pcan.code_bytes < plain.code_bytes + 600
    assert plain.push_instructions < noise.push_instructions < pcan.push_instructions < 1.2 * plain.push_instructions


def test_what_follows_from_the_figures() -> None:
    found = FrontEnd("int_log_mel", 3000, 2000, 0.05, 1000, 400, 60, 80_000, 10_000, 10, 0.02, 1.0, 0.5, 0.2)
    assert (found.flash_bytes, found.ram_bytes, found.instructions) == (5000, 1460, 810_000)
    assert found.instructions_a_second == pytest.approx(810_000 / 0.2)
    assert found.answer_ms == 1.5
    assert found.load(9.5) == pytest.approx((10 * 1.0 + 0.5 + 9.5) / 200)
    assert found.load(None) is None
    assert replace(found, every_s=None).load(9.5) is None
    told = found.figures(9.5)
    assert told["load"] == found.load(9.5)
    assert told["ram_bytes"] == 1460


def test_a_model_without_a_stream_has_none() -> None:
    assert front_end(None, None, BOARD) is None


def test_without_a_board_there_is_no_time() -> None:
    found = front(WHOLE, None)
    assert (found.push_ms, found.window_ms, found.time_error, found.load(1.0)) == (None, None, None, None)
    assert found.flash_bytes == front(WHOLE).flash_bytes


def test_the_library_of_doubles_counts_where_tflm_does_not_bring_it() -> None:
    under_tflm, alone = (front_end(None, stream(STEPS), BOARD, engine=engine) for engine in (False, True))
    assert under_tflm is not None
    assert alone is not None
    assert alone.code_bytes - under_tflm.code_bytes == costs()["flash"]["steps"]["doubles"] > 500


def test_ring_and_results_are_counted_apart() -> None:
    stream_ = Stream(4, 50, 3, 12, 0.02, Smoothing(results=3))
    found = front_end(None, stream_, BOARD)
    assert found is not None
    assert (found.features_bytes, found.ring_bytes, found.stream_bytes) == (0, 150, 7 * 4 + 4 * 4 + 3 * 4 + 2)

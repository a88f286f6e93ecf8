"""screen against analyze on the lowered file, and what it says when a board is too small."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.architecture.strategies import architectures, narrow_spaces, seeds
from tests.screening.real import TARGETS
from tinynas.architecture import Architecture, Block, Head, SearchSpace
from tinynas.hardware import KERNEL_LIBRARIES, Limits, Target
from tinynas.screening import count_flops, count_macs, lower, screen
from tinynas.tflite import analyze

NETWORK = Architecture((28, 28, 1), (Block("conv", 16, 3, pool="max"), Block("separable", 32, 3)), Head(), 10)


def check(architecture: Architecture, kernels: str) -> None:
    wanted = analyze(lower(architecture), TARGETS[kernels]).footprint
    assert wanted.flops is None  # a file alone does not say what batch norm it was trained with
    assert screen(architecture, TARGETS[kernels]) == replace(wanted, flops=count_flops(architecture))


@given(architectures(), st.sampled_from(KERNEL_LIBRARIES))
@settings(max_examples=60)
def test_every_figure_is_that_of_the_lowered_file(drawn, kernels: str) -> None:
    check(drawn[0], kernels)


@given(narrow_spaces(), seeds, st.sampled_from(KERNEL_LIBRARIES))
@settings(max_examples=60)
def test_every_figure_is_that_of_the_lowered_file_in_odd_spaces(space: SearchSpace, seed: int, kernels: str) -> None:
    check(space.random_architecture(np.random.default_rng(seed)), kernels)


@pytest.mark.parametrize("n_channels", [1, 2, 255, 256, 300])
def test_sizes_hold_for_any_number_of_channels(n_channels: int) -> None:
    blocks = (Block("conv", n_channels, 1), Block("depthwise", 1, 3), Block("conv", 1, 3, pool="avg"))
    check(Architecture((8, 8, 1), blocks, Head("flatten", n_channels), 2), "cmsis_nn")


def test_figures_are_those_counted_elsewhere() -> None:
    footprint = screen(NETWORK, TARGETS["cmsis_nn"])
    assert footprint.macs == count_macs(NETWORK)
    assert footprint.flops == count_flops(NETWORK)
    assert footprint.largest_tensor_bytes == 28 * 28 * 16
    assert footprint.live_bytes_peak == 28 * 28 * 16 + 14 * 14 * 16
    assert footprint.params == (9 * 16 + 16) + (9 * 16 + 16) + (16 * 32 + 32) + (32 * 10 + 10)
    assert footprint.flash_bytes > footprint.params
    assert footprint.arena_bytes > footprint.live_bytes_peak
    assert footprint.latency_ms is not None


def test_limits_say_what_is_broken() -> None:
    footprint = screen(NETWORK, TARGETS["cmsis_nn"])
    fits = Limits(flash_bytes=footprint.flash_bytes, ram_bytes=footprint.arena_bytes, flops=footprint.flops)
    assert fits.violations(footprint) == ()
    tight = replace(fits, ram_bytes=footprint.arena_bytes - 1)
    assert [violation.limit for violation in tight.violations(footprint)] == ["ram_bytes"]


def test_kernels_that_were_not_measured_give_an_estimate() -> None:
    board = {"mcu": "any", "clock_hz": 100_000_000, "flash_bytes": 1 << 20, "ram_bytes": 1 << 18}
    helium = Target(name="helium", core="Cortex-M55", kernels="cmsis_nn_mve", **board)
    assert screen(NETWORK, helium).arena_status == "estimated"
    assert screen(NETWORK, helium).arena == screen(NETWORK, TARGETS["cmsis_nn"]).arena


@pytest.mark.parametrize("kernels", KERNEL_LIBRARIES)
def test_what_is_an_estimate_has_its_error(kernels: str) -> None:
    footprint = screen(NETWORK, TARGETS[kernels])
    assert footprint.latency_error is not None
    assert 0.15 < footprint.latency_error < 0.6
    assert footprint.energy_error is None  # the power of these boards is not known
    assert screen(NETWORK, Target.load("nucleo_f401")).energy_error > footprint.latency_error or kernels != "cmsis_nn"


def test_screening_loads_no_tensorflow() -> None:
    code = (
        "import sys, tinynas.screening; print([m for m in ('tensorflow', 'tf_keras', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

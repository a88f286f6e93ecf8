"""The code that TFLM adds, against sizes of linked programs; RAM outside the arena, against its parts."""

import json
from itertools import combinations, product
from pathlib import Path

import pytest

from tests.every import every
from tinynas.errors import UnsupportedOperatorError, UsageError
from tinynas.hardware import BUILDS, ram_outside_arena, runtime_flash_bytes
from tinynas.hardware.runtime import OTHER_KERNELS_ERROR

CNN = ("CONV_2D", "MAX_POOL_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX")
FIXTURES = Path(__file__).parents[1] / "fixtures" / "arena" / "measured.json"
KINDS = sorted({kind for net in json.loads(FIXTURES.read_text()) for kind in net["ops"]})

# (operators, bytes of the linked program) for "release -Os i8" and "logs -O2".
LINKED = [
    (CNN, 38_316, 82_996),
    ((*CNN, "SHAPE", "STRIDED_SLICE", "PACK"), 43_820, 97_256),
    (("CONV_2D", "MAX_POOL_2D", "MEAN", "FULLY_CONNECTED", "SOFTMAX"), 40_620, 86_124),
    (("CONV_2D", "DEPTHWISE_CONV_2D", "MEAN", "FULLY_CONNECTED", "SOFTMAX"), 45_016, 99_584),
    (("CONV_2D", "ADD", "AVERAGE_POOL_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX"), 41_932, 94_396),
]


@pytest.mark.parametrize(("operators", "small", "logs"), LINKED)
def test_programs_of_several_operators_are_met_within_the_stated_error(operators, small, logs):
    for build, measured in (("release -Os i8", small), ("logs -O2", logs)):
        estimate = runtime_flash_bytes(operators, build)
        assert estimate.low <= measured <= estimate.high
        assert estimate.error < 0.05


@pytest.mark.parametrize(
    ("operator", "bytes_"), [("CONV_2D", 23_892), ("SOFTMAX", 19_864), ("MEAN", 17_728), ("RESHAPE", 11_704)]
)
def test_a_program_of_one_operator_is_met_exactly(operator, bytes_):
    assert runtime_flash_bytes([operator], "release -Os i8").value == bytes_


def test_the_core_alone():
    assert runtime_flash_bytes([]).value == 10_648
    assert runtime_flash_bytes([], "logs -O2").value == 18_096


@every("kind, build", product(KINDS, BUILDS))
def test_every_operator_of_the_fixtures_has_a_size_in_every_build(kind, build):
    core, alone = runtime_flash_bytes([], build), runtime_flash_bytes([kind], build)
    assert alone.value > core.value
    assert 0 < alone.error < 0.5


@pytest.mark.parametrize("build", BUILDS)
def test_one_more_operator_is_never_free(build):
    for pair in combinations(KINDS, 2):
        together = runtime_flash_bytes([*CNN, *pair], build).value
        assert together >= runtime_flash_bytes([*CNN, pair[0]], build).value
        assert together < runtime_flash_bytes([], build).value + 200_000


def test_what_was_derived_is_less_sure_than_what_was_linked():
    linked, derived = runtime_flash_bytes(CNN), runtime_flash_bytes([*CNN, "LOGISTIC"])
    guessed = runtime_flash_bytes([*CNN, "TANH"])
    assert linked.error < derived.error < guessed.error
    assert runtime_flash_bytes(CNN, kernels="esp_nn").error >= OTHER_KERNELS_ERROR


def test_order_and_repeats_do_not_matter():
    assert runtime_flash_bytes([*CNN, *CNN]) == runtime_flash_bytes(reversed(CNN))


def test_an_unknown_operator_or_build_is_an_error():
    with pytest.raises(UnsupportedOperatorError, match="operator GELU: the size of its code in TFLM is not known"):
        runtime_flash_bytes([*CNN, "GELU"])
    with pytest.raises(UsageError, match=r"The build of TFLM is 'debug'; wanted one of release -Os i8,"):
        runtime_flash_bytes(CNN, "debug")  # type: ignore[arg-type]


def test_ram_outside_the_arena_is_the_sum_of_its_measured_parts():
    interpreter, resolver, data, bss, stack = 208, 12 + 5 * 36, 104, 252, 1188
    assert ram_outside_arena(5) == interpreter + resolver + data + bss + stack
    assert ram_outside_arena(6) - ram_outside_arena(5) == 36

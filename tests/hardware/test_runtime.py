"""The code that TFLM adds, against sizes of linked programs; RAM outside the arena, against its parts."""

import json
from itertools import combinations, product
from pathlib import Path

import pytest

from tests.every import every
from tinynas.errors import UnsupportedOperatorError, UsageError
from tinynas.hardware import BUILDS, ram_outside_arena, runtime_flash_bytes
from tinynas.hardware.costs import costs
from tinynas.hardware.runtime import OTHER_KERNELS_ERROR, codes
from tinynas.hardware.target import Target
from tinynas.hardware.work import Work

CNN = ("CONV_2D", "MAX_POOL_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX")
FIXTURES = Path(__file__).parents[1] / "fixtures" / "arena" / "measured.json"
KINDS = sorted({kind for net in json.loads(FIXTURES.read_text()) for kind in net["ops"]})

LINKED = {
    (build, tuple(names.split())): size
    for build, rows in json.loads((Path(__file__).parents[1] / "fixtures" / "linked.json").read_text()).items()
    for names, size in rows.items()
}
"""Bytes of whole programs, linked with newlib-nano for a Cortex-M4 with CMSIS-NN (tools/fit_runtime.py)."""
# The same of version 0.1.0, of TFLM's strings kept: linked sizes less that of an empty program with the C library.
LOGS = [
    (CNN, 82_996, 59_664),
    (("CONV_2D", "MAX_POOL_2D", "MEAN", "FULLY_CONNECTED", "SOFTMAX"), 86_124, 62_792),
    (("CONV_2D", "DEPTHWISE_CONV_2D", "MEAN", "FULLY_CONNECTED", "SOFTMAX"), 99_584, 68_428),
    (("CONV_2D", "ADD", "AVERAGE_POOL_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX"), 94_396, 65_368),
]
C_LIBRARY = (600, 2000)  # what TFLM calls of newlib-nano: abort and what it calls, memcpy, atexit


def test_ten_programs_were_linked_whole():
    assert sum(build == "release -Os i8" for build, _ in LINKED) >= 10


@every("row", LINKED)
def test_whole_programs_are_met_within_one_per_cent(row):
    build, names = row
    estimate = runtime_flash_bytes(names, build)
    assert estimate.low <= LINKED[row] <= estimate.high
    assert estimate.error <= (0.01 if build.startswith("release -Os") else 0.05)
    assert estimate.value >= 0.999 * LINKED[row]  # not below


@pytest.mark.parametrize(
    ("operators", "bytes_"),
    [(("FULLY_CONNECTED",), 22_876), ((*CNN[:1], "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", *CNN[2:]), 46_120)],
    ids=["ad01", "kws"],
)
def test_programs_that_others_linked_are_met_within_two_per_cent_and_not_below(operators, bytes_):
    """MLPerf Tiny's anomaly detection and keyword spotting, with nano.specs."""
    assert bytes_ <= runtime_flash_bytes(operators, "release -Os i8").value <= 1.02 * bytes_


@pytest.mark.parametrize(("operators", "all_types", "int8"), LOGS)
def test_strings_that_are_kept(operators, all_types, int8):
    for build, measured in (("logs -O2", all_types), ("logs -O2 i8", int8)):
        estimate = runtime_flash_bytes(operators, build)
        assert estimate.low <= measured + C_LIBRARY[1]
        assert estimate.high >= measured + C_LIBRARY[0]


def test_the_core_alone():
    assert 10_648 + C_LIBRARY[0] <= runtime_flash_bytes([], "release -Os i8").value <= 10_648 + C_LIBRARY[1]


def test_a_search_of_version_0_1_0_goes_on_with_its_figures():
    board = Target.load("nucleo_f401")
    work = Work(1000)
    assert costs(CNN, work, board.with_figures(1), "cmsis_nn").runtime.value == 38_503
    assert costs(CNN, work, board, "cmsis_nn").runtime == runtime_flash_bytes(CNN)


@every("kind, build", product(KINDS, BUILDS))
def test_every_operator_of_the_fixtures_has_a_size_in_every_build(kind, build):
    core, alone = runtime_flash_bytes([], build), runtime_flash_bytes([kind], build)
    assert alone.value > core.value
    assert 0 < alone.error < 0.1


@pytest.mark.parametrize("build", BUILDS)
def test_one_more_operator_is_never_free(build):
    for pair in combinations(KINDS, 2):
        together = runtime_flash_bytes([*CNN, *pair], build).value
        assert together >= runtime_flash_bytes([*CNN, pair[0]], build).value
        assert together < runtime_flash_bytes([], build).value + 200_000


def test_what_was_not_linked_is_less_sure():
    for build in BUILDS:
        code = codes()[build.replace("logs", "release")]
        for operator in sorted(code.derived)[:3]:
            assert runtime_flash_bytes([operator], build).error >= 0.05
    assert runtime_flash_bytes(CNN, "release -Os i8").error == 0.01
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

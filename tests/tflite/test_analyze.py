"""The analysis: its figures, its verdict, its JSON form, its speed, and what it does not import."""

import json
import subprocess
import sys
import time

import pytest

from tests.tflite.models import MEASURED, NAMES, activation, conv_graph, fixture, one_operator
from tinynas.errors import ModelError, UnsupportedOperatorError
from tinynas.hardware import Limits, ram_outside_arena, runtime_flash_bytes
from tinynas.hardware.target import Target
from tinynas.tflite import analyze, write

KEYS = {
    *("file_bytes", "params", "macs", "arena", "arena_status", "live_bytes_peak", "largest_tensor_bytes"),
    *("operators", "flash", "ram_outside_bytes", "latency_ms", "energy_mj", "target", "kernels", "fits"),
    *("violations", "instructions", "latency_error", "energy_error", "runtime_error"),
}


def board(**changes) -> Target:
    values = {
        "name": "test_board",
        "mcu": "STM32F401RE",
        "core": "Cortex-M4F",
        "clock_hz": 84_000_000,
        "flash_bytes": 512 * 1024,
        "ram_bytes": 96 * 1024,
        "kernels": "cmsis_nn",
        "active_power_mw": 250.0,
    }
    return Target(**{**values, **changes})


@pytest.mark.parametrize("name", NAMES)
def test_figures_are_those_that_were_measured(name):
    measured = MEASURED[name]
    found = analyze(fixture(name)).to_dict()
    assert set(found) == KEYS
    assert found["file_bytes"] == measured["flatbuffer_bytes"]
    assert found["macs"] == measured["macs"]
    assert found["live_bytes_peak"] == measured["live_bytes_peak"]
    assert found["arena"] == {
        "head": measured["m4_cmsis_nn"]["head"],
        "tail": measured["m4_cmsis_nn"]["tail"],
        "used": measured["m4_cmsis_nn"]["arena_used"],
        "minimum": measured["m4_cmsis_nn"]["min_arena"],
    }
    assert [operator["name"] for operator in found["operators"]] == measured["ops"]
    assert [operator["output_shape"] for operator in found["operators"]] == [
        operator["out_shape"] for operator in measured["per_op"]
    ]
    assert (found["fits"], found["violations"], found["target"]) == (None, [], None)
    assert (found["latency_ms"], found["energy_mj"]) == (None, None)
    assert (found["arena_status"], found["kernels"]) == ("exact", "cmsis_nn")
    assert json.loads(json.dumps(found)) == found


def test_flash_and_ram_come_from_the_board_room():
    found = analyze(fixture("mn_concat"))
    kinds = {operator.name for operator in found.operators}
    assert found.footprint.flash.runtime == round(runtime_flash_bytes(kinds).value)
    assert found.to_dict()["flash"]["total"] == found.footprint.flash.model + found.footprint.flash.runtime
    assert found.footprint.ram_outside_bytes == ram_outside_arena(len(kinds))
    assert sum(operator.instructions for operator in found.operators) == found.footprint.instructions


def test_a_board_that_is_large_enough_fits():
    found = analyze(fixture("mn_concat"), board())
    assert found.fits is True
    assert found.violations == ()
    assert found.latency is not None
    assert found.footprint.latency_ms == found.latency.value > 0
    assert found.footprint.energy_mj > 0
    assert found.to_dict()["target"] == "test_board"


def test_limits_are_inclusive():
    arena = analyze(fixture("mn_concat")).arena.minimum
    assert analyze(fixture("mn_concat"), limits=Limits(ram_bytes=arena)).fits is True
    found = analyze(fixture("mn_concat"), limits=Limits(ram_bytes=arena - 1))
    assert found.fits is False
    assert [violation.limit for violation in found.violations] == ["ram_bytes"]
    message = found.to_dict()["violations"][0]
    assert message["used"] - message["allowed"] == 1
    assert "1 B over" in message["message"]


def test_board_and_limits_both_count_and_the_tighter_is_told():
    data = fixture("mn_concat")
    tight = board(ram_bytes=3000, flash_bytes=20_000)
    found = analyze(data, tight, Limits(ram_bytes=2500, params=10))
    by_name = {violation.limit: violation.allowed for violation in found.violations}
    assert by_name["ram_bytes"] == 2500
    assert by_name["params"] == 10
    assert by_name["board_flash_bytes"] == 20_000
    assert found.fits is False


def test_no_limits_fit_everything_and_none_say_nothing():
    assert analyze(fixture("mn_concat"), limits=Limits()).fits is True
    assert analyze(fixture("mn_concat")).fits is None


def test_a_limit_whose_figure_is_not_known_is_an_error():
    with pytest.raises(ModelError, match="latency"):
        analyze(fixture("mn_concat"), limits=Limits(latency_ms=10.0))


@pytest.mark.parametrize(
    ("changes", "library", "status"),
    [
        ({}, "cmsis_nn", "exact"),
        ({"kernels": "reference"}, "reference", "exact"),
        ({"core": "Cortex-M0+", "kernels": "cmsis_nn_no_dsp"}, "cmsis_nn_no_dsp", "exact"),
        ({"core": "Cortex-M55", "kernels": "cmsis_nn_mve"}, "cmsis_nn", "estimated"),
    ],
)
def test_the_boards_kernels_decide(changes, library, status):
    found = analyze(fixture("vw_mobilenetish_b1"), board(**changes))
    measured = MEASURED["vw_mobilenetish_b1"][f"m4_{library}"]
    assert (found.kernels, found.arena_status) == (library, status)
    assert found.arena.minimum == measured["min_arena"]


def test_other_kernels_may_be_asked_for():
    found = analyze(fixture("vw_mobilenetish_b1"), board(), kernels="reference")
    assert (found.kernels, found.arena_status) == ("reference", "estimated")
    assert analyze(fixture("vw_mobilenetish_b1"), kernels="reference").arena_status == "exact"


def test_an_unknown_operator_never_fits_by_silence():
    graph = one_operator("BATCH_MATMUL", [activation((1, 4)), activation((4, 4))], activation((1, 4)), {})
    with pytest.raises(UnsupportedOperatorError, match="BATCH_MATMUL"):
        analyze(write(graph), board())


def test_the_plan_can_be_drawn():
    plan = analyze(write(conv_graph())).plan
    assert [buffer.label for buffer in plan.buffers] == ["tensor 0", "tensor 3", "scratch 0 of operator 0"]
    assert plan.head == max(o + -(-b.bytes // 16) * 16 for b, o in zip(plan.buffers, plan.offsets, strict=True))


def test_a_file_takes_less_than_20_ms_of_cpu():
    times = {}
    for name in NAMES:
        data = fixture(name)
        start = time.process_time()
        analyze(data)
        times[name] = time.process_time() - start
    assert max(times.values()) < 0.02, max(times, key=times.get)


def test_nothing_heavy_is_imported():
    code = "import sys, tinynas.tflite; print([m for m in sys.modules if m.split('.')[0] in %r])"
    heavy = ("tensorflow", "tf_keras", "sklearn", "matplotlib", "tflite_micro", "pydantic")
    done = subprocess.run([sys.executable, "-c", code % (heavy,)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

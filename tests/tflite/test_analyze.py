"""The analysis: its figures, its verdict, its JSON form, its speed, and what it does not import."""

import json
import subprocess
import sys
import time

import pytest

from tests.every import every
from tests.tflite.models import MEASURED, NAMES, activation, conv_graph, fixture, one_operator
from tinynas.errors import ModelError, UnsupportedOperatorError, UsageError
from tinynas.hardware import (
    BUILDS,
    DEFAULT_BUILD,
    KERNEL_LIBRARIES,
    Limits,
    Work,
    latency,
    ram_outside_arena,
    runtime_flash_bytes,
)
from tinynas.hardware.cores import CORES
from tinynas.hardware.runtime import OTHER_KERNELS_ERROR
from tinynas.hardware.target import Target
from tinynas.tflite import analyze, read, write

KEYS = {
    *("file_bytes", "params", "macs", "arena", "arena_status", "live_bytes_peak", "largest_tensor_bytes"),
    *("operators", "flash", "ram_outside_bytes", "latency_ms", "energy_mj", "target", "kernels", "fits", "front_end"),
    *("violations", "instructions", "latency_error", "energy_error", "runtime_error", "runtime_build"),
    "untimed",
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


@every("name", NAMES)
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


ON_BOARDS = [
    ({}, "cmsis_nn"),
    ({"kernels": "cmsis_nn_no_dsp"}, "cmsis_nn_no_dsp"),
    ({"kernels": "reference"}, "reference"),
    ({"core": "Cortex-M55", "kernels": "cmsis_nn_mve"}, "cmsis_nn_mve"),
    ({"core": "Xtensa LX7", "kernels": "esp_nn"}, "esp_nn"),
]


@pytest.mark.parametrize(("changes", "kernels"), ON_BOARDS)
def test_code_that_was_not_linked_has_the_larger_error(changes, kernels):
    data = fixture("mn_lenet_valid_b1")
    found, kinds = analyze(data, board(**changes)), {operator.name for operator in read(data).operators}
    assert found.runtime == runtime_flash_bytes(kinds, kernels=kernels)
    assert found.to_dict()["runtime_error"] == found.runtime.error
    if kernels == "cmsis_nn":
        assert found.runtime.error < 0.05
    else:
        assert found.runtime.error >= OTHER_KERNELS_ERROR


@pytest.mark.parametrize("kernels", KERNEL_LIBRARIES)
def test_the_kernels_that_were_asked_for_decide_the_code(kernels):
    data = fixture("mn_lenet_valid_b1")
    for target in (None, board(), board(kernels="reference")):
        found = analyze(data, target, kernels=kernels)
        assert (found.runtime.error < OTHER_KERNELS_ERROR) == (kernels == "cmsis_nn")


@pytest.mark.parametrize("kernels", KERNEL_LIBRARIES)
def test_time_is_that_of_the_kernels_that_were_asked_for(kernels):
    data = fixture("mn_lenet_valid_b1")
    alone = analyze(data, kernels=kernels).footprint.instructions
    for core, own in (("Cortex-M4F", "cmsis_nn"), ("Cortex-M3", "cmsis_nn_no_dsp"), ("Xtensa LX6", "esp_nn")):
        target = board(core=core, kernels=own)
        found = analyze(data, target, kernels=kernels)
        assert found.footprint.instructions == alone
        assert found.latency == latency(Work(alone), target, kernels)
        pace = CORES[core].pace.get(kernels)
        if pace is None:
            assert (found.footprint.latency_ms, found.footprint.energy_mj) == (None, None)
            assert all(operator.latency_ms is None for operator in found.operators)
        else:
            assert found.footprint.latency_ms == pytest.approx(alone * pace.cycles / target.clock_hz * 1000)
            assert found.footprint.latency_error > pace.error


def test_own_kernels_may_be_named():
    data = fixture("mn_lenet_valid_b1")
    assert analyze(data, board(), kernels="cmsis_nn") == analyze(data, board())


def test_time_and_energy_of_the_operators_add_up_to_the_whole():
    found = analyze(fixture("vw_mobilenetish_b1"), board())
    values = found.to_dict()
    for name in ("latency_ms", "energy_mj"):
        parts = [operator[name] for operator in values["operators"]]
        assert min(parts) > 0
        assert sum(parts) == pytest.approx(values[name])
    first = found.operators[0]
    assert first.latency_ms == pytest.approx(values["latency_ms"] * first.instructions / values["instructions"])
    assert (values["latency_error"], values["energy_error"]) == (found.latency.error, found.energy.error)
    assert values["energy_error"] > values["latency_error"] > 0.15
    without_power = analyze(fixture("vw_mobilenetish_b1"), board(active_power_mw=None))
    assert without_power.operators[0].latency_ms == first.latency_ms
    assert without_power.operators[0].energy_mj is None


def test_a_broken_limit_on_the_time_says_that_it_is_an_estimate():
    (violation,) = analyze(fixture("vw_mobilenetish_b1"), board(), Limits(latency_ms=0.001)).violations
    assert "(an estimate, +/- 19 %)" in str(violation)
    (exact,) = analyze(fixture("vw_mobilenetish_b1"), board(), Limits(macs=1)).violations
    assert "estimate" not in str(exact)


def test_the_build_of_tflm_can_be_chosen():
    data = fixture("mn_lenet_valid_b1")
    found = {build: analyze(data, build=build) for build in BUILDS}
    kinds = {operator.name for operator in found[BUILDS[0]].operators}
    assert found[DEFAULT_BUILD] == analyze(data)
    for build, analysis in found.items():
        assert analysis.to_dict()["runtime_build"] == build
        assert analysis.footprint.flash.runtime == runtime_flash_bytes(kinds, build).value
    assert len({analysis.footprint.flash.runtime for analysis in found.values()}) == len(BUILDS)
    for build, analysis in found.items():
        others = found["release -Os i8" if "-Os" in build else "release -O2 i8"]
        assert analysis.footprint.instructions == others.footprint.instructions
    assert found["release -Os i8"].footprint.instructions > 1.1 * found["release -O2 i8"].footprint.instructions
    small, large = (found[build].footprint.flash.total for build in ("release -Os i8", "logs -O2"))
    tight = board(flash_bytes=(small + large) // 2)
    assert analyze(data, tight).fits is True
    assert [v.limit for v in analyze(data, tight, build="logs -O2").violations] == ["board_flash_bytes"]


def test_an_unknown_build_or_library_is_one_sentence():
    with pytest.raises(UsageError, match=r"^The build of TFLM is 'debug'; wanted one of release -Os i8,"):
        analyze(fixture("mn_concat"), build="debug")
    with pytest.raises(UsageError, match=r"^The kernels are 'magic'; wanted one of cmsis_nn,"):
        analyze(fixture("mn_concat"), kernels="magic")


def test_an_unknown_operator_never_fits_by_silence():
    graph = one_operator("GELU", [activation((1, 4))], activation((1, 4)), {})
    with pytest.raises(UnsupportedOperatorError, match="GELU"):
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

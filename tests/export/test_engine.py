"""The folder of plain C: builds with one make, here and for a board, and answers as TFLM does."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.export.firmware import (
    BOARD,
    CORES,
    EMULATOR,
    WARNINGS,
    fixture,
    needs_arm,
    needs_compiler,
    needs_emulator,
    run,
)
from tests.tflite.models import activation, one_operator
from tinynas import convert
from tinynas.errors import ConversionError, UnsupportedOperatorError, UsageError
from tinynas.export import Converted
from tinynas.hardware import Target
from tinynas.tflite import Graph, Operator, Tensor, write

MODELS = ("mn_tiny_c4_b1", "ci_res16_avg_b1", "c1d_dw_b1")  # dense and convolution, residual, one axis


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Converted]]:
    """Each model's folder, and what convert said of it."""
    made = {}
    for name in MODELS:
        folder = tmp_path_factory.mktemp(name)
        (folder / f"{name}.tflite").write_bytes(fixture(name))
        made[name] = folder, convert(folder / f"{name}.tflite", out=folder, formats=("engine",), name="net")
    return made


@needs_compiler
@pytest.mark.parametrize("name", MODELS)
def test_one_make_builds_a_program_that_passes(name: str, folders: dict[str, tuple[Path, Converted]]) -> None:
    folder, converted = folders[name]
    said = run(["make", "-s", "run", f"CFLAGS=-O1 {' '.join(WARNINGS)}"], folder)
    assert f"net: self-test of {converted.golden_samples} samples: 0 mismatches: PASS\n" in said
    assert f"net: memory of {converted.engine.memory} bytes" in said
    assert said.count(" is of class ") == converted.golden_samples


@needs_compiler
def test_other_options_build_anew_and_the_same_do_not(
    folders: dict[str, tuple[Path, Converted]], tmp_path: Path
) -> None:
    """As when a folder is first built for this computer, and then for a board."""
    shutil.copytree(folders[MODELS[0]][0], tmp_path / "copy", ignore=shutil.ignore_patterns("build"))
    said = [run(["make", f"CFLAGS={flags}"], tmp_path / "copy") for flags in ("-O1", "-O1", "-O0", "-O0 '-DA=\"b\"'")]
    assert ["-o build/firmware.elf" in each for each in said] == [True, False, True, True]


@needs_compiler
def test_a_wrong_output_is_counted(folders: dict[str, tuple[Path, Converted]], tmp_path: Path) -> None:
    folder, _ = folders[MODELS[0]]
    shutil.copytree(folder, tmp_path / "copy")
    test = tmp_path / "copy" / "net_test.c"
    outputs = re.search(r"net_test_outputs.*?\{\n    \{\n    (-?\d+),", test.read_text(), re.DOTALL)
    assert outputs is not None
    at, value = outputs.start(1), int(outputs[1])
    text = test.read_text()
    test.write_text(text[:at] + str(value + (1 if value < 127 else -1)) + text[outputs.end(1) :])
    (tmp_path / "copy" / "main.c").write_text(
        '#include "net_engine.h"\n#include "net_test.h"\nstatic int32_t memory[(NET_ENGINE_BYTES + 3) / 4];\n'
        "int main(void) { return net_self_test(memory) == 1 ? 0 : 1; }\n"
    )
    run(["make", "-s", "run"], tmp_path / "copy")


@needs_compiler
def test_the_sources_are_c_and_cpp(folders: dict[str, tuple[Path, Converted]]) -> None:
    folder, _ = folders["ci_res16_avg_b1"]
    for source in ("net_engine.c", "net_weights.c", "net_test.c"):
        run(["gcc", "-std=c99", *WARNINGS, "-Wsign-conversion", "-c", source, "-o", "host.o"], folder)
        run(["g++", "-std=c++17", "-x", "c++", *WARNINGS, "-Wsign-conversion", "-c", source, "-o", "host.o"], folder)


TWO_AT_ONCE = """
#include "one_engine.h"
#include "two_engine.h"
#include "one_test.h"
#include "two_test.h"
#include <string.h>
static int32_t a[(ONE_ENGINE_BYTES + 3) / 4], b[(ONE_ENGINE_BYTES + 3) / 4], c[(TWO_ENGINE_BYTES + 3) / 4];
static int32_t shared[((ONE_ENGINE_BYTES > TWO_ENGINE_BYTES ? ONE_ENGINE_BYTES : TWO_ENGINE_BYTES) + 3) / 4];
int main() {
  int wrong = one_self_test(shared) + two_self_test(shared) + two_self_test(c);
  memcpy(one_input(a), one_test_inputs[0], ONE_ENGINE_INPUT_BYTES);
  memcpy(one_input(b), one_test_inputs[1], ONE_ENGINE_INPUT_BYTES);
  one_run(a);
  one_run(b);
  wrong += memcmp(one_output(a), one_test_outputs[0], ONE_ENGINE_OUTPUT_BYTES) != 0;
  wrong += memcmp(one_output(b), one_test_outputs[1], ONE_ENGINE_OUTPUT_BYTES) != 0;
  return wrong;
}
"""


@needs_compiler
def test_two_networks_and_two_instances_in_a_cpp_program(tmp_path: Path) -> None:
    """Two models share memory one after the other, and one model runs in two memories at once."""
    for name, model in (("one", "mn_tiny_c4_b1"), ("two", "o_quant")):
        (tmp_path / f"{name}.tflite").write_bytes(fixture(model))
        convert(tmp_path / f"{name}.tflite", out=tmp_path, formats=("engine",), name=name)
    (tmp_path / "use.cpp").write_text(TWO_AT_ONCE)
    sources = [f"{name}_{part}.c" for name in ("one", "two") for part in ("engine", "weights", "test")]
    run(["gcc", "-std=c99", "-c", *sources], tmp_path)
    run(
        ["g++", "-std=c++17", *WARNINGS, "use.cpp", *(each.replace(".c", ".o") for each in sources), "-o", "use"],
        tmp_path,
    )
    run([tmp_path / "use"], tmp_path)


@needs_compiler
def test_a_hook_and_static_memory(folders: dict[str, tuple[Path, Converted]], tmp_path: Path) -> None:
    folder, _ = folders["ci_res16_avg_b1"]
    shutil.copytree(folder, tmp_path / "copy")
    (tmp_path / "copy" / "hook.h").write_text("extern int hooks, greatest;\n")
    (tmp_path / "copy" / "main.c").write_text(
        '#include "net_engine.h"\n#include "net_test.h"\nint hooks, greatest;\nint main(void) {\n'
        "  const int wrong = net_self_test(net_memory);\n"
        "  return wrong || greatest != NET_ENGINE_LAYERS - 1 || hooks < NET_TEST_SAMPLES * NET_ENGINE_LAYERS;\n}\n"
    )
    hook = "'-DNET_LAYER_HOOK(i)=(hooks++, greatest = (i) > greatest ? (i) : greatest)'"
    flags = f"-DNET_STATIC_MEMORY -include hook.h {hook}"
    run(["make", "-s", "run", f"CFLAGS={flags}"], tmp_path / "copy")


STARTUP = """
/* Start-up of the emulated board, and its timer as a counter of instructions: 40 a tick. */
#include <stdint.h>
uint32_t board_instructions(void) {
  volatile uint32_t* const timer = (volatile uint32_t*)0x40000000;
  if (timer[0] == 0) {
    timer[1] = timer[2] = 0xFFFFFFFF; /* it counts down, from there and again from there */
    timer[0] = 1;
  }
  return 0u - timer[1] * 40u;
}
"""


def check_on_a_board(folder: Path, converted: Converted) -> None:
    """One make builds it; it says classes, instructions near those that were said, memory, and a stack that is no more
    than was said."""
    for file in ("startup.c", "board.ld"):
        shutil.copy(BOARD / file, folder)
    (folder / "counter.c").write_text(STARTUP)
    counter = "-DTINYNAS_COUNTER=board_instructions -DTINYNAS_COUNTER_UNIT='\"instructions\"'"
    run(
        [
            *("make", "-s", "CROSS=arm-none-eabi-", "BOARD=startup.c counter.c", f"CFLAGS=-Os {counter}"),
            *("LDFLAGS=--specs=rdimon.specs -T board.ld", f"CPU={' '.join(CORES['cortex-m4f'])}"),
        ],
        folder,
    )
    said = run([*EMULATOR[:-1], "-icount", "shift=0", EMULATOR[-1], "build/firmware.elf"], folder, timeout=600)
    assert "0 mismatches: PASS" in said
    assert said.count(" is of class ") == converted.golden_samples
    assert f"memory of {converted.engine.memory} bytes" in said
    found = re.search(r"a run takes (\d+) bytes of stack", said)
    assert found is not None
    assert 0 < int(found[1]) <= converted.engine.stack + 64  # and the frames of main.c
    counted = re.search(r"a run takes (\d+) instructions", said)
    assert counted is not None
    copied = 12 * converted.analysis.operators[0].live_bytes + 2000  # the input, and the timer's step of 40
    assert int(counted[1]) == pytest.approx(converted.engine.instructions, rel=0.15, abs=copied)


@needs_arm
@needs_emulator
def test_one_make_builds_firmware_that_runs_on_a_board(
    folders: dict[str, tuple[Path, Converted]], tmp_path: Path
) -> None:
    folder, converted = folders[MODELS[0]]
    shutil.copytree(folder, tmp_path / "copy")
    check_on_a_board(tmp_path / "copy", converted)


@needs_arm
@needs_emulator
def test_the_model_of_a_search_runs_on_a_board(small_run, tmp_path: Path) -> None:
    """As `tinynas search`, then `tinynas convert best --format engine`."""
    shutil.copytree(small_run.folder, tmp_path / "run")
    check_on_a_board(tmp_path / "run" / "engine", convert(tmp_path / "run", formats=("engine",)))


@needs_arm
@pytest.mark.parametrize("name", MODELS)
def test_flash_is_what_was_said(name: str, folders: dict[str, tuple[Path, Converted]]) -> None:
    """Constants to the byte but for alignment; code is at most what was said, and not much less."""
    folder, converted = folders[name]
    sizes = {}
    for part in ("engine", "weights"):
        run(
            ["arm-none-eabi-gcc", "-std=c99", "-Os", *CORES["cortex-m4f"], "-c", f"net_{part}.c", "-o", "arm.o"], folder
        )
        text, data, bss = run(["arm-none-eabi-size", "arm.o"], folder).splitlines()[1].split()[:3]
        assert (data, bss) == ("0", "0")
        sizes[part] = int(text)
    figures = converted.engine
    assert 0.9 * figures.flash <= sizes["engine"] + sizes["weights"] <= figures.flash + 64
    symbols = run(["arm-none-eabi-nm", "-u", "arm.o"], folder)
    assert symbols.strip() == ""


@needs_arm
def test_no_library_is_needed(folders: dict[str, tuple[Path, Converted]]) -> None:
    """No memcpy, no float, no division of 64 bits, no malloc."""
    folder, _ = folders["ci_res16_avg_b1"]
    run(["arm-none-eabi-gcc", "-std=c99", "-Os", *CORES["cortex-m4f"], "-c", "net_engine.c", "-o", "arm.o"], folder)
    wanted = run(["arm-none-eabi-nm", "-u", "arm.o"], folder).split()[1::2]
    assert all(name.startswith("net_c") for name in wanted), wanted


def test_an_operator_without_code_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    """Two samples at once: TFLM runs it, the engine does not."""
    graph = one_operator("DEQUANTIZE", [activation((1, 4))], Tensor("", (1, 4), "FLOAT32"))
    back = Tensor("", (1, 4), "INT8", None, (0.5,), (0,))
    operators = (*graph.operators, Operator("QUANTIZE", 1, (1,), (2,), None))
    (tmp_path / "net.tflite").write_bytes(write(Graph((*graph.tensors, back), operators, (0,), (2,))))
    with pytest.raises(
        UnsupportedOperatorError, match=r"operator 0 \(DEQUANTIZE\).*Under TFLM, without --format engine"
    ):
        convert(tmp_path / "net.tflite", out=tmp_path / "out", formats=("engine",))
    assert not (tmp_path / "out").exists()


def test_the_format_stands_alone(tmp_path: Path) -> None:
    (tmp_path / "net.tflite").write_bytes(fixture(MODELS[0]))
    with pytest.raises(
        UsageError, match="The format engine writes a folder of its own, without TFLM: ask for it alone"
    ):
        convert(tmp_path / "net.tflite", out=tmp_path / "out", formats=("engine", "tflite"))


def test_a_model_that_is_too_great_for_tflm_may_fit_as_plain_c(tmp_path: Path) -> None:
    """The board's RAM holds the engine's memory, but not the arena."""
    board = Target.load("nucleo_f401")
    small = board.model_copy(update={"ram_bytes": 4096, "reserved_ram_bytes": 0, "name": "small"})
    (tmp_path / "net.tflite").write_bytes(fixture("mn_conv1x1"))
    with pytest.raises(ConversionError, match="does not fit small"):
        convert(tmp_path / "net.tflite", out=tmp_path, target=small, check_fit=True)
    converted = convert(tmp_path / "net.tflite", out=tmp_path, target=small, check_fit=True, formats=("engine",))
    assert converted.fits
    assert converted.engine.ram < 4096 < converted.arena.minimum


def test_the_input_is_kept_where_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "net.tflite").write_bytes(fixture(MODELS[0]))
    kept = convert(tmp_path / "net.tflite", out=tmp_path, formats=("engine",), keep_input=True)
    assert "After a run it is still what it was." in (tmp_path / "net_engine.h").read_text()
    assert "The input is still there after a run." in (tmp_path / "README.md").read_text()
    freed = convert(tmp_path / "net.tflite", out=tmp_path, formats=("engine",))
    assert kept.engine.memory > freed.engine.memory
    with pytest.raises(UsageError, match="Only the format engine can keep its input"):
        convert(tmp_path / "net.tflite", out=tmp_path, keep_input=True)


def test_a_firmware_for_speed(tmp_path: Path) -> None:
    (tmp_path / "net.tflite").write_bytes(fixture(MODELS[0]))
    small = convert(tmp_path / "net.tflite", out=tmp_path / "small", formats=("engine",))
    quick = convert(tmp_path / "net.tflite", out=tmp_path / "quick", formats=("engine",), optimize="speed")
    spare = convert(
        tmp_path / "net.tflite", out=tmp_path / "spare", formats=("engine",), optimize="speed", flash_budget=0
    )
    assert quick.engine.memory == spare.engine.memory > small.engine.memory
    assert quick.engine.tables > spare.engine.tables
    for folder in ("quick", "spare"):
        run(["make", "-s"], tmp_path / folder)


def test_what_speed_takes_is_said_by_name(tmp_path: Path) -> None:
    (tmp_path / "net.tflite").write_bytes(fixture(MODELS[0]))
    with pytest.raises(UsageError, match="Only the format engine can be optimised for 'speed'"):
        convert(tmp_path / "net.tflite", out=tmp_path / "out", optimize="speed")
    with pytest.raises(UsageError, match="'fast'; wanted one of memory, speed"):
        convert(tmp_path / "net.tflite", out=tmp_path / "out", formats=("engine",), optimize="fast")
    with pytest.raises(UsageError, match="The budget of Flash is -1"):
        convert(tmp_path / "net.tflite", out=tmp_path / "out", formats=("engine",), flash_budget=-1)
    assert not (tmp_path / "out").exists()


def test_golden_outputs_come_from_tflm_or_its_arithmetic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tinynas.tflite import tflm

    (tmp_path / "net.tflite").write_bytes(fixture(MODELS[0]))
    with_tflm = convert(tmp_path / "net.tflite", out=tmp_path / "with", formats=("engine",))
    monkeypatch.setattr(tflm, "available", lambda: False)
    without = convert(tmp_path / "net.tflite", out=tmp_path / "without", formats=("engine",))
    assert without.golden_maker.startswith("TFLM's arithmetic in Python")
    if with_tflm.golden_maker == "TFLM":
        rows = [re.findall(r"-?\d+,", (tmp_path / each / "net_test.c").read_text()) for each in ("with", "without")]
        assert np.array_equal(*rows)


def test_weights_have_a_place_of_their_own(folders: dict[str, tuple[Path, Converted]]) -> None:
    """An array a layer, whose section the project may choose."""
    folder, _ = folders[MODELS[0]]
    text = (folder / "net_weights.c").read_text()
    assert len(re.findall(r"^NET_WEIGHTS NET_ALIGNED const \w+ net_c\d+\[", text, re.MULTILINE)) >= 4


def test_the_engine_has_a_folder_of_its_own(small_run, tmp_path: Path) -> None:
    """Beside the firmware with TFLM, with which it shares names of files."""
    run_folder = tmp_path / "run"
    shutil.copytree(small_run.folder, run_folder)
    for formats, name in ((("tflite", "main"), "firmware"), (("engine",), "engine")):
        assert {path.parent for path in convert(run_folder, formats=formats).files} == {run_folder / name}
    assert (run_folder / "firmware" / "main.cc").exists()
    assert not (run_folder / "engine" / "main.cc").exists()

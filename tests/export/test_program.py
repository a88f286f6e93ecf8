"""The whole folder as a program: compiled here and for two Arm cores, linked with a stand-in for TFLM, run."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.export.firmware import (
    ARENA,
    CORES,
    FIRMWARE_FLAGS,
    STUBS,
    WARNINGS,
    any_arena,
    emulated,
    fixture,
    has_newlib,
    made,
    makefile_and_tree,
    needs_arm,
    needs_compiler,
    needs_emulator,
    program,
    random_golden,
    run,
    table,
    written,
)

SOURCES = ("main.cc", "digits.cc", "digits_test.cc")
MODELS = ("mn_tiny_c4_b1", "h1_128x6_har_b1", "c1d_dw_b1", "ci_res16_avg_b1")  # 2-D, 1-D, depthwise, residual


@needs_compiler
@pytest.mark.parametrize("model", MODELS)
def test_the_program_passes_its_self_test(tmp_path: Path, model: str) -> None:
    firmware = made(model)
    written(tmp_path, firmware)
    golden = firmware.golden
    table(tmp_path, golden.inputs, golden.outputs, firmware.arena.minimum)
    said = run([program(tmp_path, "digits")], tmp_path)
    assert f"self-test of {len(golden.inputs)} samples: 0 mismatches: PASS\n" in said
    for number, row in enumerate(golden.outputs):
        assert f"sample {number} is of class {row.argmax()}, " in said


@needs_compiler
def test_mismatches_are_counted(tmp_path: Path) -> None:
    firmware = made()
    written(tmp_path, firmware)
    outputs = firmware.golden.outputs.copy()
    outputs[0, 3] += 1 if outputs[0, 3] < 127 else -1
    outputs[2, :2] = np.where(outputs[2, :2] > 0, outputs[2, :2] - 9, outputs[2, :2] + 9)
    table(tmp_path, firmware.golden.inputs, outputs, 0)
    binary = program(tmp_path, "digits")
    done = subprocess.run([binary], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "3 mismatches: FAIL" in done.stdout
    program(tmp_path, "digits", "-DDIGITS_TEST_TOLERANCE=1")
    assert "2 mismatches: FAIL" in subprocess.run([binary], capture_output=True, text=True, check=False).stdout


@needs_compiler
def test_a_model_that_does_not_run_mismatches_in_every_output(tmp_path: Path) -> None:
    firmware = made()
    written(tmp_path, firmware)
    golden = firmware.golden
    table(tmp_path, golden.inputs[1:], golden.outputs[1:], 0)
    done = subprocess.run([program(tmp_path, "digits")], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "10 mismatches: FAIL" in done.stdout
    assert "sample 0: Invoke() failed" in done.stdout


@needs_compiler
def test_an_arena_that_is_too_small_is_said(tmp_path: Path) -> None:
    firmware = replace(made(), arena=any_arena(4096))
    written(tmp_path, firmware)
    table(tmp_path, firmware.golden.inputs, firmware.golden.outputs, 4097)
    done = subprocess.run([program(tmp_path, "digits")], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "AllocateTensors() failed; is the arena of 4096 bytes too small" in done.stdout


@needs_compiler
def test_another_main_can_call_it(tmp_path: Path) -> None:
    """As in a project whose main() is generated C, which calls the demo and the array."""
    firmware = made()
    written(tmp_path, firmware)
    table(tmp_path, firmware.golden.inputs, firmware.golden.outputs, 0)
    (tmp_path / "other.c").write_text("int digits_demo(void);\nint main(void) { return digits_demo() + 40; }\n")
    run(["gcc", "-c", "other.c"], tmp_path)
    with pytest.raises(AssertionError, match="multiple definition of `main'"):
        program(tmp_path, "digits", "other.o")
    binary = program(tmp_path, "digits", "other.o", "-DTINYNAS_NO_MAIN")
    assert subprocess.run([binary], capture_output=True, check=False).returncode == 40


ARDUINO = """
#include <stdio.h>
#include <string>
struct Port {
  void begin(long) {}
  void print(const char* text) { fputs(text, stdout); }
  explicit operator bool() const { return true; }
};
extern Port Serial;
inline void delay(unsigned long) {}
void setup();
void loop();
"""


@needs_compiler
def test_it_is_a_sketch_under_arduino(tmp_path: Path) -> None:
    firmware = made()
    written(tmp_path, firmware)
    table(tmp_path, firmware.golden.inputs, firmware.golden.outputs, 0)
    (tmp_path / "Arduino.h").write_text(ARDUINO)
    (tmp_path / "core.cc").write_text('#include "Arduino.h"\nPort Serial;\nint main() { setup(); loop(); }\n')
    assert ": PASS\n" in run([program(tmp_path, "digits", "-DARDUINO=10819", "-I.", "core.cc")], tmp_path)


@needs_compiler
def test_the_snippet_of_the_readme_classifies(tmp_path: Path) -> None:
    firmware = made(normalization=None)
    written(tmp_path, firmware)
    golden = firmware.golden
    table(tmp_path, golden.inputs, golden.outputs, 0)
    snippet = re.search(r"```cpp\n(.*?)```", (tmp_path / "README.md").read_text(), re.DOTALL)
    assert snippet is not None
    (tmp_path / "own.cc").write_text(
        snippet[1]
        + r"""
#include <stdio.h>
#include "digits_test.h"
int main() {
  for (int sample = 0; sample < DIGITS_TEST_SAMPLES; ++sample) {
    static float raw[DIGITS_INPUT_LENGTH];
    for (int i = 0; i < DIGITS_INPUT_LENGTH; ++i)
      raw[i] = static_cast<float>(digits_test_inputs[sample][i] - DIGITS_INPUT_ZERO_POINT) * DIGITS_INPUT_SCALE;
    printf("%d ", digits_classify(raw));
  }
}
"""
    )
    found = run([program(tmp_path, "digits", "-DTINYNAS_NO_MAIN", "own.cc")], tmp_path)
    assert [int(word) for word in found.split()] == golden.outputs.argmax(axis=1).tolist()


@needs_compiler
def test_a_later_release_keeps_its_target_elsewhere(tmp_path: Path) -> None:
    firmware = made()
    written(tmp_path, firmware)
    table(tmp_path, firmware.golden.inputs, firmware.golden.outputs, 0)
    assert ": PASS\n" in run([program(tmp_path, "digits", "-DSTUB_LATER_RELEASE")], tmp_path)


@needs_compiler
def test_the_makefile_of_the_readme_builds(tmp_path: Path) -> None:
    firmware = made()
    written(tmp_path, firmware)
    makefile_and_tree(tmp_path, firmware.golden)
    run(["make", "TFLM=tree", "CROSS=", "CPU=", "LDFLAGS="], tmp_path)
    assert ": PASS\n" in run([tmp_path / "build" / "firmware.elf"], tmp_path)


@needs_arm
@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("model", MODELS)
def test_it_compiles_for_arm_and_takes_the_flash_it_claims(tmp_path: Path, model: str, core: str) -> None:
    firmware = made(model)
    written(tmp_path, firmware)
    hosted = () if has_newlib() else ("-ffreestanding", f"-I{STUBS / 'freestanding'}")
    for source in SOURCES:
        flags = (*WARNINGS, *FIRMWARE_FLAGS, *CORES[core], *hosted, f"-I{STUBS}")
        run(["arm-none-eabi-g++", "-std=c++17", *flags, "-c", source, "-o", f"{source}.o"], tmp_path)
    flags = (*WARNINGS, "-Os", "-fdata-sections", *CORES[core])
    run(["arm-none-eabi-gcc", "-x", "c", "-std=c11", *flags, "-c", "digits.cc", "-o", "c.o"], tmp_path)
    for name in ("digits.cc.o", "c.o"):
        sections = _sections(tmp_path / name)
        assert sections[".rodata.digits_tflite"] == len(firmware.tflite)
        assert sum(size for section, size in sections.items() if section.startswith((".data", ".bss"))) == 0
    sections = _sections(tmp_path / "digits_test.cc.o")
    arrays = (".rodata.digits_test_inputs", ".rodata.digits_test_outputs")
    assert sum(sections[each] for each in arrays) == firmware.golden.flash_bytes
    arena = [size for section, size in _sections(tmp_path / "main.cc.o").items() if section.startswith(".bss")]
    assert arena == [firmware.arena.total]


def _sections(path: Path) -> dict[str, int]:
    """Sizes of the sections of an object, those without bytes left out."""
    lines = run(["arm-none-eabi-size", "-A", path], path.parent).splitlines()
    sizes = {fields[0]: int(fields[1]) for fields in map(str.split, lines) if len(fields) == 3 and fields[1].isdigit()}
    return {section: size for section, size in sizes.items() if size}


@needs_emulator
def test_it_runs_on_an_emulated_cortex_m4(tmp_path: Path) -> None:
    """Printing through semihosting, by the README's Makefile; the exit code is that of the self-test."""
    firmware = made()
    written(tmp_path, firmware)
    assert "digits: self-test of 3 samples: 0 mismatches: PASS\n" in emulated(tmp_path, firmware.golden)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_the_makefile_builds_kernels_for_speed_and_the_rest_for_size(tmp_path: Path) -> None:
    """-O2 for TFLM's kernels and CMSIS-NN, or what OPT says; -Os for the rest: the build of the figures."""
    firmware = made()
    written(tmp_path, firmware)
    makefile_and_tree(tmp_path, firmware.golden)
    kernel = tmp_path / "tree" / "tensorflow" / "lite" / "micro" / "kernels" / "conv.cc"
    kernel.parent.mkdir(parents=True, exist_ok=True)
    kernel.write_text("int kernel;\n")
    for option in ("-O2", "-O3"):
        told = run(["make", "-n", "TFLM=tree", *(() if option == "-O2" else ("OPT=-O3",))], tmp_path).splitlines()
        compiled = {line.split()[-1].removesuffix(".o"): line for line in told if " -c " in line}
        for path, line in compiled.items():
            is_kernel = "/micro/kernels/" in path or "/cmsis_nn/" in path
            assert (option if is_kernel else "-Os") in line.split(), path
            assert sum(word.startswith("-O") for word in line.split()) == 1
        assert sum("/micro/kernels/" in path for path in compiled) == 1
        assert sum("/cmsis_nn/" in path for path in compiled) >= 2


def test_every_model_here_is_a_fixture() -> None:
    assert all((ARENA / f"{model}.tflite").exists() and random_golden(fixture(model)).flash_bytes for model in MODELS)

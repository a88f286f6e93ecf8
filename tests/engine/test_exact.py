"""The engine's arithmetic and its C against the real TFLM: the same to the last bit."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.engine.conftest import Witnessed, witnessed
from tests.engine.host import WARNINGS, answers, differences, needs_wheel, program
from tests.engine.random_graphs import random_graph, random_net
from tests.export.firmware import needs_compiler
from tests.tflite.models import NAMES, fixture
from tinynas.tflite import Graph, write

SANITIZED = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
pytestmark = [needs_wheel]


def test_the_reference_in_numpy_is_tflm(fixtures: Witnessed) -> None:
    found = [engine.run(x) for engine, x in zip(fixtures.engines, fixtures.inputs, strict=True)]
    assert differences(found, fixtures.outputs, fixtures.names) == {}


@needs_compiler
@pytest.mark.parametrize("step", [2, pytest.param(1, marks=pytest.mark.slow, id="every")])
def test_the_c_is_tflm_and_stays_within_its_memory(step: int, fixtures: Witnessed, tmp_path: Path) -> None:
    """Under sanitizers, each run in a heap block of exactly the bytes that are promised, full of rubbish before."""
    engines, inputs, outputs = fixtures.engines[::step], fixtures.inputs[::step], fixtures.outputs[::step]
    binary = program(tmp_path, engines, len(inputs[0]), "gcc", "-std=c99", "-O1", *WARNINGS, *SANITIZED)
    assert differences(answers(binary, engines, inputs), outputs, fixtures.names[::step]) == {}


@needs_compiler
def test_random_models_of_one_operator(tmp_path: Path) -> None:
    check_models([random_graph(number) for number in range(50)], tmp_path)


@needs_compiler
@pytest.mark.parametrize("by_rows", [True, False])
def test_random_nets_with_branches(by_rows: bool, tmp_path: Path) -> None:
    check_models([random_net(number) for number in range(90, 98)], tmp_path, by_rows)


def check_models(graphs: list[Graph], folder: Path, by_rows: bool = True) -> None:
    models = [write(graph) for graph in graphs]
    found = witnessed([str(number) for number in range(len(models))], models, 4, by_rows)
    reference = [engine.run(x) for engine, x in zip(found.engines, found.inputs, strict=True)]
    assert differences(reference, found.outputs, found.names) == {}
    binary = program(folder, found.engines, 4, "gcc", "-std=c99", "-O1", *WARNINGS, *SANITIZED)
    assert differences(answers(binary, found.engines, found.inputs), found.outputs, found.names) == {}


@pytest.mark.slow
@needs_compiler
@pytest.mark.parametrize("start", range(50, 10_000, 995))
def test_thousands_of_random_models(start: int, tmp_path: Path) -> None:
    check_models([random_graph(number) for number in range(start, start + 995)], tmp_path)


@pytest.mark.slow
@needs_compiler
@pytest.mark.parametrize("by_rows", [True, False])
@pytest.mark.parametrize("start", range(0, 1000, 250))
def test_a_thousand_random_nets(start: int, by_rows: bool, tmp_path: Path) -> None:
    check_models([random_net(number) for number in range(start, start + 250)], tmp_path, by_rows)


@pytest.fixture(scope="module")
def forty() -> Witnessed:
    return witnessed(NAMES, [fixture(name) for name in NAMES], 40)


BUILDS = {
    **{f"{compiler} {level}": (compiler, level) for compiler in ("gcc", "clang") for level in ("-O0", "-O2", "-Os")},
    "gcc -m32": ("gcc", "-O2", "-m32"),
    "clang -m32": ("clang", "-O2", "-m32"),
    "clang with sanitizers": ("clang", "-O1", *SANITIZED),
}


@pytest.mark.slow
@pytest.mark.parametrize("command", BUILDS.values(), ids=BUILDS)
def test_every_compiler_and_level(command: tuple[str, ...], forty: Witnessed, tmp_path: Path) -> None:
    needs(command[0], *command[1:])
    binary = program(tmp_path, forty.engines, 40, command[0], "-std=c99", *WARNINGS, *command[1:])
    assert differences(answers(binary, forty.engines, forty.inputs), forty.outputs, forty.names) == {}


@pytest.mark.slow
def test_a_big_endian_processor(fixtures: Witnessed, tmp_path: Path) -> None:
    needs("powerpc64-linux-gnu-gcc", "-static")
    needs("qemu-ppc64")
    n_samples = len(fixtures.inputs[0])
    command = ("powerpc64-linux-gnu-gcc", "-std=c99", "-O2", "-static", *WARNINGS)
    binary = program(tmp_path, fixtures.engines, n_samples, *command)
    found = answers(binary, fixtures.engines, fixtures.inputs, "qemu-ppc64")
    assert differences(found, fixtures.outputs, fixtures.names) == {}


def needs(tool: str, *flags: str) -> None:
    """Skip where the tool is not there or, given flags, cannot make a program with them."""
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed: make slow-packages")
    text = "#include <stdio.h>\nint main(void) { return 0; }\n"
    command = [tool, *flags, "-x", "c", "-", "-o", "/dev/null"]
    if flags and subprocess.run(command, input=text, text=True, capture_output=True, check=False).returncode:
        pytest.skip(f"{tool} cannot compile with {' '.join(flags)}: make slow-packages")


def test_samples_reach_far(fixtures: Witnessed) -> None:
    """Most fixtures answer differently to different inputs; else the tests above would see nothing."""
    varied = [len(np.unique(outputs, axis=0)) > 1 for outputs in fixtures.outputs]
    assert sum(varied) > 0.9 * len(varied)

"""Preset speed: the same results to the last bit, in C on the host and with DSP instructions on an emulated core."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.engine.conftest import Witnessed
from tests.engine.host import WARNINGS, Int8s, answers, differences, program, samples
from tests.engine.random_graphs import random_graph
from tests.engine.test_exact import SANITIZED, needs
from tests.export.firmware import BOARD, CORES, EMULATOR, has_newlib, needs_arm, needs_compiler, run
from tests.tflite.models import NAMES, fixture
from tinynas.engine import Engine, build
from tinynas.tflite import write

HOST = ("gcc", "-std=c99", "-O1", *WARNINGS, *SANITIZED)
M4 = (
    *("arm-none-eabi-gcc", *CORES["cortex-m4f"], "-std=c99", "-O2", *WARNINGS, "-Wno-pedantic"),
    *("--specs=rdimon.specs", "-T", str(BOARD / "board.ld"), str(BOARD / "startup.c")),
)
BUDGETS = (0, 1 << 20)
needs_newlib = pytest.mark.skipif(not has_newlib(), reason="newlib for Arm is not installed: make system-packages")


@pytest.fixture(scope="module")
def fast() -> list[Engine]:
    """Every second one without a byte for weights of 16 bits."""
    return [build(fixture(name), optimize="speed", flash_budget=BUDGETS[k % 2]) for k, name in enumerate(NAMES)]


EVERY = pytest.param((0, 1), marks=pytest.mark.slow, id="every")
"""Each fixture runs on the host or on a core with DSP instructions, the slow tests run all on both."""


@needs_compiler
@pytest.mark.parametrize("halves", [(0,), EVERY])
def test_fixtures_on_the_host(halves: tuple[int, ...], fast: list[Engine], fixtures: Witnessed, tmp_path: Path) -> None:
    check_fixtures(halves, fast, fixtures, tmp_path, HOST)


@needs_arm
@needs_newlib
@pytest.mark.parametrize("halves", [(1,), EVERY])
def test_fixtures_on_a_cortex_m4(
    halves: tuple[int, ...], fast: list[Engine], fixtures: Witnessed, tmp_path: Path
) -> None:
    check_fixtures(halves, fast, fixtures, tmp_path, M4, EMULATOR)


def check_fixtures(
    halves: tuple[int, ...],
    fast: list[Engine],
    fixtures: Witnessed,
    folder: Path,
    command: Sequence[str],
    runner: Sequence[str] = (),
) -> None:
    numbers = [k for k in range(len(NAMES)) if k // 2 % 2 in halves]  # both budgets in each half
    engines, inputs = [fast[k] for k in numbers], [fixtures.inputs[k] for k in numbers]
    binary = program(folder, engines, len(inputs[0]), *command)
    found = answers(binary, engines, inputs, *runner)
    assert differences(found, [fixtures.outputs[k] for k in numbers], [NAMES[k] for k in numbers]) == {}


@needs_compiler
@pytest.mark.parametrize("number", [11, 60])
def test_a_model_by_itself_leaves_nothing_unused(number: int, fast: list[Engine], tmp_path: Path) -> None:
    for name, text in fast[number].files("net").items():
        (tmp_path / name).write_bytes(text)
    commands = [HOST, M4[:-4]] if has_newlib() else [HOST]
    for command in commands:
        run([*command, "-c", "net_engine.c", "net_weights.c"], tmp_path)


def random_models(numbers: Sequence[int]) -> tuple[list[Engine], list[Int8s], list[Int8s]]:
    """Engines of random models of one operator, inputs of each, and the reference's outputs."""
    engines = [
        build(write(random_graph(number)), optimize="speed", flash_budget=BUDGETS[k % 2])
        for k, number in enumerate(numbers)
    ]
    inputs = [samples(engine.net, 4, number) for engine, number in zip(engines, numbers, strict=True)]
    return engines, inputs, [engine.run(x) for engine, x in zip(engines, inputs, strict=True)]


def with_weights(first: int, count: int) -> list[int]:
    """Numbers of random models from `first` on whose operators preset speed has kernels for."""
    return [number for number in range(first, first + 2 * count) if number % 10 in (0, 1, 2, 3, 9)][:count]


@needs_compiler
def test_random_models_on_the_host(tmp_path: Path) -> None:
    """High products from those of 16 bits, as on a Cortex-M0."""
    check(with_weights(0, 50), tmp_path, (*HOST, "-DTN_SHORT_PRODUCTS"))


@needs_arm
@needs_newlib
def test_random_models_on_a_cortex_m4(tmp_path: Path) -> None:
    check(with_weights(100, 50), tmp_path, M4, EMULATOR)


def check(numbers: Sequence[int], folder: Path, command: Sequence[str], runner: Sequence[str] = ()) -> None:
    engines, inputs, wanted = random_models(numbers)
    found = answers(program(folder, engines, 4, *command), engines, inputs, *runner)
    assert differences(found, wanted, list(map(str, numbers))) == {}


@pytest.mark.slow
@needs_arm
@needs_newlib
@pytest.mark.parametrize("first", range(400, 10_000, 1600))
def test_thousands_of_random_models(first: int, tmp_path: Path) -> None:
    numbers = with_weights(first, 800)
    check(numbers, tmp_path, HOST)
    check(numbers, tmp_path, M4, EMULATOR)


@pytest.mark.slow
@pytest.mark.parametrize("command", [("clang", "-O2"), ("gcc", "-O0"), ("gcc", "-O3", "-m32")], ids=" ".join)
def test_other_compilers(command: tuple[str, ...], fast: list[Engine], fixtures: Witnessed, tmp_path: Path) -> None:
    needs(*command)
    binary = program(tmp_path, fast, len(fixtures.inputs[0]), command[0], "-std=c99", *WARNINGS, *command[1:])
    assert differences(answers(binary, fast, fixtures.inputs), fixtures.outputs, fixtures.names) == {}


@pytest.mark.slow
def test_a_big_endian_processor(fast: list[Engine], fixtures: Witnessed, tmp_path: Path) -> None:
    needs("powerpc64-linux-gnu-gcc", "-static")
    needs("qemu-ppc64")
    command = ("powerpc64-linux-gnu-gcc", "-std=c99", "-O2", "-static", *WARNINGS)
    binary = program(tmp_path, fast, len(fixtures.inputs[0]), *command)
    found = answers(binary, fast, fixtures.inputs, "qemu-ppc64")
    assert differences(found, fixtures.outputs, fixtures.names) == {}

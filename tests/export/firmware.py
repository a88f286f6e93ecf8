"""What the tests of this room share: firmware made of a fixture, and the compilers to hold its sources against."""

import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tflite.models import activation, constant, integers, one_operator
from tinynas.data import Normalization
from tinynas.export.arena import ArenaSize, arena_size
from tinynas.export.ends import ends
from tinynas.export.facts import Facts
from tinynas.export.golden import Golden
from tinynas.export.output import Output
from tinynas.export.render import Firmware, render
from tinynas.hardware import Target
from tinynas.tflite import analyze, write

ARENA = Path(__file__).parent.parent / "fixtures" / "arena"
STUBS = Path(__file__).parent / "stubs"
BOARD = Path(__file__).parent / "board"
WARNINGS = ("-Wall", "-Wextra", "-Werror", "-pedantic", "-Wshadow", "-Wconversion")
NASTY = (
    'say "hi"',
    "back\\slash",
    "what??/",
    "naïve",
    "猫",
    "new\nline",
    "%d",
    "7eleven",
    "*/",
    "\x01" + "7",
)
CORES = {
    "cortex-m0plus": ("-mcpu=cortex-m0plus", "-mthumb"),
    "cortex-m4f": ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"),
}
EMULATOR = (
    *("qemu-system-arm", "-M", "mps2-an386", "-nographic", "-monitor", "none", "-serial", "none"),
    *("-semihosting-config", "enable=on,target=native", "-kernel"),
)
"""The command that runs a program for Cortex-M4F, which comes last; its output and exit code are the program's."""
FIRMWARE_FLAGS = ("-Os", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics", "-fdata-sections")

needs_compiler = pytest.mark.skipif(
    shutil.which("gcc") is None or shutil.which("g++") is None, reason="gcc and g++ are not installed"
)
needs_arm = pytest.mark.skipif(
    shutil.which("arm-none-eabi-g++") is None, reason="arm-none-eabi-gcc is not installed: make system-packages"
)


def fixture(model: str) -> bytes:
    return (ARENA / f"{model}.tflite").read_bytes()


def random_golden(data: bytes, samples: int = 3) -> Golden:
    given, answer = ends(data)
    rng = np.random.default_rng(0)
    inputs, outputs = (rng.integers(-128, 128, (samples, end.elements), dtype=np.int8) for end in (given, answer))
    return Golden(inputs, outputs, "a random generator")


def made(model: str = "mn_tiny_c4_b1", name: str = "digits", **changes: Any) -> Firmware:
    """Firmware of a fixture, with any field of Firmware, Facts or Output changed."""
    data = changes.pop("tflite", None) or fixture(model)
    target = changes.pop("target", Target.load("nucleo_f401"))
    given, answer = ends(data)
    facts = {
        "layout": "image",
        "channels": given.shape[-1],
        "normalization": Normalization((0.0,), (1 / 255,), "uint8"),
    }
    facts |= {key: changes.pop(key) for key in list(changes) if key in Facts.__dataclass_fields__}
    output = {
        "kind": "classes",
        "class_names": NASTY if answer.elements == len(NASTY) else tuple(map(str, range(answer.elements))),
    }
    output |= {key: changes.pop(key) for key in list(changes) if key in Output.__dataclass_fields__}
    values: dict[str, Any] = {
        "name": name,
        "tflite": data,
        "output": Output(**output),  # type: ignore[arg-type]
        "facts": Facts(**facts),  # type: ignore[arg-type]
        "arena": arena_size(data, analyze(data, target), target),
        "golden": random_golden(data),
        "target": target,
        "offline_plan": False,
    }
    return Firmware(**(values | changes))


def written(folder: Path, firmware: Firmware, formats: Iterable[str] | None = None) -> dict[str, bytes]:
    """The files of the firmware, after writing them into the folder."""
    files = render(firmware) if formats is None else render(firmware, formats)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return files


def run(command: Sequence[str | Path], folder: Path, **options: Any) -> str:
    """Standard output of a command that must end with 0; its standard error is the message when it does not."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stderr}{done.stdout}"
    return done.stdout


LITE_TYPES = {"float32": 1, "uint8": 3, "int8": 9}


def classifier(shape: tuple[int, ...], scale: float, classes: int = 4) -> bytes:
    """A model of one dense layer, of which only the ends count."""
    weights, bias = constant((classes, int(np.prod(shape)))), integers(*range(classes))
    result = activation((1, classes), 1 / 256, -128)
    inputs = [activation(shape, scale, -128), weights, bias]
    return write(one_operator("FULLY_CONNECTED", inputs, result, {"keep_num_dims": False}))


def table(
    folder: Path,
    inputs: np.ndarray,
    outputs: np.ndarray,
    arena_bytes: int,
    more: tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]] = ((), ()),
) -> None:
    """Write the table that the stand-in for TFLM looks its answers up in, byte for byte.

    `more` are the inputs and outputs after the first.
    """
    ends = {"input": (inputs, *more[0]), "output": (outputs, *more[1])}
    lines = [
        "#include <stdint.h>",
        'extern "C" {',
        "extern const unsigned int table_rows, table_ends[2], table_arena_bytes;",
    ]
    for what, arrays in ends.items():
        rows = b"".join(np.ascontiguousarray(each[row]).tobytes() for row in range(len(inputs)) for each in arrays)
        values = (
            ("unsigned int", f"table_{what}_bytes", (each[0].nbytes for each in arrays)),
            ("int", f"table_{what}_types", (LITE_TYPES[each.dtype.name] for each in arrays)),
            ("uint8_t", f"table_{what}s", rows),
        )
        for kind, name, numbers in values:
            lines += [f"extern const {kind} {name}[];", f"const {kind} {name}[] = {{{', '.join(map(str, numbers))}}};"]
    lines += [
        f"const unsigned int table_rows = {len(inputs)}, table_arena_bytes = {arena_bytes};",
        f"const unsigned int table_ends[2] = {{{len(ends['input'])}, {len(ends['output'])}}};",
        "}",
    ]
    (folder / "table.cc").write_text("\n".join(lines) + "\n")


def program(folder: Path, name: str, *flags: str) -> Path:
    """The generated program, linked with the stand-in for TFLM and table.cc."""
    sources = ["main.cc", f"{name}.cc", f"{name}_test.cc", "table.cc", STUBS / "interpreter.cc"]
    run(["g++", "-std=c++17", *WARNINGS, f"-I{STUBS}", *flags, *sources, "-o", "program"], folder)
    return folder / "program"


def makefile(readme: Path) -> str:
    """The Makefile that the README of a firmware folder gives."""
    block = re.search(r"```make\n(.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    return block[1]


def has_newlib() -> bool:
    """Whether the Arm compiler has a C and a C++ library."""
    compiler = shutil.which("arm-none-eabi-g++")
    if compiler is None:
        return False
    text = b"#include <stdio.h>\n#include <cstdint>\n"
    return (
        subprocess.run([compiler, "-x", "c++", "-E", "-"], input=text, capture_output=True, check=False).returncode == 0
    )


def any_arena(bytes_: int) -> ArenaSize:
    return ArenaSize(bytes_, 0, {"cmsis_nn": bytes_}, "cmsis_nn")


def makefile_and_tree(folder: Path, golden: Golden) -> None:
    """The README's Makefile, and the stand-in as a TFLM tree of one source in each language."""
    tree = folder / "tree"
    shutil.copytree(STUBS, tree)
    third = tree / "third_party" / "cmsis_nn"
    third.mkdir(parents=True)
    table(third, golden.inputs, golden.outputs, 0)
    (tree / "interpreter.cc").rename(tree / "tensorflow" / "interpreter.cc")
    (third / "plain.c").write_text("int plain;\n")
    (third / "other.cpp").write_text("int other;\n")
    (folder / "Makefile").write_text(makefile(folder / "README.md"))


def emulated(folder: Path, golden: Golden) -> str:
    """What the program prints on an emulated Cortex-M4, built with the stand-in by the README's Makefile."""
    makefile_and_tree(folder, golden)
    for file in ("startup.c", "board.ld"):
        shutil.copy(BOARD / file, folder)
    run(["arm-none-eabi-gcc", *CORES["cortex-m4f"], "-c", "startup.c"], folder)
    run(["make", "TFLM=tree", "BOARD=startup.o", "LDFLAGS=--specs=nano.specs --specs=rdimon.specs -T board.ld"], folder)
    return run([*EMULATOR, "build/firmware.elf"], folder, timeout=60)


needs_emulator = pytest.mark.skipif(
    shutil.which("qemu-system-arm") is None or not has_newlib(), reason="qemu-system-arm and newlib are not installed"
)

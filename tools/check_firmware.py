"""Export models and hold the folders against compilers and TFLM: `python tools/check_firmware.py RUN_OR_MODEL ...`.

Every folder is compiled by gcc, g++ and arm-none-eabi-gcc (Cortex-M0+ and M4F) with warnings as errors, the size of
the array is read back from the objects, and the golden samples are run in TFLM once more. With `--tflm TREE`, a tree
that TFLM's create_tflm_tree.py made, the folder is also built with it by its README's Makefile, and its program run on
an emulated Cortex-M4 (qemu-system-arm); without it, the tests' stand-in for TFLM takes its place.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.export import firmware as shared
from tests.export.test_convert import golden
from tinynas import convert
from tinynas.tflite import tflm


def compiled(folder: Path, name: str, size: int) -> None:
    """Compile all sources by all compilers; AssertionError with the compiler's words for a warning or a wrong size."""
    hosted = () if shared.has_newlib() else ("-ffreestanding", f"-I{shared.STUBS / 'freestanding'}")
    stubs, cc = f"-I{shared.STUBS}", f"{name}.cc"
    shared.run(["gcc", "-x", "c", "-std=c11", *shared.WARNINGS, "-c", cc, "-o", "host.o"], folder)
    for source in ("main.cc", cc, f"{name}_test.cc"):
        shared.run(["g++", "-std=c++17", *shared.WARNINGS, stubs, "-c", source, "-o", "host.o"], folder)
        for flags in shared.CORES.values():
            options = (*shared.WARNINGS, *shared.FIRMWARE_FLAGS, *flags, *hosted, stubs)
            shared.run(["arm-none-eabi-g++", "-std=c++17", *options, "-c", source, "-o", f"{source}.o"], folder)
            if source == cc:
                found = shared.run(["arm-none-eabi-size", "-A", f"{cc}.o"], folder)
                assert f".rodata.{name}_tflite" in found
                read = next(int(line.split()[1]) for line in found.splitlines() if f".rodata.{name}_tflite " in line)
                assert read == size, f"{read} bytes of array, {size} claimed"


def emulated(folder: Path, name: str, tree: Path | None) -> str:
    """What the program says on the emulated Cortex-M4, its last line with the verdict of the self-test."""
    (folder / "Makefile").write_text(shared.makefile(folder / "README.md"))
    for file in ("startup.c", "board.ld"):
        shutil.copy(shared.BOARD / file, folder)
    if tree is None:
        tree = folder / "tree"
        shutil.copytree(shared.STUBS, tree)
        third = tree / "third_party" / "cmsis_nn"
        third.mkdir(parents=True)
        shared.table(third, *golden(folder, name), 0)
        (tree / "interpreter.cc").rename(tree / "tensorflow" / "interpreter.cc")
    shared.run(["arm-none-eabi-gcc", *shared.CORES["cortex-m4f"], "-c", "startup.c"], folder)
    command = [
        "make",
        f"TFLM={tree.resolve()}",
        "BOARD=startup.o",
        "LDFLAGS=--specs=nano.specs --specs=rdimon.specs -T board.ld",
    ]
    shared.run(command, folder)
    said = shared.run([*shared.EMULATOR, "build/firmware.elf"], folder, timeout=600)
    return next(line for line in said.splitlines() if "self-test" in line)


def main() -> None:
    """Check every model that the command line names; the first failure ends it with the compiler's words."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", type=Path, help="run folders and .tflite files")
    parser.add_argument("--tflm", type=Path, help="a TFLM tree")
    arguments = parser.parse_args()
    for source in arguments.sources:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "fw"
            made = convert(source, out=folder, name="net")
            data = (folder / "net.tflite").read_bytes()
            compiled(folder, "net", len(data))
            inputs, outputs = golden(folder, "net")
            assert (tflm.run(data, inputs) == outputs).all(), "TFLM does not give the golden outputs"
            answers = len(np.unique(outputs, axis=0))
            verdict = emulated(folder, "net", arguments.tflm) if shutil.which("qemu-system-arm") else "no emulator"
            print(
                f"{source}: {len(made.files)} files, array {len(data):,} B read back, arena {made.arena.minimum:,} + "
                f"{made.arena.margin:,} B, {answers} different answers in {len(inputs)} samples; {verdict}"
            )


if __name__ == "__main__":
    main()

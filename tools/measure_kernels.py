"""What the engine's kernels take of Flash and stack: `python tools/measure_kernels.py` writes kernels/measured.json.

All kernels are compiled at once by arm-none-eabi-gcc for a Cortex-M4F, as generated code has them. A program with few
of them may be some bytes smaller, where a function that only one of them calls becomes part of it.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from boards import BOARDS

from tinynas.engine.figures import MEASURED, measured
from tinynas.engine.library import KERNELS, Call
from tinynas.engine.text import PRAGMA, Switches, kernel_text

STRUCTS = sorted({kernel.struct for kernel in KERNELS.values()} | {"tn_stage"})


def measure() -> dict[str, object]:
    """Compiler, bytes of each function, bytes of its stack frame, and bytes of each struct."""
    functions = [kernel.function for kernel in KERNELS.values()]
    taken = ", ".join(f"(void *){name}" for name in (*functions, "tn_stream"))
    uses = f"void *const taken[] = {{{taken}}};\n"
    sizes = "".join(f"const char size_{name}[sizeof({name})] = {{1}};\n" for name in STRUCTS)
    text = f"#include <stdint.h>\n#include <limits.h>\n{PRAGMA}\n#define TN_LAYER_HOOK(i) ((void)0)\n"
    calls = [Call(name, "", [], 1, 0, ("stretches.h", "wide_channels.h", "exp.h")) for name in functions]
    text += kernel_text(calls, Switches(), True) + uses + sizes
    flags = [*BOARDS["Cortex-M4F"].flags, "-std=c99", "-Os", "-fstack-usage", "-c", "all.c", "-o", "all.o"]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "all.c").write_text(text)
        subprocess.run(["arm-none-eabi-gcc", *flags], cwd=folder, check=True)
        listed = subprocess.run(["arm-none-eabi-nm", "-S", "all.o"], cwd=folder, check=True, capture_output=True)
        symbols = {
            name.split(".")[0]: int(size, 16)
            for _, size, _, name in (
                line.split() for line in listed.stdout.decode().splitlines() if len(line.split()) == 4
            )
        }
        frames = {}
        for line in (Path(folder) / "all.su").read_text().splitlines():
            where, size, _ = line.split("\t")
            frames[where.split(":")[-1].split(".")[0]] = int(size)
        listing = subprocess.run(["arm-none-eabi-objdump", "-d", "all.o"], cwd=folder, check=True, capture_output=True)
        frames |= naked_frames(listing.stdout.decode(), [name for name in symbols if frames.get(name) == 0])
    version = subprocess.run(["arm-none-eabi-gcc", "--version"], check=True, capture_output=True, text=True).stdout
    found = re.search(r"\d+\.\d+\.\d+", version)
    return {
        "compiler": f"arm-none-eabi-gcc {found[0] if found else '?'}",
        "functions": {name: symbols[name] for name in sorted(symbols) if name.startswith("tn_")},
        "frames": {name: frames[name] for name in sorted(frames) if name.startswith("tn_")},
        "structs": {name: symbols[f"size_{name}"] for name in STRUCTS},
    }


def naked_frames(listing: str, names: list[str]) -> dict[str, int]:
    """The frames of functions that are assembler alone, of which the compiler knows nothing: what they push and set
    aside."""
    found = {}
    for name in names:
        body = listing.split(f"<{name}>:")[1].split("\n\n")[0]
        pushed = re.search(r"(?:push|stmdb\s+sp!,)\s*\{(.*?)\}", body)
        aside = re.search(r"sub(?:\.w)?\s+sp, (?:sp, )?#(\d+)", body)
        found[name] = (4 * len(pushed[1].split(",")) if pushed else 0) + (int(aside[1]) if aside else 0)
    return found


def write(found: dict[str, object]) -> None:
    """kernels/measured.json anew, a list a line."""
    text = json.dumps(found, indent=1)
    MEASURED.write_text(re.sub(r"\[[^\]]*\]", lambda each: " ".join(each[0].split()), text) + "\n")


if __name__ == "__main__":
    write({**measured(), **measure()})
    print(MEASURED)

"""Engines on emulated boards: linked alone, run by qemu-system-arm, their instructions counted exactly.

With -icount shift=0 the emulator's clock goes a nanosecond an instruction, so that a timer of the board counts them.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).parents[2]))

from tinynas.engine import Engine

Int8s = npt.NDArray[np.int8]
START = Path(__file__).with_name("start.c")
STACK_BYTES = 2048


@dataclass(frozen=True)
class Board:
    """An emulated board: qemu's name for it, the compiler's flags, where Flash and RAM lie, and its timer."""

    machine: str
    flags: tuple[str, ...]
    flash: tuple[int, int]
    ram: tuple[int, int]
    instructions_a_tick: float
    timer: str


_THUMB = ("-mthumb",)
_FPU = ("-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")
_CMSDK = "-DCMSDK_TIMER=0x40000000"
_MPS2 = (0, 4 << 20), (0x20000000, 4 << 20), 40, _CMSDK
BOARDS: Mapping[str, Board] = {
    "Cortex-M0": Board(
        "microbit", ("-mcpu=cortex-m0", *_THUMB), (0, 256 << 10), (0x20000000, 16 << 10), 62.5, "-DSYSTICK"
    ),
    "Cortex-M3": Board("mps2-an385", ("-mcpu=cortex-m3", *_THUMB), *_MPS2),
    "Cortex-M4F": Board("mps2-an386", ("-mcpu=cortex-m4", *_THUMB, *_FPU), *_MPS2),
    "Cortex-M7": Board("mps2-an500", ("-mcpu=cortex-m7", *_THUMB), *_MPS2),
    "Cortex-M33": Board(
        "mps2-an505",
        ("-mcpu=cortex-m33", *_THUMB),
        (0x10000000, 4 << 20),
        (0x38000000, 4 << 20),
        50,
        "-DCMSDK_TIMER=0x50000000",
    ),
}


DECLARATIONS = """void board_print(const char *text);
void board_number(uint32_t value);
void board_start(void);
uint32_t board_ticks(void);
void board_paint(uint32_t bytes);
uint32_t board_stack_used(uint32_t bytes);
"""  # of what start.c has
_MEMORY = """
#include <stddef.h>
void *memmove(void *to, const void *from, size_t n) {
  char *p = to;
  const char *q = from;
  if (p <= q) {
    while (n--) *p++ = *q++;
  } else {
    while (n--) p[n] = q[n];
  }
  return to;
}
"""


@dataclass(frozen=True)
class Report:
    """What a board said: outputs (n, values); the hash of each call's result where it is whole, 0 where not;
    instructions of one run and of each layer, stack of a run in bytes; and bytes of Flash: code with its tables, and
    constants."""

    outputs: Int8s
    hashes: tuple[int, ...]
    instructions: int
    layers: tuple[int, ...]
    stack_bytes: int
    code_bytes: int
    constant_bytes: int


def available() -> bool:
    """Whether the Arm compiler and the emulator are there."""
    return all(shutil.which(tool) for tool in ("arm-none-eabi-gcc", "qemu-system-arm"))


def run(engine: Engine, inputs: Int8s, board: Board, folder: Path, optimize: str = "-Os", foreign: str = "") -> Report:
    """The engine on `board` with `inputs` (n, bytes); its files are written into `folder`. `foreign` is C: the
    functions that run its foreign layers."""
    written = {**engine.files("net"), "main.c": (_main(engine, inputs) + foreign).encode()}
    for name, text in written.items():
        (folder / name).write_bytes(text)
    (folder / "board.ld").write_text(_linker_script(board))
    flags = [*board.flags, "-ffreestanding", "-ffunction-sections", "-fdata-sections", optimize]
    hook = "-DNET_LAYER_HOOK(i)=board_layer(i)"
    early = ["-include", "hook.h"]
    (folder / "hook.h").write_text("void board_layer(int layer);\n")
    _call(["arm-none-eabi-gcc", *flags, "-std=c99", hook, *early, "-c", "net_engine.c", "-o", "engine.o"], folder)
    _call(["arm-none-eabi-gcc", *flags, "-std=c99", "-c", "net_weights.c", "-o", "weights.o"], folder)
    _call(["arm-none-eabi-gcc", *flags, board.timer, "-std=gnu99", "-c", "main.c", "-o", "main.o"], folder)
    said = _emulated(folder, board, flags, ["main.o", "engine.o", "weights.o"])
    return _report(engine, said, board, _size(folder, "engine.o"), _size(folder, "weights.o"))


def run_program(sources: Mapping[str, str], board: Board, folder: Path, flags: Sequence[str] = ("-Os",)) -> str:
    """What a program of C99 `sources` by name prints on `board`; `flags` are the compiler's, beside the board's.

    It may call what start.c has: board_print(), board_number(), board_start() and board_ticks(); memcpy, memset and
    memmove are there too.
    """
    every = {**sources, "memory.c": _MEMORY}
    for name, text in every.items():
        (folder / name).write_text(text)
    (folder / "board.ld").write_text(_linker_script(board))
    all_flags = [*board.flags, "-ffreestanding", "-ffunction-sections", "-fdata-sections", *flags]
    names = [name for name in every if name.endswith(".c")]
    keep = "-fno-tree-loop-distribute-patterns"  # memset is not to call itself
    _call(["arm-none-eabi-gcc", *all_flags, keep, board.timer, "-std=gnu99", "-I.", "-c", *names], folder)
    return _emulated(folder, board, all_flags, [name.removesuffix(".c") + ".o" for name in names])


def _emulated(folder: Path, board: Board, flags: Sequence[str], objects: Sequence[str]) -> str:
    """What the program of `objects` and the board's start-up code prints."""
    keep = ["-fno-tree-loop-distribute-patterns"]
    _call(["arm-none-eabi-gcc", *flags, *keep, board.timer, "-std=gnu99", "-c", START, "-o", "start.o"], folder)
    link = ["-nostdlib", "-T", "board.ld", "-Wl,--gc-sections,-Map=program.map", "start.o", *objects, "-lm", "-lgcc"]
    _call(["arm-none-eabi-gcc", *board.flags, *link, "-o", "program.elf"], folder)
    return _call(
        [
            *("qemu-system-arm", "-M", board.machine, "-nographic", "-monitor", "none", "-serial", "none"),
            *("-icount", "shift=0", "-semihosting-config", "enable=on,target=native", "-kernel", "program.elf"),
        ],
        folder,
    )


@contextmanager
def serial(folder: Path, board: Board, optimize: str = "-Os") -> Iterator[str]:
    """The path of the serial line of an emulated board that runs the benchmark of the engine's files in `folder`, which
    are called net; it is a pseudo-terminal, and gone afterwards. The board is one with a CMSDK timer."""
    (folder / "board.ld").write_text(_linker_script(board))
    base = int(board.timer.partition("=")[2], 16)
    here = [f"-DCMSDK_UART={base + 0x4000:#x}", f"-DTICKS_A_MICROSECOND={round(1000 / board.instructions_a_tick)}"]
    flags = [*board.flags, "-std=gnu99", "-ffreestanding", "-ffunction-sections", "-fdata-sections", optimize]
    bench = ["-DTINYNAS_BENCH", "-DTINYNAS_BENCH_PORT", "-fno-tree-loop-distribute-patterns", "-I.", board.timer, *here]
    parts = ["net_engine.c", "net_weights.c", "net_test.c", "net_bench.c", Path(__file__).with_name("serial.c"), START]
    link = ["-nostdlib", "-T", "board.ld", "-Wl,--gc-sections", "-lgcc", "-o", "bench.elf"]
    _call(["arm-none-eabi-gcc", *flags, *bench, *parts, *link], folder)
    command = ["qemu-system-arm", "-M", board.machine, "-nographic", "-monitor", "none", "-serial", "pty"]
    command += ["-icount", "shift=0", "-kernel", "bench.elf"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as emulator:
        try:
            said = emulator.stdout.readline() if emulator.stdout else ""
            found = re.search(r"/dev/\S+", said)
            if found is None:
                raise RuntimeError(f"the emulator named no line: {said}")
            yield found[0]
        finally:
            emulator.kill()


def linked_bytes(engine: Engine, board: Board, folder: Path, optimize: str = "-Os") -> int:
    """What the engine adds to the Flash of a linked program, constants with it: a program that runs it less one that
    has the same memory and does nothing."""
    memory = f"int32_t memory[{-(-engine.memory_bytes // 4)}];\n"
    run = "net_input(memory)[0] = 1; net_run(memory); return net_output(memory)[0];"
    mains = {
        "with.c": f'#include "net_engine.h"\n{memory}int main(void) {{ {run} }}\n',
        "without.c": f"#include <stdint.h>\n{memory}int main(void) {{ return ((volatile int8_t *)memory)[0]; }}\n",
    }
    for name, text in {**engine.files("net"), **{name: text.encode() for name, text in mains.items()}}.items():
        (folder / name).write_bytes(text)
    (folder / "board.ld").write_text(_linker_script(board))
    flags = [*board.flags, "-std=gnu99", "-ffreestanding", "-ffunction-sections", "-fdata-sections", optimize]
    link = ["-nostdlib", "-T", "board.ld", "-Wl,--gc-sections", "-lgcc", board.timer, "-o", "program.elf"]
    sizes = []
    for sources in (["with.c", "net_engine.c", "net_weights.c"], ["without.c"]):
        _call(["arm-none-eabi-gcc", *flags, *sources, START, *link], folder)
        sizes.append(_size(folder, "program.elf"))
    return sizes[0] - sizes[1]


def hash_of(values: Int8s) -> int:
    """FNV-1a of the bytes, 32 bits: what the board prints of a layer's result."""
    found = 2166136261
    for byte in values.tobytes():
        found = (found ^ byte) * 16777619 % 2**32
    return found


def whole_results(engine: Engine) -> list[tuple[int, int]]:
    """(offset, bytes) of each call's result, no bytes where it is not whole in one place when the call ends."""
    net, plan, found = engine.net, engine.plan, []
    for call in engine.calls:
        number = net.layers[call.layer].output
        is_whole = call.layer >= plan.streamed and number not in plan.parts and call.function != "tn_copy"
        found.append((plan.offsets[number], net.values[number].bytes if is_whole else 0))
    return found


def _size(folder: Path, name: str) -> int:
    """Bytes of Flash of an object file."""
    text, data = _call(["arm-none-eabi-size", name], folder).splitlines()[1].split()[:2]
    return int(text) + int(data)


def _call(command: Sequence[str | Path], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stderr[-3000:]}{done.stdout[-3000:]}")
    return done.stdout + done.stderr


def _report(engine: Engine, said: str, board: Board, code: int, constants: int) -> Report:
    words = dict(line.split(" ", 1) for line in said.splitlines() if " " in line)
    outputs = np.array([int(value) for value in words["outputs"].split()], np.int64)
    layers = [round(int(value) * board.instructions_a_tick) for value in words["layers"].split()]
    size = engine.net.values[engine.net.output].bytes
    return Report(
        (outputs - 128).astype(np.int8).reshape(-1, size),
        tuple(int(value) for value in words["hashes"].split()),
        round(int(words["ticks"]) * board.instructions_a_tick),
        tuple(layers),
        int(words["stack"]),
        code,
        constants,
    )


def _linker_script(board: Board) -> str:
    return f"""MEMORY {{
  FLASH (rx) : ORIGIN = {board.flash[0]:#x}, LENGTH = {board.flash[1]}
  RAM (rwx) : ORIGIN = {board.ram[0]:#x}, LENGTH = {board.ram[1]}
}}
SECTIONS {{
  .text : {{ KEEP(*(.vectors)) *(.text*) *(.rodata*) . = ALIGN(4); }} > FLASH
  board_data_source = LOADADDR(.data);
  .data : {{ board_data = .; *(.data*) . = ALIGN(4); board_data_end = .; }} > RAM AT> FLASH
  .bss : {{ board_bss = .; *(.bss*) *(COMMON) . = ALIGN(4); board_bss_end = .; }} > RAM
  board_stack = ORIGIN(RAM) + LENGTH(RAM);
}}
"""


def _main(engine: Engine, inputs: Int8s) -> str:
    """A program that runs the engine twice on each input: for its outputs, then on the last for its figures."""
    rows = ",\n".join("{" + ",".join(map(str, row.tolist())) + "}" for row in inputs)
    n_layers = len(engine.calls)
    places = ", ".join(f"{{{at}, {size}}}" for at, size in whole_results(engine))
    return f"""
#include "net_engine.h"
{DECLARATIONS}static const int8_t inputs[{len(inputs)}][NET_ENGINE_INPUT_BYTES] = {{{rows}}};
static int32_t memory[(NET_ENGINE_BYTES + 3) / 4];
static uint32_t layers[{n_layers}], before;
static uint32_t hashes[{n_layers}];
static const uint32_t places[{n_layers}][2] = {{{places}}};
static int is_timed;
static void hash(int layer) {{
  const uint8_t *byte = (const uint8_t *)memory + places[layer][0];
  uint32_t i, found = 2166136261u;
  for (i = 0; i < places[layer][1]; i++) found = (found ^ byte[i]) * 16777619u;
  hashes[layer] = places[layer][1] ? found : 0;
}}
void board_layer(int layer) {{
  if (!is_timed) hash(layer);
  {{
  const uint32_t now = is_timed ? board_ticks() : 0;
  layers[layer] += now - before;
  before = now;
  }}
}}
static void fill(int k) {{
  int8_t *to = net_input(memory);
  uint32_t i;
  for (i = 0; i < NET_ENGINE_INPUT_BYTES; i++) to[i] = inputs[k][i];
}}
int main(void) {{
  uint32_t ticks, stack;
  int i, k;
  board_print("outputs");
  for (k = 0; k < {len(inputs)}; k++) {{
    fill(k);
    net_run(memory);
    for (i = 0; i < NET_ENGINE_OUTPUT_BYTES; i++) {{
      board_print(" ");
      board_number((uint32_t)(net_output(memory)[i] + 128));
    }}
  }}
  fill({len(inputs) - 1});
  board_paint({STACK_BYTES});
  net_run(memory);
  stack = board_stack_used({STACK_BYTES});
  fill({len(inputs) - 1});
  for (i = 0; i < {n_layers}; i++) layers[i] = 0;
  is_timed = 1;
  before = 0;
  board_start();
  net_run(memory);
  ticks = board_ticks();
  board_print("\\nhashes");
  for (i = 0; i < {n_layers}; i++) {{
    board_print(" ");
    board_number(hashes[i]);
  }}
  board_print("\\nlayers");
  for (i = 0; i < {n_layers}; i++) {{
    board_print(" ");
    board_number(layers[i]);
  }}
  board_print("\\nticks ");
  board_number(ticks);
  board_print("\\nstack ");
  board_number(stack);
  board_print("\\n");
  return 0;
}}
"""

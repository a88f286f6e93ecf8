"""What the tests of this room share: inputs that reach far, and many engines compiled into one program."""

import subprocess
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tinynas.engine import Engine
from tinynas.engine.net import Net
from tinynas.engine.schedule import wanted_stages
from tinynas.engine.text import kernel_text, layer_text, run_text
from tinynas.tflite import tflm

Int8s = npt.NDArray[np.int8]
WARNINGS = (
    *("-Wall", "-Wextra", "-Werror", "-pedantic", "-Wconversion", "-Wsign-conversion"),
    *("-Wshadow", "-Wcast-align", "-Wvla", "-Wundef"),
)
needs_wheel = pytest.mark.skipif(not tflm.available(), reason="the tflite_micro wheel exists for Linux on x86-64 alone")

_MAIN = """
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
typedef struct { void (*run)(void *); unsigned long bytes, in, in_bytes, out, out_bytes; } model;
%s
/* Each input in fresh memory of exactly the engine's bytes, full of rubbish; every second one twice in a row. */
static void go(const model *m, unsigned long samples) {
  unsigned long n;
  for (n = 0; n < samples; n++) {
    char *memory = (char *)malloc(m->bytes);
    char *input = (char *)malloc(m->in_bytes);
    unsigned long times;
    memset(memory, 0xA5, m->bytes);
    if (fread(input, 1, m->in_bytes, stdin) != m->in_bytes) exit(2);
    for (times = n %% 2 + 1; times > 0; times--) {
      memcpy(memory + m->in, input, m->in_bytes);
      m->run(memory);
    }
    fwrite(memory + m->out, 1, m->out_bytes, stdout);
    free(memory);
    free(input);
  }
}
int main(void) {
  static const model models[] = {%s};
  unsigned long k;
  for (k = 0; k < sizeof models / sizeof models[0]; k++) go(&models[k], %d);
  return 0;
}
"""


def samples(net: Net, n: int, seed: int = 0) -> Int8s:
    """n inputs (n, bytes): uniform, narrow around 0 and around any value, extremes, the zero point, one value in it."""
    rng, size, zero = np.random.default_rng(seed), net.values[net.input].bytes, net.values[net.input].zero
    kinds = [
        lambda: rng.integers(-128, 128, size),
        lambda: np.clip(rng.normal(0, 40, size), -128, 127),
        lambda: np.clip(rng.integers(-128, 128) + rng.integers(-20, 21, size), -128, 127),
        lambda: rng.choice([-128, 127], size),
        lambda: np.full(size, zero),
        lambda: np.where(np.arange(size) == rng.integers(size), 127, zero),
    ]
    return np.stack([kinds[k % len(kinds)]() for k in range(n)]).astype(np.int8)


def shaped(engine: Engine, inputs: Int8s) -> Int8s:
    """The inputs (n, bytes) in the model's shape."""
    return inputs.reshape(len(inputs), *engine.net.values[engine.net.input].shape)


def sources(engines: Sequence[Engine], n_samples: int) -> dict[str, str]:
    """A program of many engines: a file for each setting of the kernels' switches, and one that runs them all."""
    order = sorted(range(len(engines)), key=lambda k: engines[k].switches)
    files = {}
    for switches, group in groupby(order, key=lambda k: engines[k].switches):
        numbers = list(group)
        calls = [call for k in numbers for call in engines[k].calls]
        streamed = any(engines[k].stages for k in numbers)
        pieces = ["#include <stdint.h>", "#include <limits.h>", "#define TN_LAYER_HOOK(i) ((void)0)"]
        pieces.append(kernel_text(calls, switches, streamed))
        for k in numbers:
            engine, name = engines[k], f"m{k}"
            structs, constants = layer_text(name, engine.calls)
            wanted = wanted_stages(engine.net, engine.plan.streamed)
            pieces += [
                f"#define M{k}_CODE",
                f"#define M{k}_WEIGHTS",
                f"#define M{k}_ALIGNED",
                f"#define M{k}_LAYER_HOOK(i) ((void)0)",
                constants,
                structs,
            ]
            pieces += [f"void {name}_run(void *memory);", run_text(name, engine.calls, engine.stages, wanted)]
        files[f"models{len(files)}.c"] = "\n".join(pieces) + "\n"
    externs = "\n".join(f"void m{k}_run(void *memory);" for k in range(len(engines)))
    rows = ", ".join(_row(k, engine) for k, engine in enumerate(engines))
    return {**files, "main.c": _MAIN % (externs, rows, n_samples)}


def _row(number: int, engine: Engine) -> str:
    net, plan = engine.net, engine.plan
    given, made = net.input, net.output
    figures = [plan.bytes, plan.offsets[given], net.values[given].bytes, plan.offsets[made], net.values[made].bytes]
    return f"{{m{number}_run, {', '.join(map(str, figures))}}}"


def program(folder: Path, engines: Sequence[Engine], n_samples: int, *command: str) -> Path:
    """The engines as one program, compiled by `command` (compiler and flags)."""
    files = sources(engines, n_samples)
    for name, text in files.items():
        (folder / name).write_text(text)
    done = subprocess.run([*command, *files, "-o", "program"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return folder / "program"


def answers(binary: Path, engines: Sequence[Engine], inputs: Sequence[Int8s], *runner: str) -> list[Int8s]:
    """What the program says: for each engine the outputs (n, values) of its inputs (n, bytes)."""
    given = b"".join(each.tobytes() for each in inputs)
    done = subprocess.run([*runner, str(binary)], input=given, capture_output=True, check=False, timeout=1200)
    assert done.returncode == 0, done.stderr[-4000:].decode(errors="replace")
    found, at = [], 0
    for engine, each in zip(engines, inputs, strict=True):
        size = engine.net.values[engine.net.output].bytes * len(each)
        found.append(np.frombuffer(done.stdout, np.int8, size, at).reshape(len(each), -1))
        at += size
    assert at == len(done.stdout)
    return found


def differences(found: Sequence[Int8s], wanted: Sequence[Int8s], names: Sequence[str]) -> dict[str, int]:
    """How many outputs of each model differ, for those that differ."""
    pairs = zip(names, found, wanted, strict=True)
    counts = {name: int((one.reshape(-1) != two.reshape(-1)).sum()) for name, one, two in pairs}
    return {name: count for name, count in counts.items() if count}

"""What the C of features and streams takes: `python tools/fit_front_end.py` measures it, `--write` keeps it.

Flash: programs that run NAME_features.c and NAME_stream.c as NAME_stream.h says, linked by arm-none-eabi-gcc -Os with
--gc-sections and newlib-nano for a Cortex-M4, less the same program without them, and less the tables of constants,
which are known to the byte. The program that they are held against calls memcpy, memmove and memset, and computes with
doubles, as TFLM's does; `doubles` is what a program without them takes more.
Instructions: of a frame, a step and a window, counted on an emulated Cortex-M4F from code for a Cortex-M4F, for one
without a floating-point unit, and for a Cortex-M0+; held against the turns of the loops (hardware/front_counts.py) by
least squares of the relative errors, no cost below 0. The sound is the noise of the self-test, of all levels.

Prints the figures and their errors: of Flash the furthest that a program is off, of instructions the furthest of
configurations that the fit has not seen (each left out in turn).
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import nnls

sys.path.insert(0, str(Path(__file__).parents[1]))

from boards import BOARDS, run_program

from tests.export.firmware import classifier, made
from tests.features.configurations import configurations, with_noise
from tinynas.data import Normalization
from tinynas.export.render import Firmware, render
from tinynas.export.stream import stream_of
from tinynas.features import IntLogMel, MelFeatures, SoundFeatures, Spectral
from tinynas.features.stream import Stream
from tinynas.hardware.front_counts import kind_of, tables_bytes, turns_of_option, turns_of_push, turns_of_window
from tinynas.hardware.front_end import COSTS

M4F = BOARDS["Cortex-M4F"]
OPTIONS = "noise", "pcan"  # of int_log_mel, the second beside the first
FLAGS = {
    "Cortex-M4F": M4F.flags,
    "Cortex-M4": ("-mcpu=cortex-m4", "-mthumb"),
    "Cortex-M0+": ("-mcpu=cortex-m0plus", "-mthumb"),
}
BASE = """
#include <string.h>
volatile double number = 3;
volatile float real = 1;
volatile int n = 3;
volatile char bytes[8];
%s
int main(void) {
  memset((char *)bytes, n, 4);
  memcpy((char *)bytes, (const char *)bytes + 4, (unsigned)n);
  memmove((char *)bytes, (const char *)bytes + 1, (unsigned)n);
  %s
  %s
  return 0;
}
"""
DOUBLES = "number = (number + real) * number - (double)(int)real; real = (float)number; real += number > 1.0;"
_OF_SOUND = """
static net_stream stream;
static int16_t samples[NET_FEATURES_HOP];
static int8_t input[NET_FEATURES_FRAMES * NET_FEATURES_BANDS], output[NET_STREAM_CLASSES];
#define PUSH net_stream_push(&stream, samples, NET_FEATURES_HOP)
"""
_OF_STEPS = """
static net_stream stream;
static float samples[NET_STREAM_CHANNELS];
static int8_t input[%s], output[NET_STREAM_CLASSES];
#define PUSH net_stream_push(&stream, samples)
"""
USES = {
    "int_log_mel": _OF_SOUND,
    "log_mel": _OF_SOUND,
    "steps": _OF_STEPS % "NET_STREAM_STEPS * NET_STREAM_CHANNELS",
    "spectral": _OF_STEPS % "NET_FEATURES_VALUES * NET_FEATURES_CHANNELS",
}
CALLS = """
  net_stream_reset(&stream);
  for (;;) {
    if (PUSH) {
      net_stream_window(&stream, input);
      n = net_stream_result(&stream, output);
    }
  }
"""
COUNTED = """
#include "net_stream.h"
#include <string.h>
void board_print(const char *text);
void board_number(uint32_t value);
void board_start(void);
uint32_t board_ticks(void);
%s
volatile int found;
static int error_number;
int *__errno(void) { return &error_number; }
static void say(uint32_t spent, uint32_t times) {
  board_number(spent);
  board_print(" ");
  board_number(times);
  board_print("\\n");
}
int main(void) {
  uint32_t spent = 0, window = 0, frames = 0, windows = 0, noise = 1, i;
  net_stream_reset(&stream);
  while (frames < %d) {
    int is_due;
    for (i = 0; i < sizeof samples / sizeof samples[0]; i++) {
      noise = noise * 1664525u + 1013904223u;
      samples[i] = %s;
    }
    board_start();
    is_due = PUSH;
    spent += board_ticks();
    frames++;
    if (!is_due) continue;
    for (i = 0; i < sizeof output; i++) output[i] = (int8_t)((noise = noise * 1664525u + 1013904223u) >> 24);
    board_start();
    net_stream_window(&stream, input);
    found = net_stream_result(&stream, output);
    window += board_ticks();
    windows++;
  }
  say(spent, frames);
  say(window, windows);
  return 0;
}
"""
SAMPLE = "(int16_t)((int32_t)(int16_t)(noise >> 16) / (int32_t)(1u << frames % 17))"
VALUE = "(float)(int32_t)noise * 1e-9f"


def firmwares() -> list[Firmware]:
    """Sound in whole numbers and in decibels, and series of steps, of many sizes."""
    usual = [IntLogMel.for_sound(rate, rate // 3) for rate in (8000, 16000, 16000, 22050, 44100)]
    usual[2] = replace(usual[2], n_mels=20)
    whole = [*usual, *(replace(each, noise=None) for each in configurations(10, 5))]
    floats = [MelFeatures.for_sound(rate, rate // 4) for rate in (4000, 8000, 16000, 22050, 44100)]
    floats += [replace(each, n_mels=each.n_mels // 2, hop=each.frame // 2) for each in floats[1:]]
    steps = [(50, 3), (128, 6), (200, 1), (30, 9), (100, 2), (60, 4), (20, 12), (400, 1)]
    rng = np.random.default_rng(0)
    return [
        *(sound(each, int(rng.integers(2, 13))) for each in (*whole, *floats)),
        *(series(length, channels, int(rng.integers(2, 13))) for length, channels in steps),
        *(spectral(length, channels, int(rng.integers(2, 13))) for length, channels in (*steps, (9, 3), (34, 4))),
    ]


def sound(features: SoundFeatures, classes: int) -> Firmware:
    """A model of such sound, of which only the ends count."""
    is_whole = isinstance(features, IntLogMel)
    normalization = Normalization((0.0,), (1 / 255,), "uint8") if is_whole else None
    normalization = normalization or Normalization((-80.0,), (1 / 65,), "float32")
    data = classifier((1, features.n_frames, features.n_mels, 1), 1 / 255, classes)
    return made(name="net", tflite=data, features=features, normalization=normalization, class_names=_names(classes))


def series(length: int, channels: int, classes: int) -> Firmware:
    """A model of steps of a sensor, of which only the ends count."""
    normalization = Normalization(tuple(range(channels)), (0.25,) * channels, "float32")
    data = classifier((1, length, 1, channels), 1 / 255, classes)
    names = tuple(f"c{i}" for i in range(channels))
    facts = {"layout": "series", "normalization": normalization, "names": names, "rate": 50.0}
    return made(name="net", tflite=data, class_names=_names(classes), **facts)


def spectral(length: int, channels: int, classes: int) -> Firmware:
    """A model of spectral features of such steps, of which only the ends count."""
    plain = Spectral.for_series(length, [-2.0] * channels, [2.0] * channels)
    noise = np.random.default_rng(0).integers(-32767, 32768, (20, length, channels)).astype(np.int16)
    features = plain.fitted(plain.values(noise))
    data = classifier((1, features.n_values, 1, channels), 1 / 255, classes)
    facts = {"layout": "series", "normalization": Normalization((0.0,), (1 / 255,), "uint8"), "rate": 50.0}
    return made(name="net", tflite=data, features=features, class_names=_names(classes), **facts)


def _names(classes: int) -> tuple[str, ...]:
    return tuple(f"class{i}" for i in range(classes))


def with_options(firmware: Firmware) -> tuple[Firmware, Firmware, Firmware]:
    """The same without noise reduction, with it, and with PCAN."""
    rng = np.random.default_rng(0)
    assert isinstance(firmware.features, IntLogMel)
    plain, noise, pcan = (with_noise(firmware.features, how, rng) for how in range(3))
    return tuple(replace(firmware, features=each) for each in (plain, noise, pcan))


def stream(firmware: Firmware) -> Stream:
    """Its stream, which each of these has."""
    found = stream_of(firmware.tflite, firmware.output, firmware.facts, firmware.features)
    assert found is not None
    return found


def flash(firmware: Firmware, with_doubles: bool = True) -> int:
    """What its features and stream add to the Flash of a linked program."""
    files = {name: data.decode() for name, data in render(firmware, ("stream",)).items()}
    doubles = DOUBLES if with_doubles else ""
    uses = USES[kind_of(firmware.features)]
    mains = {
        "without": BASE % ("", doubles, ""),
        "with": BASE % (f'#include "net_stream.h"\n{uses}', doubles, CALLS),
    }
    sizes = {}
    for which, main in mains.items():
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            for name, text in {**(files if which == "with" else {}), "main.c": main}.items():
                (place / name).write_text(text)
            sources = [path.name for path in place.glob("*.c")]
            flags = [*FLAGS["Cortex-M4F"], "-Os", "-std=c99", "-ffunction-sections", "-fdata-sections"]
            link = ["--specs=nano.specs", "--specs=nosys.specs", "-Wl,--gc-sections", "-Wl,--no-warnings"]
            link = [*link, "-lm", "-o", "p.elf"]
            subprocess.run(["arm-none-eabi-gcc", *flags, *sources, *link], cwd=place, check=True, capture_output=True)
            said = subprocess.run(["arm-none-eabi-size", "p.elf"], cwd=place, check=True, capture_output=True)
            text, data = said.stdout.decode().splitlines()[1].split()[:2]
            sizes[which] = int(text) + int(data)
    return sizes["with"] - sizes["without"]


def instructions(firmware: Firmware, core: str) -> tuple[float, float]:
    """(of a push of a hop or a step, of a window with its result) on an emulated board."""
    found, features = stream(firmware), firmware.features
    files = {name: data.decode() for name, data in render(firmware, ("stream",)).items()}
    of_steps = features is None or isinstance(features, Spectral)
    sample = VALUE if of_steps else SAMPLE
    pushes = 3000 if features is None else found.length + 3 * found.stride + 17
    main = COUNTED % (USES[kind_of(features)], pushes, sample)
    board = replace(M4F, flags=FLAGS[core])
    with tempfile.TemporaryDirectory() as folder:
        said = run_program({**files, "main.c": main}, board, Path(folder), ("-Os",))
    (spent, times), (window, windows) = (map(int, line.split()) for line in said.splitlines())
    # The first pushes of a stream of sound make no frame: as many as its overlap.
    if features is not None and not isinstance(features, Spectral):
        times -= max(0, -(-features.frame // features.hop) - 1)
    ticks = M4F.instructions_a_tick
    return spent * ticks / times, window * ticks / max(1, windows)


def fitted_flash(every: Sequence[Firmware]) -> dict[str, dict[str, float]]:
    """Code by kind: the middle of what programs have beside their tables, and how far the furthest is off."""
    rows: dict[str, list[tuple[int, int, int]]] = {}
    for firmware in every:
        tables = tables_bytes(firmware.features, stream(firmware))
        sizes = flash(firmware), flash(firmware, with_doubles=False)
        rows.setdefault(kind_of(firmware.features), []).append((sizes[0] - tables, sizes[1] - sizes[0], sizes[0]))
    found = {}
    for kind, sizes in rows.items():
        codes = [code for code, _, _ in sizes]
        code = round((min(codes) + max(codes)) / 2)
        error = max(abs(each - code) for each in codes) / min(codes)
        doubles = round(float(np.median([more for _, more, _ in sizes])))
        found[kind] = {"code": code, "doubles": doubles, "error": _rounded_up(error)}
        print(f"Flash of {kind}: code {min(codes)} to {max(codes)} B in {len(codes)} programs, doubles {doubles} B")
    return {**found, **_flash_of_options(every, found["int_log_mel"]["code"])}


def _flash_of_options(every: Sequence[Firmware], usual: int) -> dict[str, dict[str, float]]:
    """Code of noise reduction and PCAN: what a program with it has more; the error is of all the code."""
    codes = np.array(
        [
            [flash(each) - tables_bytes(each.features, stream(each)) for each in with_options(firmware)]
            for firmware in _whole(every)
        ]
    )
    found: dict[str, dict[str, float]] = {}
    for name, more in zip(OPTIONS, np.diff(codes).T, strict=True):
        code = round(float(more.min() + more.max()) / 2)
        found[name] = {"code": code, "error": _rounded_up(float(np.abs(more - code).max()) / usual)}
        print(f"Flash of {name}: code {more.min()} to {more.max()} B in {len(more)} programs")
    return found


def _whole(every: Sequence[Firmware]) -> list[Firmware]:
    return [firmware for firmware in every if isinstance(firmware.features, IntLogMel)][::2]


def fitted_instructions(every: Sequence[Firmware], core: str) -> dict[str, dict[str, Any]]:
    """Costs by kind, and of a window, with the furthest that one is off which the fit has not seen."""
    rows: dict[str, list[tuple[tuple[float, ...], float]]] = {}
    for firmware in every:
        if core == "Cortex-M4" and isinstance(firmware.features, IntLogMel):
            continue  # no floating point, so the same as with a unit for it
        found, features = stream(firmware), firmware.features
        push, window = instructions(firmware, core)
        rows.setdefault(kind_of(features), []).append((turns_of_push(features, found), push))
        name = "spectral_window" if isinstance(features, Spectral) else "window"
        rows.setdefault(name, []).append((turns_of_window(features, found), window))
    fits = {}
    for kind, each in rows.items():
        x, y = np.array([turns for turns, _ in each], float), np.array([taken for _, taken in each])
        off = []
        for left_out in range(len(y)):
            kept = np.arange(len(y)) != left_out
            off.append(abs(float(x[left_out] @ solved(x[kept], y[kept]) / y[left_out] - 1)))
        fits[kind] = {"costs": [round(float(cost), 3) for cost in solved(x, y)], "error": _rounded_up(max(off))}
        print(
            f"{core}, {kind}: {len(y)} counted, {y.min():,.0f} to {y.max():,.0f} instructions; off unseen "
            f"{100 * float(np.median(off)):.1f} % in the middle, {100 * max(off):.1f} % at most"
        )
    return fits if core == "Cortex-M4" else {**fits, **_instructions_of_options(every, core)}


def _instructions_of_options(every: Sequence[Firmware], core: str) -> dict[str, dict[str, Any]]:
    """Costs of noise reduction and PCAN: what a frame with it takes more; the error is of the whole frame."""
    firmwares = _whole(every)
    taken = np.array([[instructions(each, core)[0] for each in with_options(firmware)] for firmware in firmwares])
    x = np.array([turns_of_option(each.features) for each in firmwares if each.features is not None], float)
    fits = {}
    for number, name in enumerate(OPTIONS):
        more, whole = taken[:, number + 1] - taken[:, number], taken[:, number + 1]
        costs = solved(x, more)
        off = float(np.abs((x @ costs - more) / whole).max())
        fits[name] = {"costs": [round(float(cost), 3) for cost in costs], "error": _rounded_up(off)}
        print(
            f"{core}, {name}: {more.min():,.0f} to {more.max():,.0f} instructions more; off {100 * off:.1f} % of a "
            f"frame at most"
        )
    return fits


def solved(x: Any, y: Any) -> Any:
    """Costs of the turns (n, kinds), none below 0, that take y (n,): least squares of the relative errors."""
    scale = np.maximum(x.max(0), 1)
    return nnls(x / scale / y[:, None], np.ones(len(y)), maxiter=10000)[0] / scale


def _rounded_up(error: float) -> float:
    return float(np.ceil(100 * error) / 100)


def fit() -> dict[str, Any]:
    """All that front_end.json holds."""
    every = firmwares()
    said = subprocess.run(["arm-none-eabi-gcc", "-dumpfullversion"], check=True, capture_output=True, text=True)
    by_core: dict[str, Any] = {core: fitted_instructions(every, core) for core in FLAGS}
    by_core["Cortex-M4"] = {**by_core["Cortex-M4F"], **by_core["Cortex-M4"]}
    return {
        "compiler": f"arm-none-eabi-gcc {said.stdout.strip()}",
        "flash": fitted_flash(every),
        "instructions": by_core,
    }


def text_of(found: Mapping[str, Any]) -> str:
    """The file: a list a line."""
    text = json.dumps(found, indent=1)
    return re.sub(r"\[[^\]]*\]", lambda each: " ".join(each[0].split()), text) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write tinynas/hardware/front_end.json anew")
    options = parser.parse_args()
    made_of_it = fit()
    print(text_of(made_of_it))
    if options.write:
        COSTS.write_text(text_of(made_of_it), encoding="utf-8")

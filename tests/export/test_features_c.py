"""The features as C99: the bytes that NumPy makes, here and on emulated boards, whatever pieces the samples come in."""

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import boards
import numpy as np
import pytest

from tests.engine.host import WARNINGS
from tests.export.firmware import made, needs_compiler, run
from tests.features.configurations import clipped, configurations, frames_of, sound
from tinynas.data import Normalization
from tinynas.export.ends import quantized
from tinynas.export.features_c import AS_THEY_ARE, check_hash, check_sound, whole_values
from tinynas.export.render import render, rendered
from tinynas.features import IntLogMel, MelFeatures
from tinynas.hardware.front_counts import features_bytes, options_of
from tinynas.tflite import read

needs_board = pytest.mark.skipif(not boards.available(), reason="arm-none-eabi-gcc or qemu-system-arm is not there")
QUICK = 8
LEVELS = np.clip(np.round(np.arange(256) * 1.03) - 128, -128, 127).astype(np.int8)  # of a model with another scale

SHAPES = (
    IntLogMel.for_sound(100, 300),  # an FFT of 4
    IntLogMel(16000, 4000, 300, 700, 512, 20, 80, 7600),  # samples between two frames are in none
    IntLogMel.for_sound(16000, 3000),
)


def texts(features: Sequence[IntLogMel]) -> dict[str, str]:
    """The C of each, by the names f0, f1 and so on; the last has levels of its own."""
    found = {}
    for number, each in enumerate(features):
        levels = LEVELS if number == len(features) - 1 else AS_THEY_ARE
        values = {**whole_values(each, levels), "name": f"f{number}", "NAME": f"F{number}", "version": "test"}
        for end in ("h", "c"):
            found[f"f{number}_features.{end}"] = rendered(f"features.{end}", values).decode()
    return found


def hashes(features: Sequence[IntLogMel]) -> list[int]:
    return [check_hash(each, LEVELS if each is features[-1] else AS_THEY_ARE) for each in features]


HOST = r"""
#include <stdio.h>
%s
/* Reads the samples of each, in pieces of changing length, and writes every window that is ready. */
%s
int main(void) {
  %s
  return 0;
}
"""
_GO = r"""
static void go%(k)d(void) {
  static f%(k)d_features features;
  int16_t piece[F%(k)d_FEATURES_HOP];
  int8_t input[F%(k)d_FEATURES_FRAMES * F%(k)d_FEATURES_BANDS];
  uint32_t left = %(samples)d, n, length = 1;
  fprintf(stderr, "%%u ", (unsigned)f%(k)d_features_hash(&features));
  fprintf(stderr, "%%d %%u\n", f%(k)d_features_self_test(&features), (unsigned)sizeof features);
  while (left > 0) {
    length = (length * 7 + 3) %% F%(k)d_FEATURES_HOP + 1;
    n = length < left ? length : left;
    if (fread(piece, 2, n, stdin) != n) return;
    left -= n;
    if (f%(k)d_features_push(&features, piece, n) && f%(k)d_features_is_ready(&features)) {
      f%(k)d_features_window(&features, input);
      fwrite(input, 1, sizeof input, stdout);
    }
  }
}
"""


def check_host(features: Sequence[IntLogMel], folder: Path, *flags: str) -> None:
    """Windows, hashes and sizes of the compiled C are those of NumPy."""
    samples = [sound(each.clip + 3 * each.hop, seed) for seed, each in enumerate(features)]
    heads = "".join(f'#include "f{k}_features.h"\n' for k in range(len(features)))
    bodies = "".join(_GO % {"k": k, "samples": len(each)} for k, each in enumerate(samples))
    calls = " ".join(f"go{k}();" for k in range(len(features)))
    files = {**texts(features), "main.c": HOST % (heads, bodies, calls)}
    for name, text in files.items():
        (folder / name).write_text(text)
    run(["gcc", "-std=c99", *flags, *WARNINGS, *(name for name in files if name.endswith(".c")), "-o", "p"], folder)
    given = b"".join(each.tobytes() for each in samples)
    done = subprocess.run([folder / "p"], input=given, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:].decode()
    told = [f"{found} 0 {features_bytes(each)}" for found, each in zip(hashes(features), features, strict=True)]
    assert done.stderr.decode().splitlines() == told
    at = 0
    for number, (each, own) in enumerate(zip(features, samples, strict=True)):
        levels = LEVELS if number == len(features) - 1 else AS_THEY_ARE
        frames = levels[each.bytes_of(each.logs(clipped(frames_of(each, own))))]  # in a row: what a reset begins
        windows = np.lib.stride_tricks.sliding_window_view(frames, each.n_frames, axis=0)
        wanted = windows.swapaxes(1, 2).tobytes()
        assert done.stdout[at : at + len(wanted)] == wanted, each
        at += len(wanted)
    assert at == len(done.stdout)


@needs_compiler
def test_c_makes_the_windows_that_numpy_makes(tmp_path: Path) -> None:
    sanitizers = ("-O1", "-fsanitize=undefined,address", "-fno-sanitize-recover=all")
    check_host([*configurations(QUICK), *SHAPES], tmp_path, *sanitizers)


@needs_compiler
@pytest.mark.slow
def test_a_hundred_in_c(tmp_path: Path) -> None:
    check_host(configurations(100), tmp_path, "-O2")


FLOAT_MAIN = """
#include <stdio.h>
#include "digits_features.h"
int main(void) {
  static digits_features features;
  static int8_t window[DIGITS_FEATURES_FRAMES * DIGITS_FEATURES_BANDS];
  static int16_t piece[DIGITS_FEATURES_HOP];
  while (fread(piece, sizeof piece, 1, stdin) == 1) digits_features_push(&features, piece, DIGITS_FEATURES_HOP);
  if (!digits_features_is_ready(&features)) return 1;
  digits_features_window(&features, window);
  fprintf(stderr, "%u", (unsigned)sizeof features);
  return fwrite(window, sizeof window, 1, stdout) == 1 ? 0 : 1;
}
"""


@needs_compiler
def test_decibels_in_c_are_within_a_step(tmp_path: Path) -> None:
    features = MelFeatures.for_sound(16000, 16000 + 160)  # whole hops
    normalization = Normalization((-80.0,), (1 / 70,), "float32")
    firmware = made(features=features, normalization=normalization)
    for name, data in render(firmware, ("features",)).items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "main.c").write_text(FLOAT_MAIN)
    run(["gcc", "-std=c99", "-O2", *WARNINGS, "main.c", "digits_features.c", "-o", "p", "-lm"], tmp_path)
    samples = np.concatenate([sound(51 * features.hop // 6, seed) for seed in range(6)])
    done = subprocess.run([tmp_path / "p"], input=samples.tobytes(), capture_output=True, check=True)
    assert int(done.stderr) == features_bytes(features)
    last = (len(samples) - features.frame) // features.hop + 1 - features.n_frames
    clip = samples[last * features.hop :][: features.clip] / 32768
    source = read(firmware.tflite).tensors[read(firmware.tflite).inputs[0]]
    raw = features.apply(np.pad(clip, (0, features.clip - len(clip)))[None])
    wanted = quantized(normalization.apply(raw)[..., None], replace(source, shape=(1, *raw.shape[1:], 1)))
    apart = np.abs(np.frombuffer(done.stdout, np.int8).astype(int) - wanted.ravel())
    assert apart.max() <= 1
    assert apart.mean() < 0.002
    assert len(np.unique(wanted)) > 20


def board_program(features: Sequence[IntLogMel]) -> dict[str, str]:
    """A program that prints the hash of each; the structures share their memory."""
    heads = "".join(f'#include "f{k}_features.h"\n' for k in range(len(features)))
    union = " ".join(f"f{k}_features f{k};" for k in range(len(features)))
    calls = "\n".join(f'board_number(f{k}_features_hash(&one.f{k})); board_print("\\n");' for k in range(len(features)))
    main = (
        f"{heads}void board_print(const char *text);\nvoid board_number(uint32_t value);\n"
        f"static union {{ {union} }} one;\nint main(void) {{\n{calls}\nreturn 0;\n}}\n"
    )
    return {**texts(features), "main.c": main}


@needs_board
@pytest.mark.parametrize("board", ["Cortex-M0", "Cortex-M4F"])
def test_boards_make_the_features_that_numpy_makes(board: str, tmp_path: Path) -> None:
    small = [each for each in configurations(40, 1) if features_bytes(each) < 9000]
    features = [next(each for each in small if options_of(each) == how) for how in ((), ("noise",), ("noise", "pcan"))]
    said = boards.run_program(board_program(features), boards.BOARDS[board], tmp_path)
    assert list(map(int, said.split())) == hashes(features)


@needs_board
@pytest.mark.slow
@pytest.mark.parametrize("cpu", ["cortex-m0plus", "cortex-m4"])
def test_a_hundred_on_boards(cpu: str, tmp_path: Path) -> None:
    """Code of the M0+ runs on the emulated M4F as well, which has the memory for all of them."""
    board = boards.BOARDS["Cortex-M4F"]
    flags = (f"-mcpu={cpu}", "-mthumb") if cpu == "cortex-m0plus" else board.flags
    board = replace(board, flags=flags)
    features = configurations(100)
    said = boards.run_program(board_program(features), board, tmp_path)
    assert list(map(int, said.split())) == hashes(features)


def test_the_noise_of_the_self_test_has_all_levels() -> None:
    features = IntLogMel.for_sound(16000, 16000)
    noise = check_sound(features).reshape(-1, 320)
    assert noise.min() == -32768
    assert np.abs(noise[16]).max() <= 32768
    assert np.median(np.abs(noise[8])) < 200


@needs_compiler
def test_the_c_of_the_firmware_folder_is_for_c_and_cpp(tmp_path: Path) -> None:
    for name, data in render(made(features=IntLogMel.for_sound(16000, 9000)), ("features",)).items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "main.cc").write_text(
        '#include "digits_features.h"\nstatic digits_features f;\n'
        "int main() { return digits_features_self_test(&f); }\n"
    )
    run(["gcc", "-std=c99", *WARNINGS, "-c", "digits_features.c"], tmp_path)
    run(["g++", "-std=c++17", *WARNINGS, "main.cc", "digits_features.o", "-o", "p"], tmp_path)
    run([tmp_path / "p"], tmp_path)

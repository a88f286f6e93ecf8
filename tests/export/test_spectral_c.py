"""Spectral features as C99: the bytes that NumPy makes, here and on emulated boards."""

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import boards
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.host import WARNINGS
from tests.export.firmware import CORES, needs_compiler, run
from tests.features.spectral_sets import spectral, windows
from tinynas.export.features_c import AS_THEY_ARE, check_windows, spectral_hash, spectral_values
from tinynas.export.render import rendered
from tinynas.features import Spectral
from tinynas.hardware.front_counts import features_bytes

needs_board = pytest.mark.skipif(not boards.available(), reason="arm-none-eabi-gcc or qemu-system-arm is not there")
LEVELS = np.clip(np.round(np.arange(256) * 1.03) - 128, -128, 127).astype(np.int8)  # of a model with another scale
N = 18


def texts(features: Sequence[Spectral]) -> dict[str, str]:
    """The C of each, by the names f0, f1 and so on; the last has levels of its own."""
    found = {}
    for number, each in enumerate(features):
        levels = LEVELS if number == len(features) - 1 else AS_THEY_ARE
        names = {"name": f"f{number}", "NAME": f"F{number}", "version": "test", "rate": None}
        for end in ("h", "c"):
            text = rendered(f"features_spectral.{end}", {**spectral_values(each, levels), **names})
            found[f"f{number}_features.{end}"] = text.decode()
    return found


def hashes(features: Sequence[Spectral]) -> list[int]:
    return [spectral_hash(each, LEVELS if each is features[-1] else AS_THEY_ARE) for each in features]


GO = r"""
#include <stdio.h>
#include "f%(k)d_features.h"
void go%(k)d(void) {
  static f%(k)d_features features;
  float step[F%(k)d_FEATURES_CHANNELS];
  int8_t input[F%(k)d_FEATURES_VALUES * F%(k)d_FEATURES_CHANNELS];
  uint32_t i;
  fprintf(stderr, "%%u ", (unsigned)f%(k)d_features_hash(&features));
  fprintf(stderr, "%%d %%u\n", f%(k)d_features_self_test(&features), (unsigned)sizeof features);
  for (i = 0; i < %(n)d * F%(k)d_FEATURES_STEPS; i++) {
    if (fread(step, sizeof step, 1, stdin) != 1) return;
    if (f%(k)d_features_push(&features, step) && (i + 1) %% 7 == 0) {
      f%(k)d_features_window(&features, input);
      fwrite(input, 1, sizeof input, stdout);
    }
  }
}
"""


def check_host(features: Sequence[Spectral], folder: Path, *flags: str, n: int = N) -> None:
    """Windows of a stream of steps, hashes and sizes of the compiled C are those of NumPy."""
    given_ = [windows(each, n, seed).reshape(-1, each.channels) for seed, each in enumerate(features)]
    names = range(len(features))
    files = {**texts(features), **{f"go{k}.c": GO % {"k": k, "n": n} for k in names}}
    calls = " ".join(f"go{k}();" for k in names)
    files["main.c"] = "".join(f"void go{k}(void);\n" for k in names) + f"int main(void) {{ {calls} return 0; }}\n"
    for name, text in files.items():
        (folder / name).write_text(text)
    run(["gcc", "-std=c99", *flags, *WARNINGS, *(name for name in files if name.endswith(".c")), "-o", "p"], folder)
    done = subprocess.run(
        [folder / "p"], input=b"".join(each.tobytes() for each in given_), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:].decode()
    told = [f"{found} 0 {features_bytes(each)}" for found, each in zip(hashes(features), features, strict=True)]
    assert done.stderr.decode().splitlines() == told
    at = 0
    for number, (each, steps) in enumerate(zip(features, given_, strict=True)):
        levels = LEVELS if number == len(features) - 1 else AS_THEY_ARE
        every = np.lib.stride_tricks.sliding_window_view(steps, each.window, axis=0).swapaxes(1, 2)
        due = [i for i in range(len(steps)) if i + 1 >= each.window and (i + 1) % 7 == 0]
        wanted = levels[each.apply(every[np.array(due) - each.window + 1])]
        found = np.frombuffer(done.stdout[at : at + wanted.size], np.int8).reshape(wanted.shape)
        assert (found == wanted).all(), each
        assert len(np.unique(wanted)) > 2 * n
        at += wanted.size
    assert at == len(done.stdout)


@needs_compiler
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6))
def test_c_makes_the_bytes_that_numpy_makes(tmp_path: Path, seed: int) -> None:
    sanitizers = ("-O1", "-fsanitize=undefined,address", "-fno-sanitize-recover=all")
    check_host([spectral(seed), spectral(seed + 1)], tmp_path, *sanitizers)


@needs_compiler
@pytest.mark.slow
def test_a_hundred_in_c(tmp_path: Path) -> None:
    """With the instructions that make one rounding of a product and a sum, where the compiler may."""
    flags = ("-O1", "-march=native", "-ffp-contract=fast")
    check_host([spectral(seed) for seed in range(100)], tmp_path, *flags, n=6)


def board_program(features: Sequence[Spectral]) -> dict[str, str]:
    """A program that prints the hash of each, and what each makes of raw values; the structures share their memory."""
    heads = "".join(f'#include "f{k}_features.h"\n' for k in range(len(features)))
    union = " ".join(f"f{k}_features f{k};" for k in range(len(features)))
    calls = "\n".join(f'board_number(f{k}_features_hash(&one.f{k})); board_print("\\n");' for k in range(len(features)))
    raw = ", ".join(float(each).hex() + "f" for each in raw_values(features[0]))
    main = f"""{heads}void board_print(const char *text);
void board_number(uint32_t value);
static union {{ {union} }} one;
static const float raw[] = {{ {raw} }};
int main(void) {{
  unsigned i;
  {calls}
  for (i = 0; i < sizeof raw / sizeof raw[0]; i++) {{
    board_number((uint32_t)(f0_features_count(raw[i], 0) + 32768));
    board_print("\\n");
  }}
  return 0;
}}
"""
    return {**texts(features), "main.c": main}


def raw_values(features: Spectral) -> np.ndarray:
    """Raw values of channel 0 on and beside the halves between two counts, and beyond the range."""
    halves = np.array([-40000.5, -32767.5, -300.5, -1.5, -0.5, 0.5, 1.5, 2.5, 1000.5, 32766.5, 40000.5])
    at = (np.array(features.offsets[0]) + halves / features.gains[0]).astype(np.float32)
    return np.concatenate([at, np.nextafter(at, np.float32(np.inf)), np.nextafter(at, np.float32(-np.inf))])


@needs_board
@pytest.mark.parametrize("core", CORES)
def test_boards_make_the_bytes_that_numpy_makes(core: str, tmp_path: Path) -> None:
    """Code of the M0+ runs on the emulated M4F as well, which has the memory for all of them."""
    features = [spectral(seed) for seed in range(6)]
    board = replace(boards.BOARDS["Cortex-M4F"], flags=CORES[core])
    said = boards.run_program(board_program(features), board, tmp_path)
    counts = features[0].counts(np.repeat(raw_values(features[0])[:, None], features[0].channels, axis=1))[:, 0]
    assert list(map(int, said.split())) == [*hashes(features), *(counts.astype(int) + 32768).tolist()]


def test_the_noise_of_the_self_test_has_all_levels() -> None:
    noise = check_windows(spectral(1))
    assert np.abs(noise[0]).max() > 30000
    assert np.abs(noise[-1].astype(int)).max() <= 1

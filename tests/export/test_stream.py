"""A stream in C: what tinynas stream makes of the same samples in Python, to the last bit, sound and sensors alike."""

import subprocess
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from tests.export.firmware import WARNINGS, classifier, made, needs_compiler, run
from tests.features.configurations import sound, with_noise
from tinynas.data import Normalization
from tinynas.engine import build
from tinynas.errors import ModelError
from tinynas.export.ends import ends, quantized
from tinynas.export.render import Firmware, render
from tinynas.export.replay import stream_windows
from tinynas.export.stream import stream_of, stride_words, unit_of
from tinynas.features import Features, IntLogMel, MelFeatures
from tinynas.features.frames import MelFrames
from tinynas.features.smoothing import Smoothing

CLASSES = 4
FEATURES = IntLogMel(8000, 4000, 240, 160, 256, 12, 80, 3800, log_scale=20)
PCAN = with_noise(FEATURES, 2, np.random.default_rng(0))
DECIBELS = MelFeatures(**{each.name: getattr(FEATURES, each.name) for each in fields(MelFrames)})
# A stand-in for a network that both sides can compute: scores that follow from sums over the window.
NETWORK = """
enum { CLASSES = 4 };
static void network(const int8_t *input, int length, int8_t *outputs) {
  int c, i;
  for (c = 0; c < CLASSES; c++) {
    int32_t sum = 0;
    for (i = c; i < length; i += CLASSES + c) sum += input[i];
    outputs[c] = (int8_t)((((uint32_t)sum >> 3) & 127) * (uint32_t)(c == (sum & 3) ? 2 : 1) - 128);
  }
}
"""
MAIN = """
#include <stdio.h>
#include "net_stream.h"
%s
int main(void) {
  static net_stream stream;
  static int8_t window[%d], outputs[%d];
  static %s piece[%d];
  unsigned n, length = 1, due = 0;
  net_stream_reset(&stream);
  while ((n = (unsigned)fread(piece, sizeof piece[0], %s, stdin)) > 0) {
    length = (length * 7 + 3) %% %d + 1;
    if (net_stream_push(&stream, piece%s)) {
      int found;
      net_stream_window(&stream, window);
      network(window, %d, outputs);
      found = net_stream_result(&stream, outputs);
      if (found >= 0) printf("%%u %%d\\n", due, found);
      due++;
    }
  }
  printf("%%u windows\\n", due);
  return 0;
}
"""


def network(windows: np.ndarray) -> np.ndarray:
    """The same for windows (n, values)."""
    found = np.empty((len(windows), CLASSES), np.int64)
    for c in range(CLASSES):
        sums = windows[:, c :: CLASSES + c].sum(axis=1, dtype=np.int64)
        found[:, c] = (((sums % 2**32) >> 3) & 127) * np.where(c == (sums & 3), 2, 1) - 128
    return found.astype(np.int8)


def sound_firmware(features: IntLogMel = FEATURES) -> Firmware:
    """A model of sound, int8 in and out, of which only the ends count."""
    data = classifier((1, FEATURES.n_frames, FEATURES.n_mels, 1), 1 / 255)
    names = ("yes", "no", "unknown", "stop")
    return made(name="net", tflite=data, features=features, class_names=names)


def compiled(folder: Path, firmware: Firmware, main: str, *flags: str) -> Path:
    for name, data in render(firmware, ("stream",)).items():
        (folder / name).write_bytes(data)
    (folder / "main.c").write_text(main)
    sources = ["main.c", *(path.name for path in folder.glob("net_*.c"))]
    run(["gcc", "-std=c99", "-O2", *WARNINGS, *flags, *sources, "-o", "p"], folder)
    return folder / "p"


def check_sound(folder: Path, samples: np.ndarray, stride: int, smoothing: Smoothing, how: int = 0) -> int:
    """C's detections are Python's; how many. `how` is that of with_noise."""
    features = with_noise(FEATURES, how, np.random.default_rng(how))
    firmware = sound_firmware(features)
    values = FEATURES.n_frames * FEATURES.n_mels
    main = MAIN % (NETWORK, values, CLASSES, "int16_t", FEATURES.hop, "length", FEATURES.hop, ", n", values)
    flags = [f"-DNET_STREAM_{name.upper()}={getattr(smoothing, name)}" for name in SETTINGS]
    program = compiled(folder, firmware, main, f"-DNET_STREAM_STRIDE={stride}", *flags)
    said = subprocess.run([program], input=samples.tobytes(), capture_output=True, check=True).stdout.decode()
    source, _ = ends(firmware.tflite)
    normalization = firmware.facts.normalization
    assert normalization is not None
    windows = stream_windows(features, samples, normalization, source, stride)
    found = list(smoothing.detections(network(windows.reshape(len(windows), -1))))
    lines = [f"{each.result} {each.label}" for each in found]
    assert said.splitlines() == [*lines, f"{len(windows)} windows"]
    return len(found)


SETTINGS = ("results", "threshold", "margin", "suppression")


def minutes(n: float, seed: int = 0) -> np.ndarray:
    """Sound of n minutes, from silence to far beyond full scale."""
    length = 4001
    pieces = -(-int(n * 60 * FEATURES.sample_rate) // length)
    return np.concatenate([sound(length, seed + k) for k in range(pieces)])


@needs_compiler
@pytest.mark.parametrize(("stride", "how"), [(1, 0), (7, 0), (40, 0), (1, 1), (7, 2), (40, 2)])
def test_c_tells_what_python_tells(tmp_path: Path, stride: int, how: int) -> None:
    smoothing = Smoothing(3, 90, 5, 4, background=(2,))
    assert check_sound(tmp_path, minutes(1), stride, smoothing, how) > 5


@needs_compiler
@pytest.mark.slow
@pytest.mark.parametrize("how", [0, 1, 2])
def test_an_hour_of_sound(tmp_path: Path, how: int) -> None:
    assert check_sound(tmp_path, minutes(60), 3, Smoothing(4, 80, 3, 6, background=(2,)), how) > 300


@needs_compiler
def test_steps_of_a_sensor(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    normalization = Normalization((-2.0, 0.0, 900.0), (0.25, 0.1, 0.005), "float32")
    data = classifier((1, 50, 1, 3), 0.0039)
    facts = {"layout": "series", "normalization": normalization, "names": ("ax [g]", "t", "p (hPa)"), "rate": 50.0}
    firmware = made(name="net", tflite=data, class_names=("a", "b", "c", "d"), **facts)
    main = MAIN % (NETWORK, 150, CLASSES, "float", 3, "3", 2, "", 150)
    flags = ["-DNET_STREAM_STRIDE=5", "-DNET_STREAM_THRESHOLD=60", "-DNET_STREAM_MARGIN=0"]
    program = compiled(tmp_path, firmware, main, *flags)
    rows = (rng.normal(0, 3, (3000, 3)).cumsum(axis=0) % [9, 20, 400] + [-3, -5, 850]).astype(np.float32)
    said = subprocess.run([program], input=rows.tobytes(), capture_output=True, check=True).stdout.decode()
    source, _ = ends(data)
    steps = quantized(normalization.apply(rows)[:, None], replace(source, shape=(1, 1, 3)))
    windows = np.lib.stride_tricks.sliding_window_view(steps.reshape(-1, 3), 50, axis=0)[::5].swapaxes(1, 2)
    stream = stream_of(data, firmware.output, firmware.facts, None)
    assert stream is not None
    smoothing = Smoothing(3, 60, 0, stream.smoothing.suppression)
    found = list(smoothing.detections(network(windows.reshape(len(windows), -1))))
    assert said.splitlines() == [*(f"{a} {b}" for a, b, _ in found), f"{len(windows)} windows"]
    assert len(found) > 20
    text = (tmp_path / "net_settings.h").read_text()
    assert '{    "ax [g]", "t", "p (hPa)"}'.replace(" ", "") in text.replace(" ", "")
    assert "#define NET_RATE_HZ 50.0f" in text
    assert stride_words(stream) == "240 ms"


def test_what_has_no_stream() -> None:
    picture = made()
    assert stream_of(picture.tflite, picture.output, picture.facts, None) is None
    with pytest.raises(ModelError, match="the model cannot run on a stream"):
        render(picture, ("stream",))
    assert not [name for name in render(picture) if "stream" in name]


def test_units_in_brackets() -> None:
    assert [unit_of(name) for name in ("ax [g]", "p (hPa) ", "t", "a(b)c", "x []")] == ["g", "hPa", "", "", ""]


@needs_compiler
@pytest.mark.parametrize("features", [FEATURES, PCAN, DECIBELS], ids=lambda each: each.name)
def test_the_folder_of_plain_c_builds_with_features_and_stream(tmp_path: Path, features: Features) -> None:
    firmware = sound_firmware()
    firmware = replace(firmware, features=features, engine=build(firmware.tflite), arena=None)
    files = render(firmware)
    assert f"`{features.name}`" in files["README.md"].decode()
    assert f'#define NET_FEATURES_NAME "{features.name}"' in files["net_features.h"].decode()
    assert {"net_features.c", "net_stream.c"} <= set(files)
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        assert name in ("README.md", "main.c") or name.removeprefix("net_") in files["README.md"].decode()
    run(["make", "-s", "CFLAGS=-O1 -Wall -Wextra -Werror"], tmp_path)
    example = files["README.md"].decode().split("```c\n")[1].split("```")[0]
    (tmp_path / "example.c").write_text(f"{example}int net_heard(const int16_t* samples, uint32_t n);\n")
    run(["gcc", "-std=c99", *WARNINGS, "-c", "example.c"], tmp_path)

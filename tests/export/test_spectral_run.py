"""Models of spectral features, of a search and of another origin, and raw steps pushed: the answers are Python's."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.data.test_spectra import vibrations
from tests.engine.host import WARNINGS
from tests.export.firmware import needs_compiler, run
from tests.tflite.models import activation, constant, integers, one_operator
from tinynas import Dataset, convert
from tinynas.cli import main as command
from tinynas.export.ends import ends, quantized
from tinynas.export.facts import stretched
from tinynas.export.source import from_run
from tinynas.export.stream import stream_of
from tinynas.features import Spectral, from_dict
from tinynas.features.smoothing import stride_for
from tinynas.hardware import Target, front_end
from tinynas.hardware.front_counts import features_bytes
from tinynas.options import PACKAGE_KINDS
from tinynas.runs import Best, read_settings
from tinynas.tflite import tflm, write

MAIN = """
#include <stdio.h>
#include "model_engine.h"
#include "model_stream.h"
static model_stream stream;
static int32_t memory[(MODEL_ENGINE_BYTES + 3) / 4];
int main(void) {
  float step[MODEL_FEATURES_CHANNELS];
  if (model_features_self_test(&stream.features)) return 1;
  model_stream_reset(&stream);
  while (fread(step, sizeof step, 1, stdin) == 1) {
    if (!model_stream_push(&stream, step)) continue;
    model_stream_window(&stream, model_input(memory));
    model_run(memory);
    fwrite(model_output(memory), 1, MODEL_ENGINE_OUTPUT_BYTES, stdout);
    model_stream_result(&stream, model_output(memory));
  }
  fprintf(stderr, "%u", (unsigned)sizeof stream);
  return 0;
}
"""


def ran(*arguments: str | Path) -> None:
    with pytest.raises(SystemExit) as ended:
        command(list(map(str, arguments)))
    assert ended.value.code in (None, 0)


def check_pushed(folder: Path, tflite: bytes, features: Spectral, steps: np.ndarray, low_high=(0.0, 1.0)) -> np.ndarray:
    """The outputs (n, classes) of plain C in `folder` for the windows of raw steps (n, channels) are those of TFLM."""
    main, sources = folder / "main.c", ["model_engine.c", "model_weights.c", "model_features.c", "model_stream.c"]
    main.write_text(MAIN)
    run(["gcc", "-std=c99", "-O2", "main.c", *sources, "-o", "p"], folder)
    (folder / "steps").write_bytes(steps.astype(np.float32).tobytes())
    run(["sh", "-c", "./p < steps > out 2> size"], folder)
    stride = stride_for(features.window)
    windows = np.lib.stride_tricks.sliding_window_view(steps, features.window, axis=0)[::stride].swapaxes(1, 2)
    real = stretched((features.apply(windows) / 255).astype(np.float32), low_high)
    wanted = tflm.run(tflite, quantized(real[:, :, None], ends(tflite)[0])).reshape(len(windows), -1)
    found = np.frombuffer((folder / "out").read_bytes(), np.int8).reshape(-1, wanted.shape[1])
    assert (found == wanted).all()
    stream = 5 * 4 + 2 * 4 + 3 * 2  # of two classes and three results
    assert int((folder / "size").read_text()) == -(-(features_bytes(features) + stream) // 8) * 8
    return found


@needs_compiler
@pytest.mark.parametrize("low_high", [(0.0, 1.0), (-1.0, 1.0)])
def test_a_model_from_elsewhere_takes_them(tensorflow, tmp_path: Path, low_high: tuple[float, float]) -> None:
    x, y = vibrations(100)
    data = Dataset.from_arrays(x[:60], y[:60], x[60:], y[60:], layout="series", features="spectral")
    features = data.features
    assert isinstance(features, Spectral)
    scale = (low_high[1] - low_high[0]) / 255
    given = activation((1, features.n_values, 1, 2), scale * 1.1, -128 if low_high[0] == 0 else 0)
    weights, bias = constant((2, 2 * features.n_values)), integers(0, 1)
    answer = activation((1, 2), 0.1, 0)
    tflite = write(one_operator("FULLY_CONNECTED", [given, weights, bias], answer, {"keep_num_dims": False}))
    (tmp_path / "model.tflite").write_bytes(tflite)
    about = {"data": data, "name": "model", "input_range": low_high}
    convert(tmp_path / "model.tflite", **about, formats=("engine",), out=tmp_path / "engine")
    run(["make", "-s", "run"], tmp_path / "engine")
    assert "levels[256]" in (tmp_path / "engine" / "model_features.c").read_text()
    assert len(np.unique(check_pushed(tmp_path / "engine", tflite, features, x[60:].reshape(-1, 2), low_high))) > 10
    for kind in PACKAGE_KINDS:
        made = convert(tmp_path / "model.tflite", **about, formats=("engine",), package=kind, out=tmp_path / kind)
        assert {"model_features.c", "model_stream.c"} <= {path.name for path in made.files}
    sources = sorted((tmp_path / "cmake" / "src").glob("*.c"))
    run(["gcc", "-std=c99", *WARNINGS, "-c", *sources], tmp_path)
    run(["gcc", "-std=c99", "-I", tmp_path / "cmake/src", "-c", tmp_path / "cmake/examples/classify/main.c"], tmp_path)


@needs_compiler
@pytest.mark.slow
def test_the_firmware_of_a_search_on_spectral_features(
    tensorflow, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    x, y = vibrations(100)
    np.savez(tmp_path / "waves.npz", x_train=x[:60], y_train=y[:60], x_test=x[60:], y_test=y[60:])
    place = tmp_path / "run"
    about = ("--features", "spectral", "--layout", "series")
    ran("data", "check", tmp_path / "waves.npz", *about)
    assert "19 spectral features a channel" in " ".join(capfd.readouterr().out.split())
    budget = ("--trials", 1, "--children", 1, "--finalists", 1, "--folds", 2, "--final-epochs", 40, "--workers", 1)
    ran("search", "--data", tmp_path / "waves.npz", *about, "--target", "nucleo_f401", "--out", place, *budget)
    best = Best(place)
    features = from_dict(best.about["features"])
    assert isinstance(features, Spectral)
    assert read_settings(place).data.load().features == features  # as resume does
    ran("convert", place, "--format", "engine", "--out", tmp_path / "engine")
    run(["make", "-s", "run"], tmp_path / "engine")
    ran("convert", place, "--package", "cmake", "--out", tmp_path / "package")
    assert (tmp_path / "package" / "src" / "model_features.c").is_file()
    capfd.readouterr()
    ran("analyze", place, "--json")
    told = json.loads(capfd.readouterr().out)
    source = from_run(place)
    front = front_end(
        features, stream_of(source.tflite, source.output, source.facts, features), Target.load("nucleo_f401")
    )
    assert front is not None
    assert told["front_end"]["ram_bytes"] == front.ram_bytes
    assert best.about["footprint"]["flash"]["front_end"] == front.flash_bytes

    found = check_pushed(tmp_path / "engine", best.tflite, features, x[60:].reshape(-1, 2))
    assert len(np.unique(found.argmax(axis=1))) == 2

"""A search on WAV files, its firmware as plain C, and the clips pushed hop by hop: the answers are Python's."""

from pathlib import Path

import boards
import numpy as np
import pytest

from tests.data.kinds import KINDS
from tests.export.firmware import needs_compiler, run
from tinynas import convert, search
from tinynas.cli import main as command
from tinynas.data import load
from tinynas.data.readers.wav import read_wav
from tinynas.export.ends import ends, quantized
from tinynas.export.replay import replay
from tinynas.features import IntLogMel, fixed, from_dict
from tinynas.hardware import Target
from tinynas.runs import Best
from tinynas.searching.front_end import front_end_of
from tinynas.tflite import tflm

MAIN = """
#include "model_engine.h"
#include "model_features.h"
%s
static const int16_t clips[%d][%d] = {
%s
};
static model_features features;
static int32_t memory[(MODEL_ENGINE_BYTES + 3) / 4];
int main(void) {
  unsigned k, i, at;
  if (model_features_self_test(&features)) return 1;
  for (k = 0; k < %d; k++) {
    model_features_reset(&features);
    for (at = 0; at < %d; at += MODEL_FEATURES_HOP) {
      const unsigned left = %d - at;
      model_features_push(&features, clips[k] + at, left < MODEL_FEATURES_HOP ? left : MODEL_FEATURES_HOP);
    }
    model_features_window(&features, model_input(memory));
    model_run(memory);
    for (i = 0; i < MODEL_ENGINE_OUTPUT_BYTES; i++) {
      number((uint32_t)(model_output(memory)[i] + 128));
      print(" ");
    }
    print("\\n");
  }
  return 0;
}
"""
HOST = """
#include <stdio.h>
#define number(n) printf("%u", (unsigned)(n))
#define print(text) printf("%s", text)
"""
BOARD = """
void board_print(const char *text);
void board_number(uint32_t value);
#define number board_number
#define print board_print
"""


@needs_compiler
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["int_log_mel", "int_log_mel+pcan"])
def test_the_firmware_of_a_search_on_sound(
    tensorflow, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "words").mkdir()
    words = KINDS["sounds"].write(tmp_path / "words", 16)
    data = load(words, features=kind)
    result = search(data, "nucleo_f401", out=tmp_path / "run", workers=1, max_trials=1, n_children=1, n_finalists=1,
                    n_folds=2, final_epochs=2)  # fmt: skip
    best = Best(result.folder)
    features = from_dict(best.about["features"])
    front = front_end_of(data, Target.load("nucleo_f401"))
    assert front is not None
    assert best.about["footprint"]["flash"]["front_end"] == front.flash_bytes
    assert best.about["footprint"]["front_end_ram_bytes"] == front.ram_bytes
    assert best.about["stream"]["events"] >= 10
    assert isinstance(features, IntLogMel)
    assert features == data.features
    assert features.name == kind
    files = sorted(words.rglob("*.wav"))[::3]
    clips = np.stack([fixed.to_int16(np.pad(each, (0, features.clip - len(each)))) for each in
                      (read_wav(file).samples for file in files)])  # fmt: skip
    source, _ = ends(best.tflite)
    inputs = quantized(data.normalization.apply(features.apply(clips)[..., None]), source)
    wanted = tflm.run(best.tflite, inputs).reshape(len(clips), -1).astype(int) + 128
    convert(result.folder, out=tmp_path / "engine", formats=("engine",), name="model")
    firmware = convert(result.folder, out=tmp_path / "firmware", name="model")
    written = (tmp_path / "firmware" / "model_stream.h").read_text()
    assert f"STREAM_THRESHOLD {best.about['stream']['threshold']}\n" in written
    assert f"| RAM: features, ring and stream | {front.ram_bytes:,} |" in (tmp_path / "firmware/README.md").read_text()
    assert any("The stream has threshold" in note for note in firmware.notes)
    with pytest.raises(SystemExit):
        command(["analyze", str(result.folder)])
    said = capsys.readouterr().out
    assert f"{front.ram_bytes:,} B" in said
    assert "to the answer" in said
    assert {"model_features.c", "model_stream.c"} <= {path.name for path in firmware.files}
    rows = ",\n".join("{" + ", ".join(map(str, clip.tolist())) + "}" for clip in clips)
    n, length = clips.shape
    folder = tmp_path / "engine"
    run(["make", "-s", "run"], folder)
    (folder / "main.c").write_text(MAIN % (HOST, n, length, rows, n, length, length))
    sources = ["main.c", "model_engine.c", "model_weights.c", "model_features.c"]
    run(["gcc", "-std=c99", *sources, "-o", "p"], folder)
    assert (np.array(run([folder / "p"], folder).split(), int).reshape(wanted.shape) == wanted).all()
    if boards.available():
        texts = {path.name: path.read_text() for path in folder.glob("model_*.*")}
        texts = {name: text for name, text in texts.items() if "_test" not in name and "_stream" not in name}
        main = MAIN % (BOARD, n, length, rows, n, length, length)
        (tmp_path / "board").mkdir()
        said = boards.run_program({**texts, "main.c": main}, boards.BOARDS["Cortex-M4F"], tmp_path / "board")
        assert (np.array(said.split(), int).reshape(wanted.shape) == wanted).all()
    heard = replay(result.folder, files[0], threshold=0, margin=0, results=1)
    assert heard.windows == 1

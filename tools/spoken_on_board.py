"""Words from the WAV file to the class on an emulated Cortex-M4F: a search, its firmware, and every test clip pushed.

    python tools/make_spoken.py words
    python tools/spoken_on_board.py words                       # a search of two minutes, then all test clips
    python tools/spoken_on_board.py words --run runs/words      # the best model of a run that is there

The model is written as plain C (`tinynas convert --format engine`), with its features and its stream. Each test clip is
pushed hop by hop, as a microphone gives it; a window that is due goes through the network. Printed is how many clips
the board tells as Python does (TFLM's package runs the file on the features that NumPy makes), the accuracy of both,
instructions a second of sound, and RAM, each as it is stated and as it was measured. Exit code 1 unless all are equal.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).parents[1]))

from boards import BOARDS, DECLARATIONS, STACK_BYTES, run_program

from tinynas import Dataset, convert, search
from tinynas.data.readers.sound import resampled
from tinynas.data.readers.wav import read_wav
from tinynas.engine import build
from tinynas.export.ends import ends, quantized
from tinynas.export.source import from_run
from tinynas.export.stream import front_end_of
from tinynas.features import IntLogMel, fixed
from tinynas.options.reading import SOUND_FEATURES
from tinynas.runs import find_run
from tinynas.tflite import tflm

BOARD = BOARDS["Cortex-M4F"]
RATE = 16_000
_QUICK = {"max_trials": 1, "n_children": 1, "n_finalists": 1, "n_folds": 2, "final_epochs": 3}
_AT_ONCE = 64  # clips of a program: those of a second take 2 MB of its Flash
_SOURCES = ("_engine.c", "_engine.h", "_weights.c", "_features.c", "_features.h", "_stream.c", "_stream.h")
MAIN = """
#include "model_engine.h"
#include "model_stream.h"
%(declarations)s
__asm__(".section .rodata\\n.global clips\\n.balign 4\\nclips:\\n.incbin \\"clips.bin\\"\\n.previous\\n");
extern const int16_t clips[%(n)d][%(length)d];
static model_stream stream;
static int32_t memory[(MODEL_ENGINE_BYTES + 3) / 4];
static void say(uint32_t value) {
  board_number(value);
  board_print(" ");
}
int main(void) {
  uint32_t pushed = 0, ran = 0, k, i, at;
  board_paint(%(stack)d);
  for (k = 0; k < %(n)d; k++) {
    model_stream_reset(&stream);
    for (at = 0; at < %(length)d; at += MODEL_FEATURES_HOP) {
      const uint32_t left = %(length)d - at;
      int is_due;
      board_start();
      is_due = model_stream_push(&stream, clips[k] + at, left < MODEL_FEATURES_HOP ? left : MODEL_FEATURES_HOP);
      pushed += board_ticks();
      if (!is_due) continue;
      board_start();
      model_stream_window(&stream, model_input(memory));
      model_run(memory);
      (void)model_stream_result(&stream, model_output(memory));
      ran += board_ticks();
    }
    for (i = 0; i < MODEL_ENGINE_OUTPUT_BYTES; i++) say((uint32_t)(model_output(memory)[i] + 128));
    board_print("\\n");
  }
  say(pushed);
  say(ran);
  say(board_stack_used(%(stack)d));
  return 0;
}
"""


@dataclass(frozen=True)
class Heard:
    """What the board said: scores (n, classes), 0 to 255; instructions of all pushes and of all runs; bytes of RAM."""

    scores: npt.NDArray[np.int64]
    pushes: float
    runs: float
    stack: int
    stream: int
    memory: int


def clips_of(data: Path, features: IntLogMel, class_names: Sequence[str], most: int) -> tuple[np.ndarray, np.ndarray]:
    """The test clips (n, clip), int16, of all classes in turn, and their labels."""
    files = [sorted((data / "test" / name).glob("*.wav")) for name in class_names]
    turn = [(number, file) for row in zip(*files, strict=False) for number, file in enumerate(row)][:most]
    clips = np.zeros((len(turn), features.clip), np.int16)
    for row, (_, file) in zip(clips, turn, strict=True):
        sound = fixed.to_int16(resampled(read_wav(file), features.sample_rate))[: features.clip]
        row[: len(sound)] = sound
    return clips, np.array([number for number, _ in turn])


def heard(clips: np.ndarray, engine: Path) -> Heard:
    """What the firmware in the folder `engine` makes of the clips on the emulated board."""
    texts = {path.name: path.read_text() for path in engine.glob("model*") if path.name.endswith(_SOURCES)}
    texts["model_settings.h"] = (engine / "model_settings.h").read_text()
    scores, figures = [], np.zeros(2)
    stack = stream = memory = 0
    for start in range(0, len(clips), _AT_ONCE):
        part = clips[start : start + _AT_ONCE]
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "clips.bin").write_bytes(part.tobytes())
            main = MAIN % {"declarations": DECLARATIONS, "n": len(part), "length": clips.shape[1], "stack": STACK_BYTES}
            said = run_program({**texts, "main.c": main}, BOARD, Path(folder)).splitlines()
            command = ["arm-none-eabi-nm", "-S", "program.elf"]
            listed = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
        sizes = {line.split()[-1]: int(line.split()[1], 16) for line in listed.splitlines() if len(line.split()) == 4}
        stream, memory = sizes["stream"], sizes["memory"]
        scores += [[int(value) for value in line.split()] for line in said[:-1]]
        *ticks, used = map(int, said[-1].split())
        figures += np.array(ticks) * BOARD.instructions_a_tick
        stack = max(stack, used)
    return Heard(np.array(scores), float(figures[0]), float(figures[1]), stack, stream, memory)


def searched(data: Path, out: Path, minutes: float | None, seed: int, features: str) -> Path:
    """The run of a short search on the words, or of a single network that is hardly trained."""
    dataset = Dataset.load(data, sample_rate=RATE, features=features)
    how = _QUICK if minutes is None else {"time_budget_s": 60 * minutes}
    return search(dataset, "nucleo_f401", out=out, seed=seed, **how).folder  # type: ignore[arg-type]


def main() -> None:
    """Print the table; exit code 1 where the board tells another class than Python."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="what tools/make_spoken.py wrote")
    parser.add_argument("--run", help="a run on these words, in place of a search")
    parser.add_argument("--minutes", type=float, default=2, help="of the search")
    parser.add_argument("--quick", action="store_true", help="one network, hardly trained: to try the tool")
    parser.add_argument("--most", type=int, default=1 << 30, help="so many test clips, all by default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--features",
        choices=[each for each in SOUND_FEATURES if each.startswith(IntLogMel.KIND)],
        default=SOUND_FEATURES[0],
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        minutes = None if given.quick else given.minutes
        run = (
            find_run(given.run)
            if given.run
            else searched(given.data, place / "run", minutes, given.seed, given.features)
        )
        model = from_run(run)
        features, normalization = model.features, model.facts.normalization
        if not isinstance(features, IntLogMel) or normalization is None:
            sys.exit(f"{run} is no run with features of int_log_mel; search on the words anew.")
        clips, labels = clips_of(given.data, features, model.output.class_names, given.most)
        source, _ = ends(model.tflite)
        inputs = quantized(normalization.apply(features.apply(clips)[..., None]), source)
        wanted = tflm.run(model.tflite, inputs).reshape(len(clips), -1).astype(int) + 128
        convert(run, out=place / "engine", formats=("engine",), name="model")
        found = heard(clips, place / "engine")
    front = front_end_of(model.tflite, model.output, model.facts, features, model.target, engine=True)
    assert front is not None
    stated = build(model.tflite).figures
    frames = len(clips) * features.n_frames
    a_frame, a_run = found.pushes / frames, found.runs / len(clips)
    every = front.stride * features.hop / features.sample_rate
    a_second = (front.stride * a_frame + a_run) / every
    same = int((found.scores.argmax(axis=1) == wanted.argmax(axis=1)).sum())
    equal = int((found.scores == wanted).all(axis=1).sum())
    right = [float((scores.argmax(axis=1) == labels).mean()) for scores in (found.scores, wanted)]
    print(f"same predictions as Python: {same} of {len(clips)} clips; every score equal: {equal}")
    print(f"accuracy: {right[0]:.4f} on the board, {right[1]:.4f} in Python")
    print(f"a frame: {a_frame:,.0f} instructions, stated {front.push_instructions:,}")
    print(
        f"a window, network and result: {a_run:,.0f} instructions, "
        f"stated {stated.instructions + front.window_instructions:,}"
    )
    print(f"a second of sound, a window every {1000 * every:.0f} ms: {a_second / 1e6:.2f} M instructions")
    print(f"RAM of features, ring and stream: {found.stream:,} B, stated {front.ram_bytes:,}")
    print(f"RAM of the network: {found.memory:,} B, stated {stated.memory:,}; stack {found.stack:,} B, stated ", end="")
    print(f"{stated.stack:,} for the network's run")
    if equal < len(clips):
        sys.exit("The board and Python differ.")


if __name__ == "__main__":
    main()

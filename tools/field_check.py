"""Try tinynas on a folder of small data sets and models that once went wrong; a line each says what came of it.

    python tools/field_check.py DIR [--models DIR] [--no-search] [--only TEXT]

DIR holds the data sets by the names in DATA below, and the models; a row of which there is no file is said and passed
over. A data set is read, held against what must come of it, and searched for some seconds where an accuracy is wanted.
Ends with 1 when a line is wrong. A new case is a row.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinynas import search
from tinynas.data import Dataset
from tinynas.errors import TinynasError
from tinynas.export import convert

BOARD = "nucleo_f401"
SEARCH: dict[str, Any] = {"max_trials": 2, "n_finalists": 1, "n_folds": 2, "workers": 1, "qat": False}


@dataclass(frozen=True)
class Set:
    """A data set, the options that read it, and what must come of it.

    samples: (training, test).  shape: of a sample, as Dataset.input_shape.  says: a part of a note, or of the error.
    accuracy: (least, most) of the int8 model on the test part after a short search; None for no search.
    """

    path: str
    options: dict[str, Any] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    samples: tuple[int, int] | None = None
    shape: tuple[int, int, int] | None = None
    says: str = ""
    refused: bool = False
    accuracy: tuple[float, float] | None = None


@dataclass(frozen=True)
class Model:
    """A model file, and a part of what must be said of it, whether it is made into firmware or refused."""

    path: str
    says: str = ""
    refused: bool = False


THREE, TWO = ("idle", "run", "walk"), ("u", "v")
LOW = (0.0, 0.7)  # noise: nothing can be learned from it
DATA = (
    Set("xyz", {"window": 50}, ("circle", "shake"), shape=(50, 1, 3)),
    Set("xyz", {"window": 50, "columns": "x,y,z"}, ("circle", "shake"), shape=(50, 1, 3)),
    Set("xyz", refused=True, says="--window"),
    Set("xyz_activity.csv", {"window": 50}, ("0", "1", "2"), (14, 4), (50, 1, 3), "The label is column 'activity'"),
    Set("imu_ok.csv", {"window": 100}, THREE, shape=(100, 1, 3), accuracy=(0.9, 1)),
    Set("imu_999.csv", {"window": 100}, THREE, shape=(100, 1, 3), says="such as -999", accuracy=(0.9, 1)),
    Set("imu_999.csv", {"window": 100, "missing": "drop"}, THREE, says="27 values in 9 rows", accuracy=(0.9, 1)),
    Set("imu_999.csv", {"window": 100, "missing": "interpolate"}, THREE, says="27 values in 9 rows", accuracy=(0.9, 1)),
    Set("imu_999.csv", {"window": 100, "missing": "error"}, refused=True, says="27 values in 9 rows are missing"),
    Set("digits_csv", {}, tuple("0123"), (200, 80), says="are mnist_train.csv and mnist_test.csv"),
    Set("ECG200", {"label": "1"}, ("0", "1"), (100, 100), (32, 1, 1), "are ECG200_TRAIN.tsv and ECG200_TEST.tsv"),
    Set("ECG200", {}, ("0", "1"), (100, 100), (32, 1, 1), "The label is column '1'"),
    Set("stamps.csv", {"window": 50}, tuple("abc"), shape=(50, 1, 3), says="'timestamp' is left out", accuracy=LOW),
    Set("stamps.csv", {"window": "1s"}, tuple("abc"), shape=(50, 1, 3), says="Rows come at 50 Hz"),
    Set("stamps.csv", {"window": "2s", "rate": "25"}, tuple("abc"), shape=(50, 1, 3), says="brought to 25 Hz"),
    Set("gestures", {"window": 119}, ("flex", "punch"), (24, 6), (119, 1, 6)),
    Set("thermal", {}, ("ice", "seal"), (96, 24), (16, 16, 1), "16 bits, which are kept", accuracy=(0.9, 1)),
    Set("thermal.npz", {}, ("ice", "seal"), (96, 24), (16, 16, 1), accuracy=(0.9, 1)),
    Set("colours", {"window": 1}, ("apple", "banana"), shape=(1, 1, 3)),
    Set("colours", refused=True, says="--window"),
    Set("savetxt.csv", {"label": "-1"}, tuple(map(str, range(12))), shape=(8, 1, 1)),
    Set("savetxt.csv", {}, tuple(map(str, range(12))), shape=(8, 1, 1), says="The label is column '9'"),
    Set("pandas.npz", {}, ("a", "b"), (32, 8), (8, 1, 1)),
    Set("torch.npz", {}, ("0", "1"), (32, 8), (28, 28, 1), "it is read as a picture of 28 x 28"),
    Set("wav_pipe", {}, ("a", "b"), (4, 2), says="were read to their end"),
    Set("wav_zero", {}, ("a", "b"), (4, 2), says="were read to their end"),
    Set("preamble.csv", {}, TWO, (160, 40), (2, 1, 1), "passed over the line '# rate 50 Hz'"),
    Set("spaces.csv", {}, TWO, (160, 40), (2, 1, 1)),
    Set("excel_sep.csv", {}, TWO, (160, 40), (2, 1, 1)),
    Set("comma.csv", {}, TWO, (160, 40), (2, 1, 1), "decimal commas"),
    Set("utf16.csv", {}, TWO, (160, 40), (2, 1, 1)),
    Set("degree.csv", {}, TWO, (160, 40), (2, 1, 1), "Windows-1252"),
    Set("persons", {"window": 50}, ("sit", "walk"), shape=(50, 1, 3), says="The label is column 'label', and not the"),
)
MODELS = (
    Model("bias_axis3.tflite"),
    Model("bn_sigmoid1.tflite"),
    Model("elu.tflite", says="TFLM alone runs the file"),
)


def tried(one: Set, folder: Path, may_search: bool) -> tuple[str, list[str]]:
    """(what came of a data set, what of it is wrong)."""
    try:
        data = Dataset.load(folder / one.path, **one.options)
    except TinynasError as error:
        wrong = [] if one.refused else ["is refused"]
        return f"refused: {error}", wrong + _unsaid(one.says, str(error))
    steps, height, channels = data.input_shape
    wrong = ["is not refused"] if one.refused else []
    for what, found, wanted in (
        ("classes", data.class_names, one.classes or None),
        ("samples", (len(data.x), len(data.x_test)), one.samples),
        ("shape", data.input_shape, one.shape),
    ):
        wrong += [f"{what} are {found}, not {wanted}"] * (wanted is not None and found != wanted)
    wrong += _unsaid(one.says, "\n".join(data.notes))
    text = f"{len(data.class_names)} classes, {len(data.x)} + {len(data.x_test)} of {steps} x {height} x {channels}"
    text += f", {len(data.notes)} notes"
    if one.accuracy is None or not may_search:
        return text, wrong
    with tempfile.TemporaryDirectory() as runs:
        best = search(data, BOARD, out=Path(runs) / "run", **SEARCH).summary["best"]
    reached = best["test"]["int8"]["accuracy"]
    least, most = one.accuracy
    wrong += [f"accuracy is not from {least:.0%} to {most:.0%}"] * (not least <= reached <= most)
    return f"{text}, int8 test accuracy {100 * reached:.2f} %", wrong


def converted(one: Model, folder: Path) -> tuple[str, list[str]]:
    """(what came of a model, what of it is wrong)."""
    with tempfile.TemporaryDirectory() as out:
        try:
            made = convert(folder / one.path, out=Path(out) / "firmware")
        except TinynasError as error:
            return f"refused: {error}", ([] if one.refused else ["is refused"]) + _unsaid(one.says, str(error))
    text = f"firmware; {' '.join(made.notes)}".rstrip("; ")
    return text, (["is not refused"] if one.refused else []) + _unsaid(one.says, text)


def _unsaid(part: str, text: str) -> list[str]:
    return [] if part in text else [f"does not say {part!r}"]


def main() -> None:
    """Try every row and print its line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--models", type=Path, help="where the models lie, if not in DIR")
    parser.add_argument("--no-search", action="store_true", help="only read the data sets")
    parser.add_argument("--only", default="", help="only the rows with this in their name")
    given = parser.parse_args()
    bad = 0
    for one in (*DATA, *MODELS):
        is_set = isinstance(one, Set)
        folder = given.folder if is_set or given.models is None else given.models
        options = " ".join(f"--{name} {value}" for name, value in one.options.items()) if isinstance(one, Set) else ""
        name = f"{one.path} {options}".rstrip()
        if given.only not in name:
            continue
        if not (folder / one.path).exists():
            print(f"absent  {name}", flush=True)
            continue
        text, wrong = tried(one, folder, not given.no_search) if isinstance(one, Set) else converted(one, folder)
        bad += bool(wrong)
        shown = text if len(text) <= 150 else text[:147] + "..."
        print(
            f"{'WRONG' if wrong else 'ok':<7} {name:<46} {shown}{f' [{chr(59).join(wrong)}]' if wrong else ''}",
            flush=True,
        )
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()

"""What a child is worth: trained fold by fold at a fidelity, quantised, and scored in float and in int8."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tinynas.architecture import Architecture
from tinynas.data import Dataset, FoldScores, score
from tinynas.data.splits import representative_rows
from tinynas.hardware import Footprint, Target
from tinynas.tflite import analyze
from tinynas.training.build import build
from tinynas.training.convert import fill_untrained, quantize
from tinynas.training.fit import Progress, Recipe, fit, predict
from tinynas.training.flops import count_flops
from tinynas.training.int8 import Int8Model
from tinynas.training.keras import seed_everything
from tinynas.training.schedule import Schedule

CALIBRATION_SAMPLES = 100
_SCORED_SAMPLES = 4000  # of a fold's validation part: the standard error of an accuracy is then below 0.8 point


@dataclass(frozen=True)
class Trained:
    """A model that has been trained and quantised: the Keras file and the .tflite as bytes.

    `flops` is keras-flops's count, `visits` the number of training samples seen over all epochs.
    """

    keras: bytes
    tflite: bytes
    flops: int
    visits: int


def measure(architecture: Architecture, target: Target, dataset: Dataset, seed: int) -> tuple[Footprint, bytes]:
    """Return the footprint of the real int8 file of `architecture`, converted untrained, and that file.

    Biases and batch-norm statistics are filled, so that the file has the size of a trained one. FLOPs are
    keras-flops's. Raises ConversionError or ModelError; no figure is ever defaulted.
    """
    seed_everything(seed)
    model = build(architecture)
    fill_untrained(model, np.random.default_rng(seed))
    flops = count_flops(model)
    data = quantize(model, dataset.representative(1, seed))
    return replace(analyze(data, target).footprint, flops=flops), data


def train_fold(
    architecture: Architecture, dataset: Dataset, schedule: Schedule, recipe: Recipe, fold: int, seed: int
) -> tuple[FoldScores, Trained]:
    """Train fresh weights on one fold, as long as `schedule` says; return the scores on its validation part."""
    rows = dataset.folds(schedule.n_folds, 0)[fold]
    rng = np.random.default_rng(seed)
    train, held_out = _some(rows.train, schedule.samples, rng), _some(rows.validation, _SCORED_SAMPLES, rng)
    x, y, validation = dataset.x[train], dataset.y[train], (dataset.x[held_out], dataset.y[held_out])
    seed_everything(seed)
    model = build(architecture)
    recipe = replace(recipe, epochs=schedule.epochs, patience=schedule.patience)
    epochs = fit(model, x, y, recipe, seed, validation)
    trained = _finished(model, x[representative_rows(y, CALIBRATION_SAMPLES, seed)], epochs * len(x))
    return score_both(model, trained.tflite, *validation), trained


def _some(rows: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Return at most `most` of `rows`, drawn without replacement."""
    return rows if len(rows) <= most else rng.permutation(rows)[:most]


def train_final(
    architecture: Architecture,
    dataset: Dataset,
    recipe: Recipe,
    seed: int,
    report: Callable[[Progress], None] | None = None,
) -> tuple[FoldScores, Trained, int]:
    """Train on all training data; return the scores on the test set (read here, once), the model, the epochs done."""
    seed_everything(seed)
    model = build(architecture)
    epochs = fit(model, dataset.x, dataset.y, recipe, seed, report=report)
    trained = _finished(model, dataset.representative(CALIBRATION_SAMPLES, seed), epochs * len(dataset.x))
    scores = score_both(model, trained.tflite, dataset.x_test, dataset.y_test)
    return scores, trained, epochs


def score_both(model: Any, tflite: bytes, x: np.ndarray, y: np.ndarray) -> FoldScores:
    """Return the scores of the Keras model and of its int8 file on the same samples."""
    classes = int(model.output_shape[-1])
    return FoldScores(
        float=score(y, predict(model, x).argmax(axis=1), classes),
        int8=score(y, Int8Model(tflite).predict(x), classes),
    )


def _finished(model: Any, representative: np.ndarray, visits: int) -> Trained:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return Trained(path.read_bytes(), quantize(model, representative), count_flops(model), visits)

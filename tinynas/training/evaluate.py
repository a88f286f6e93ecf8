"""What a child is worth: trained fold by fold at a fidelity, quantised, and scored in float and in int8."""

import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tinynas.architecture import Architecture
from tinynas.data import Dataset, FoldScores, confusion, mistakes, score
from tinynas.data.splits import Fold, representative_rows
from tinynas.hardware import Footprint, Target
from tinynas.tflite import analyze
from tinynas.training.augment import Augmentation
from tinynas.training.build import Weights, build, set_weights
from tinynas.training.convert import fill_untrained, quantize
from tinynas.training.fit import Progress, Recipe, fit, predict
from tinynas.training.flops import count_flops
from tinynas.training.inherit import inherit
from tinynas.training.int8 import Int8Model
from tinynas.training.keras import layer_weights, seed_everything
from tinynas.training.precision import Precision, precision_for
from tinynas.training.schedule import SCORED_SAMPLES, Schedule, batching

CALIBRATION_SAMPLES = 100
_QAT_SHARE = 1 / 12  # of the final training
_REHEARSAL_FOLDS = 5  # one of them tells how long to train where little can be held out
_COOL = 0.1  # of the peak rate
REHEARSAL = "rehearsal, to see how long to train"
GOING_ON, ANEW = "on from the finalist's weights", "anew, to compare"
FINE_TUNING = "fine-tuning for int8"
_HELD_OUT, _LEAST_HELD_OUT, _MOST_HELD_OUT = 0.05, 50, 2000  # samples to choose between two int8 files by
_FLOAT_SAMPLES = (
    1000  # of these for the float score, which only shows what quantising has cost: nothing is chosen by it
)


@dataclass(frozen=True)
class Trained:
    """A model that has been trained and quantised: the Keras file and the .tflite as bytes, its weights by layer name.

    `visits` is the number of training samples seen over all epochs, `visit_s` the seconds that each took after the
    first epoch, in which TensorFlow makes its graph.
    """

    keras: bytes
    tflite: bytes
    weights: Weights
    visits: int
    visit_s: float = 0.0


@dataclass(frozen=True)
class FinalTraining:
    """The scores of the final model on the test set, the model, the epochs done.

    `judged` holds the accuracy of each int8 file on the samples held out, by "ptq" and "qat"; empty without a choice.
    `losses` are the mean training losses of the epochs, those of quantisation-aware fine-tuning left out.
    """

    scores: FoldScores
    trained: Trained
    epochs: int
    judged: dict[str, float]
    losses: tuple[float, ...] = ()


_Found = tuple[Any, Trained, list[float]]  # a Keras model, what is kept of it, the losses of its epochs


@dataclass(frozen=True)
class Start:
    """Where a training starts from: the weights, by layer name, of a trained network of `architecture`."""

    architecture: Architecture
    weights: Weights


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
    architecture: Architecture,
    dataset: Dataset,
    schedule: Schedule,
    recipe: Recipe,
    fold: Fold,
    seed: int,
    *,
    precision: Precision = "float32",
    start: Start | None = None,
    scored: int | None = SCORED_SAMPLES,
) -> tuple[FoldScores, Trained]:
    """Train on one fold of `dataset`, as long as `schedule` says; return the scores on its validation part.

    They are those of at most `scored` of its samples (None: of all).

    The weights are fresh ones, or what `start` has for this architecture (see `inherit`). A start must come from the
    same fold: one from another has seen these validation samples.
    """
    rng = np.random.default_rng(seed)
    train, held_out = _some(fold.train, schedule.samples, rng), _some(fold.validation, scored, rng)
    x, y, validation = dataset.x[train], dataset.y[train], (dataset.x[held_out], dataset.y[held_out])
    told: list[Progress] = []
    recipe = replace(recipe, epochs=schedule.epochs)
    model, epochs = _fitted(architecture, x, y, recipe, seed, precision, start, told.append)
    trained = _finished(model, x[representative_rows(y, CALIBRATION_SAMPLES, seed)], epochs * len(x))
    trained = replace(trained, visit_s=_pace(told) / len(x))
    return score_both(model, trained.tflite, *validation, _FLOAT_SAMPLES if schedule.folds == 1 else None), trained


def _pace(told: list[Progress]) -> float:
    """Return the seconds of an epoch after the first; those of the first where there is no other."""
    first, last = told[0], told[-1]
    return first.seconds if first is last else (last.seconds - first.seconds) / (last.epoch - first.epoch)


def _fitted(
    architecture: Architecture,
    x: np.ndarray,
    y: np.ndarray,
    recipe: Recipe,
    seed: int,
    precision: Precision,
    start: Start | None = None,
    report: Callable[[Progress], None] | None = None,
    held: tuple[np.ndarray, np.ndarray] | None = None,
) -> tuple[Any, int]:
    """Return the float32 model, trained at `precision` where that pays, and the epochs done; `held` as in `fit`."""
    precision = precision_for(architecture, precision, recipe.epochs * len(x))
    seed_everything(seed)
    model = build(architecture, precision=precision)
    if start is not None:
        set_weights(model, inherit(architecture, layer_weights(model), start.architecture, start.weights))
    epochs = fit(model, x, y, recipe, seed, report, held)
    return (model if precision == "float32" else build(architecture, layer_weights(model))), epochs


def _some(rows: np.ndarray, most: int | None, rng: np.random.Generator) -> np.ndarray:
    """Return at most `most` of `rows` (None: all), drawn without replacement."""
    return rows if most is None or len(rows) <= most else rng.permutation(rows)[:most]


def train_final(
    architecture: Architecture,
    dataset: Dataset,
    recipe: Recipe,
    seed: int,
    report: Callable[[Progress], None] | None = None,
    *,
    precision: Precision = "float32",
    qat: bool = False,
    until_flat: bool = False,
    start: Start | None = None,
    unseen: np.ndarray | None = None,
    twice: bool = False,
    cool: bool = False,
) -> FinalTraining:
    """Train on all training data but a few samples; return the scores on the test set (read here, once), the model.

    With `until_flat` the training ends within the recipe's epochs, from their middle on, when the loss on samples held
    out no longer falls; where too few can be held out to judge by, or samples belong together, a rehearsal on four
    fifths of the data tells how long, and all are trained on.

    With `qat` the network is then fine-tuned under int8's rounding, for a twelfth of the training, and of both int8
    files the better on the samples held out is kept, on a tie that nearer to the float model. Without either, or with
    too few samples to judge by, none is held out.

    With `start` the training goes on from these weights; the samples held out are then among `unseen`, the rows that
    they have not seen. `cool`, it goes on at a tenth of the peak rate: weights that have learned what they can keep
    that, and learn from the samples that are new to them. With `twice` it also starts anew, each with half of the time,
    and of both the better on the samples held out is kept; where none are, it goes on.
    """
    alone = dataset.groups is None  # else what is held out has been seen: others of its group are trained on
    held = _held_out(dataset.y, seed, unseen) if qat or twice or (until_flat and alone) else np.array([], dtype=int)
    rows = np.setdiff1d(np.arange(len(dataset.y)), held)
    x, y = (dataset.x[rows], dataset.y[rows]) if len(held) else (dataset.x, dataset.y)
    judge = (dataset.x[held], dataset.y[held]) if len(held) and until_flat and alone else None
    if until_flat and judge is None:
        epochs = _rehearsed(architecture, dataset, recipe, seed, precision, _named(report, REHEARSAL))
        recipe = replace(recipe, epochs=epochs)
    tuned = qat and len(held) > 0
    shares = (1 - _QAT_SHARE, _QAT_SHARE) if tuned else (1.0, 0.0)
    budgets = [None if recipe.time_budget_s is None else recipe.time_budget_s * share for share in shares]
    beginnings = [start, None] if twice and start is not None and len(held) else [start]
    long = replace(recipe, time_budget_s=None if budgets[0] is None else budgets[0] / len(beginnings))
    representative = x[representative_rows(y, CALIBRATION_SAMPLES, seed)]
    found: list[_Found] = []
    for begin in beginnings:
        how = replace(long, peak_rate=_COOL * long.peak_rate) if cool and begin is not None else long
        losses, what = list[float](), "" if len(beginnings) == 1 else ANEW if begin is None else GOING_ON
        model, epochs = _fitted(
            architecture, x, y, how, seed, precision, begin, partial(_told, losses, _named(report, what)), held=judge
        )
        found.append((model, _finished(model, representative, epochs * len(x)), losses))
    model, trained, losses = found[0] if len(found) == 1 else _best(found, dataset, held)
    epochs = len(losses)
    judged: dict[str, float] = {}
    if tuned:
        # Here, since it takes long to import and children need none of it.
        from tinynas.training import qat as aware_training

        as_at_its_end = recipe.augmentation if epochs >= recipe.augment_from and not recipe.plain else Augmentation()
        short = replace(recipe, epochs=max(1, round(epochs * _QAT_SHARE)), time_budget_s=budgets[1])
        short = replace(short, augmentation=as_at_its_end, augment_from=0, least_epochs=1)
        aware = aware_training.quantize_aware(model, x, y, short, seed, representative, _named(report, FINE_TUNING))
        judged = aware_training.score_files(
            {"ptq": trained.tflite, "qat": aware}, dataset.x[held], dataset.y[held], dataset.n_classes
        )
        if _better(judged, {"ptq": trained.tflite, "qat": aware}, model, dataset.x[held]) == "qat":
            trained = replace(trained, tflite=aware)
    scores = score_both(model, trained.tflite, dataset.x_test, dataset.y_test)
    return FinalTraining(scores, trained, epochs, judged, tuple(losses))


def _told(losses: list[float], report: Callable[[Progress], None] | None, progress: Progress) -> None:
    losses.append(progress.loss)
    if report is not None:
        report(progress)


def _best(found: Sequence[_Found], dataset: Dataset, held: np.ndarray) -> _Found:
    """Return the model whose int8 file has the best score on the rows `held`; of two equal ones the first."""
    from tinynas.training.qat import score_files

    files = {str(number): trained.tflite for number, (_, trained, _) in enumerate(found)}
    scores = score_files(files, dataset.x[held], dataset.y[held], dataset.n_classes)
    return found[int(max(files, key=lambda name: scores[name]))]


def _rehearsed(
    architecture: Architecture,
    dataset: Dataset,
    recipe: Recipe,
    seed: int,
    precision: Precision,
    report: Callable[[Progress], None] | None,
) -> int:
    """Return the epochs after which the loss on a fold's validation part no longer fell, trained on the rest of it.

    They are given in as many steps with all samples.
    """
    fold = dataset.folds(min(_REHEARSAL_FOLDS, dataset.most_folds), 0)[0]
    x, y, x_held, y_held = dataset.split(fold)
    steps, whole = (batching(n, recipe.batch_size, recipe.replicas)[2] for n in (len(y), len(dataset.y)))
    plan = math.ceil(recipe.epochs * whole / steps)
    _, done = _fitted(
        architecture, x, y, replace(recipe, epochs=plan), seed, precision, report=report, held=(x_held, y_held)
    )
    return max(1, round(recipe.epochs * done / plan))


def _named(report: Callable[[Progress], None] | None, training: str) -> Callable[[Progress], None] | None:
    """Return `report` for one of the trainings that a final training has, which says in words which one it is."""
    if report is None:
        return None
    return lambda done: report(replace(done, training=training))


def _better(judged: Mapping[str, float], files: Mapping[str, bytes], model: Any, x: np.ndarray) -> str:
    """Return the name of the file with the better score; of two equal ones, that with answers nearer to the model's.

    On data that is nearly solved the scores are often equal, though one file rounds worse than the other.
    """
    if judged["ptq"] != judged["qat"]:
        return max(judged, key=lambda name: judged[name])
    wanted = predict(model, x)
    gaps = {name: float(np.abs(Int8Model(data).probabilities(x) - wanted).mean()) for name, data in files.items()}
    return min(gaps, key=lambda name: gaps[name])


def _held_out(y: np.ndarray, seed: int, among: np.ndarray | None = None) -> np.ndarray:
    """Return the rows, of those `among`, that the choice between two files is made on; none when too few to tell."""
    wanted = min(_MOST_HELD_OUT, round(len(y) * _HELD_OUT))
    if wanted < _LEAST_HELD_OUT:
        return np.array([], dtype=int)
    return representative_rows(y, wanted, seed) if among is None else among[representative_rows(y[among], wanted, seed)]


def score_both(model: Any, tflite: bytes, x: np.ndarray, y: np.ndarray, most_float: int | None = None) -> FoldScores:
    """Return the scores of the Keras model and of its int8 file, the former's on the first `most_float` samples."""
    classes = int(model.output_shape[-1])
    int8 = Int8Model(tflite).predict(x)
    return FoldScores(
        float=score(y[:most_float], predict(model, x[:most_float]).argmax(axis=1), classes),
        int8=score(y, int8, classes),
        confusion=tuple(map(tuple, confusion(y, int8, classes).tolist())),
        mistakes=mistakes(y, int8, classes),
    )


def _finished(model: Any, representative: np.ndarray, visits: int) -> Trained:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return Trained(path.read_bytes(), quantize(model, representative), layer_weights(model), visits)

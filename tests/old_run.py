"""Runs of version 0.1.0, kept from before the genome owned its walk: what they held and how they went on.

`tests/fixtures/run_0_1/` was made by this module with the code of version 0.1.0: `python -m tests.old_run FOLDER`. Its
README says what is in it. A later version must read these runs, and go on with them as that version did.
"""

import hashlib
import json
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from tests.architecture.strategies import SHAPES
from tinynas.architecture import Architecture, SearchSpace, crossover, mutate, shrink
from tinynas.data import Dataset, FoldScores, Scores
from tinynas.hardware import Limits
from tinynas.runs import Evaluation, State, read_trials
from tinynas.runs.weights import write_weights
from tinynas.screening import lower
from tinynas.searching import TrialDone, search
from tinynas.training.build import build
from tinynas.training.keras import keras, layer_weights

FOLDER = Path(__file__).parent / "fixtures" / "run_0_1"
LIMITS = Limits(flash_bytes=8_200, ram_bytes=4_900, macs=200_000)  # over which half of what is proposed lies
STRATEGIES = ("evolution", "aging", "nsga2", "surrogate", "random")
_SETTINGS = ("strides", "padding", "use_bias", "activation", "max_value", "rate", "pool_size", "momentum")
KILLED_AFTER = 5  # trained trials: the run was copied then, as a kill would have left it


def stripes() -> Dataset:
    """Return the data of every old run: sixty 8 x 8 pictures of horizontal, vertical or diagonal stripes."""
    rng = np.random.default_rng(0)
    axis = np.arange(8)
    waves = (axis[:, None] + 0 * axis, axis + 0 * axis[:, None], axis[:, None] + axis)
    y = np.arange(60) % 3
    x = np.stack([0.5 + 0.4 * np.sin(waves[k] * np.pi / 2 + rng.uniform(0, 6)) for k in y])
    noisy = np.clip(x + rng.normal(0, 0.05, x.shape), 0, 1)
    return Dataset.from_arrays(noisy.astype(np.float32), y, name="stripes")


def evaluate(architecture: Architecture) -> Evaluation:
    """Return a made-up score that follows from the genome: what the quick runs were judged by."""
    good = sum(block.filters for block in architecture.blocks if block.kernel_size == 3)
    score = min(0.98, 0.3 + good / 400 + int(architecture.key[:2], 16) / 25_600)
    scores = Scores(score, score, score, score)
    return Evaluation(State.COMPLETE, folds=(FoldScores(scores, scores),))


def rows(journal: Path) -> list[dict[str, Any]]:
    """Return the trials of a journal, what differs from machine to machine left out."""
    return [
        {
            "number": trial.number,
            "generation": trial.generation,
            "parent": trial.parent,
            "key": trial.architecture.key,
            "text": str(trial.architecture),
            "state": trial.evaluation.state.value,
            "fidelity": trial.evaluation.fidelity,
            "rung": trial.evaluation.rung,
            "visits": trial.evaluation.visits,
            "accuracy": [fold.int8.accuracy for fold in trial.evaluation.folds],
        }
        for trial in read_trials(journal)
    ]


def _quick(folder: Path, strategy: str) -> None:
    """Make a run of made-up scores on the real screen, and the list of its trials; the journal of one is kept."""
    out = folder / strategy
    objectives = {"objectives": ("accuracy", "flash")} if strategy == "nsga2" else {}
    search(
        stripes(), "nucleo_f401", out=out, evaluate=evaluate, limits=LIMITS, workers=1, strategy=strategy,
        n_generations=12 if strategy == "surrogate" else 8, n_children=6, seed=11, **objectives,
    )  # fmt: skip
    _write(out / "trials.json", rows(out / "journal.sqlite"))
    _tidy(out)
    if strategy != "surrogate":
        (out / "journal.sqlite").unlink()
    (out / "summary.json").unlink()


def _trained(folder: Path) -> None:
    """Make a run that really trains, and beside it what was there of it after KILLED_AFTER trained trials."""
    whole, killed = folder / "trained", folder / "killed"
    space = SearchSpace.for_input((8, 8, 1), 3, filters=(4, 6, 8, 12), hidden_units=(0, 8), max_depth=4)
    done: list[int] = []

    def watch(event: object) -> None:
        if isinstance(event, TrialDone):
            done.append(event.trial.number)
            if len(done) == KILLED_AFTER:  # the loop waits for the watcher: nothing is written meanwhile
                shutil.copytree(whole, killed, ignore=shutil.ignore_patterns("best", "models"))

    search(
        stripes(), "nucleo_f401", out=whole, space=space, workers=1, max_trials=9, n_children=3, n_folds=2,
        n_finalists=2, final_epochs=4, seed=5, watch=watch,
    )  # fmt: skip
    _write(whole / "trials.json", rows(whole / "journal.sqlite"))
    shutil.rmtree(whole / "models")
    model = keras.models.load_model(whole / "best" / "model.keras")
    write_weights(whole / "best_weights.npz", layer_weights(model))
    x = stripes().x_test
    np.save(whole / "best_outputs.npy", model(x, training=False).numpy())
    for run in (whole, killed):
        _tidy(run)


def _tidy(run: Path) -> None:
    """Leave a run folder without what only a running search needs, its journal in one file."""
    with closing(sqlite3.connect(run / "journal.sqlite")) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("VACUUM")
    for name in (".lock", "search.log"):
        (run / name).unlink(missing_ok=True)


def draws(shape: tuple[int, int, int], space: SearchSpace) -> Iterator[tuple[str, Architecture]]:
    """Yield random networks of `space` and what mutation, crossover and each way to shrink make of them."""
    rng = np.random.default_rng([3, *shape])
    yield from (("handmade", architecture) for architecture in space.handmade())
    for _ in range(6):
        first, second = space.random_architecture(rng), space.random_architecture(rng)
        yield from (("random", first), ("random", second))
        child = mutate(first, space, rng, 3)
        yield from (("mutated", child), ("crossed", crossover(child, second, space, rng)))
        yield from ((what, shrink(child, space, rng, what)) for what in ("flash", "ram", "compute"))


def model_digest(architecture: Architecture) -> str:
    """Return a digest of the Keras model's layers: their kinds, names, settings, weights, order and connections."""
    layers = []
    for layer in build(architecture).layers:
        inputs = layer.input if isinstance(layer.input, list) else [layer.input]
        settings = {name: value for name, value in layer.get_config().items() if name in _SETTINGS}
        weights = [tuple(weight.shape) for weight in layer.weights]
        layers.append(
            (type(layer).__name__, layer.name, [x.node.layer.name for x in inputs], weights, sorted(settings.items()))
        )
    return _digest(repr(layers).encode())


def file_digest(architecture: Architecture) -> str:
    """Return a digest of the int8 file that `lower` makes."""
    return _digest(lower(architecture))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _drawn(folder: Path) -> None:
    """Write the spaces of all shapes, what is drawn from each, the file of each network and the model of some."""
    made = []
    for shape in SHAPES:
        space = SearchSpace.for_input(shape, 5)
        networks = [
            [how, a.key, file_digest(a), model_digest(a) if at % 7 == 0 else None]
            for at, (how, a) in enumerate(draws(shape, space))
        ]
        made.append({"space": space.to_dict(), "networks": networks})
    _write(folder / "draws.json", made)


def _write(path: Path, value: list[dict[str, Any]]) -> None:
    path.write_text("[\n" + ",\n".join(json.dumps(row) for row in value) + "\n]\n")


if __name__ == "__main__":
    _drawn(Path(sys.argv[1]))
    for each in STRATEGIES:
        _quick(Path(sys.argv[1]), each)
    _trained(Path(sys.argv[1]))

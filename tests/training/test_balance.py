"""Fifty samples of one class to one of the other: with --balance and --metric f1 the rare class is found."""

import json

import numpy as np
import pytest

from tinynas.architecture import Architecture, Block, Head
from tinynas.data import Dataset, class_weights, score


def lopsided(n_rare: int, seed: int, spot: float) -> tuple[np.ndarray, np.ndarray]:
    """8 x 8 noise; in one of fifty-one, a bright spot."""
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1], [50 * n_rare, n_rare])
    x = rng.normal(0.4, 0.12, (len(y), 8, 8))
    x[y == 1, 2:5, 2:5] += spot
    return np.clip(x, 0, 1).astype(np.float32), y


def rare(spot: float) -> Dataset:
    return Dataset.from_arrays(*lopsided(12, 0, spot), *lopsided(20, 1, spot), name="rare")


def test_weights_end_the_reign_of_the_majority(seeded) -> None:
    from tinynas.training.build import build
    from tinynas.training.fit import Recipe, fit, predict

    network = Architecture((8, 8, 1), (Block("conv", 8, 3, pool="max"), Block("conv", 8, 3)), Head("gap"), 2)
    faint, recalls = rare(0.12), []
    for weights in (None, class_weights(faint.y, 2)):
        seeded.seed_everything(0)
        model = build(network)
        fit(model, faint.x, faint.y, Recipe(epochs=4, batch_size=32, class_weights=weights), seed=0)
        found = predict(model, faint.x_test).argmax(axis=1)
        recalls.append(float((found[faint.y_test == 1] == 1).mean()))
    assert recalls[0] == 0
    assert recalls[1] > 0.5


@pytest.mark.slow
def test_a_search_with_balance_and_f1_does_not_end_in_the_majority(tmp_path) -> None:
    from tinynas import search

    data = rare(0.25)
    result = search(
        data,
        "nucleo_f401",
        out=tmp_path / "run",
        workers=1,
        max_trials=3,
        n_children=3,
        n_finalists=1,
        n_folds=2,
        final_epochs=12,
        balance=True,
        metric="f1",
    )
    majority = score(data.y_test, np.zeros_like(data.y_test), 2)
    test = result.summary["best"]["test"]["int8"]
    assert majority.f1 < 0.5
    assert majority.recall == 0.5
    assert test["f1"] > 0.7
    assert test["recall"] > 0.8
    assert json.loads((tmp_path / "run" / "settings.json").read_text())["balance"] is True

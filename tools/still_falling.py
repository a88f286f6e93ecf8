"""What a falling training loss says of a longer training: `python tools/still_falling.py`.

Trains one network from 3 to 400 epochs on scikit-learn's digits and on simulated gestures, and prints for each length
by how much the mean loss of the last quarter of the epochs lies below that of the quarter before, as a share of the
loss of a guess, ln(classes), with the test accuracy. The threshold in tinynas/data/doubts.py rests on this table.
"""

import math
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tinynas.architecture import SearchSpace
from tinynas.data import Dataset

LENGTHS = {"digits": (3, 6, 12, 25, 60), "100 gestures": (10, 30, 60, 150, 400), "1,000 gestures": (3, 10, 30, 80)}


def gestures(samples: int, rng: np.random.Generator) -> Dataset:
    """Recordings of 60 steps of 3 channels in 5 classes, which differ by their frequencies; 2,000 more for the test."""
    time = np.linspace(0, 1, 60)
    y = np.arange(samples + 2000) % 5
    waves = [
        np.stack(
            [
                np.sin(2 * np.pi * (k + 1) * time + rng.uniform(0, 6)),
                np.cos(2 * np.pi * (k + 2) * time + rng.uniform(0, 6)),
                np.zeros(60),
            ],
            axis=-1,
        )
        for k in y
    ]
    x = (np.stack(waves) + rng.normal(0, 0.6, (len(y), 60, 3))).astype(np.float32)
    return Dataset.from_arrays(x[:samples], y[:samples], x[samples:], y[samples:])


def main() -> None:
    """Train, and print a row for each length of training."""
    from tinynas.training.build import build
    from tinynas.training.fit import Recipe, fit, predict
    from tinynas.training.keras import configure, seed_everything

    configure(1)
    rng = np.random.default_rng(0)
    sets = {"digits": Dataset.digits(), "100 gestures": gestures(100, rng), "1,000 gestures": gestures(1000, rng)}
    print(f"{'data':16} {'epochs':>6} {'steps':>6} {'fall':>7} {'accuracy':>9}")
    for name, dataset in sets.items():
        network = SearchSpace.for_input(dataset.input_shape, dataset.n_classes).handmade()[0]
        for epochs in LENGTHS[name]:
            seed_everything(0)
            model, losses = build(network), []
            fit(model, dataset.x, dataset.y, Recipe(epochs), 0, lambda p, to=losses: to.append(p.loss))
            quarter = max(1, epochs // 4)
            fall = np.mean(losses[-2 * quarter : -quarter]) - np.mean(losses[-quarter:])
            right = (predict(model, dataset.x_test).argmax(axis=1) == dataset.y_test).mean()
            steps = epochs * (len(dataset.x) // min(64, len(dataset.x)))
            print(f"{name:16} {epochs:6} {steps:6} {fall / math.log(dataset.n_classes):7.1%} {right:9.1%}", flush=True)


if __name__ == "__main__":
    main()

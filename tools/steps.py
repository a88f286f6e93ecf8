"""How many steps does a training on few samples need? Test accuracy by the steps, for a handful of networks.

    python tools/steps.py --data watch_har --layout series --each 17

Of each class so many training samples are taken, and up to 60 test samples; the networks are two hand-made ones and
random ones. Each is trained once for each number of steps, by the recipe of the final training without fine-tuning, on
one thread; float accuracies are printed. tinynas/training/schedule.py has its least numbers of steps from this.
"""

import argparse
from pathlib import Path

import numpy as np

from tinynas.architecture import SearchSpace
from tinynas.data import Dataset
from tinynas.training.augment import augmentation_for
from tinynas.training.schedule import batching

_TEST = 60  # samples of each class
_STEPS = (30, 60, 120, 240, 480, 960, 1920)


def main() -> None:
    """Print a line for each network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--layout", choices=("image", "series"))
    parser.add_argument("--each", type=int, default=17, help="training samples of each class")
    parser.add_argument("--networks", type=int, default=5)
    parser.add_argument("--steps", default=",".join(map(str, _STEPS)))
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    dataset = few(Dataset.load(given.data, layout=given.layout), given.each, given.seed)
    space, rng = SearchSpace.for_input(dataset.input_shape, dataset.n_classes), np.random.default_rng(given.seed + 1)
    networks = [*space.handmade()[:2], *(space.random_architecture(rng) for _ in range(given.networks))]
    print(dataset.summary())
    for network in networks[: given.networks]:
        found = [f"{steps}: {accuracy(network, dataset, int(steps)):.2f}" for steps in given.steps.split(",")]
        print(f"{network} | {', '.join(found)}", flush=True)


def few(dataset: Dataset, each: int, seed: int) -> Dataset:
    """Return a data set with so many training samples of each class, drawn by `seed`."""
    rng = np.random.default_rng(seed)

    def drawn(y: np.ndarray, most: int) -> np.ndarray:
        return np.concatenate([rng.permutation(np.flatnonzero(y == k))[:most] for k in range(dataset.n_classes)])

    train, test = drawn(dataset.y, each), drawn(dataset.y_test, _TEST)
    parts = (dataset.x[train], dataset.y[train], dataset.x_test[test], dataset.y_test[test])
    return Dataset.from_arrays(*map(np.asarray, parts), layout=dataset.layout, name=f"{each} of each class")


def accuracy(network, dataset: Dataset, steps: int) -> float:
    """Return the float test accuracy of `network` after so many steps."""
    from tinynas.training.evaluate import train_final
    from tinynas.training.fit import Recipe
    from tinynas.training.keras import configure

    configure(1)
    recipe = Recipe(epochs=1, augmentation=augmentation_for(dataset.layout, "auto"))
    epochs = max(1, round(steps / batching(len(dataset.y), recipe.batch_size)[2]))
    recipe = Recipe(epochs=epochs, augmentation=recipe.augmentation)
    return train_final(network, dataset, recipe, seed=1).scores.float.accuracy


if __name__ == "__main__":
    main()

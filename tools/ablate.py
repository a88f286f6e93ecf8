"""What does one thing about a training change? The same hand-made networks, trained with it and without.

    python tools/ablate.py --data DIR [--layout series] --networks 2,3 --epochs 40 --seeds 3 dropout=0.1 dropout=0
    python tools/ablate.py --data DIR --networks 4 --epochs 8 base label_smoothing=0 batch_size=128 augment=shift

Each word is a variant: `base`, or settings joined by a comma (dropout, augment with a + between its names,
label_smoothing, weight_decay, peak_rate, batch_size, and plain, as Recipe has it). Networks are the starts of the input
by their number (architecture/starts.py). A seed is also the fold that is held out, so that a variant meets the same
folds as the others. Printed are the int8 and the float accuracy on it with standard errors, and CPU seconds of
training, conversion and scoring, in one thread.
"""

import argparse
import math
import os
import statistics
import time
from dataclasses import replace
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

from tinynas import Dataset, SearchSpace
from tinynas.architecture.starts import starts
from tinynas.training.augment import augmentation_for
from tinynas.training.evaluate import train_fold
from tinynas.training.fit import Recipe, peak_rate_for
from tinynas.training.keras import configure
from tinynas.training.schedule import Schedule

FOLDS = 5
NUMBERS = {"label_smoothing": float, "weight_decay": float, "peak_rate": float, "batch_size": int, "plain": float}


def main() -> None:
    options = _options()
    dataset = opened(options)
    for network in map(int, options.networks.split(",")):
        for variant in options.variants:
            print(_variant(dataset, network, variant, options), flush=True)


def opened(options: argparse.Namespace) -> Dataset:
    """Return the data that `--data` and `--layout` name, and say what they are; what follows has one thread."""
    configure(1)
    dataset = Dataset.load(options.data, **({"layout": options.layout} if options.layout else {}))
    print(dataset.summary(), flush=True)
    return dataset


def _variant(dataset: Dataset, number: int, variant: str, options: argparse.Namespace) -> str:
    given = dict(part.split("=") for part in variant.split(",") if part != "base")
    space = SearchSpace.for_input(
        dataset.input_shape, dataset.n_classes, dropout=(0.0, float(given.pop("dropout", 0.0)))
    )
    network = space.assemble(*starts(dataset.input_shape)[number])
    recipe = Recipe(
        epochs=options.epochs,
        peak_rate=peak_rate_for(network),
        augmentation=augmentation_for(dataset.layout, given.pop("augment", options.augment).replace("+", ",")),
    )
    recipe = replace(recipe, **{name: NUMBERS[name](value) for name, value in given.items()})
    scores, start = [], time.process_time()
    for seed in range(options.seeds):
        fold = dataset.folds(FOLDS, 0)[seed % FOLDS]
        schedule = Schedule(1, len(fold.train), options.epochs)
        scores.append(train_fold(network, dataset, schedule, recipe, fold, seed, precision=options.precision)[0])
    took = (time.process_time() - start) / options.seeds
    int8, real = ([100 * getattr(each, kind).accuracy for each in scores] for kind in ("int8", "float"))
    return f"network {number} {variant:28s} int8 {mean_and_error(int8)} float {mean_and_error(real)}  {took:.1f} CPU s"


def mean_and_error(values: list[float]) -> str:
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return f"{statistics.mean(values):.2f} +/- {error:.2f}"


def _options() -> Any:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variants", nargs="+")
    parser.add_argument("--data", required=True)
    parser.add_argument("--layout", choices=("image", "series"))
    parser.add_argument("--networks", default="2,3", help="numbers of starts")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--augment", default="auto")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    return parser.parse_args()


if __name__ == "__main__":
    main()

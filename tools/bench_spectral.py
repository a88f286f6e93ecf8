"""Spectral features against samples as they are, on small series: a fixed network with one hidden layer, several seeds.

    pip download aeon==1.6.0 --no-deps
    unzip -q aeon-1.6.0-*.whl 'aeon/datasets/data/*'
    cd aeon/datasets/data
    python tools/bench_spectral.py BasicMotions OSULeaf GunPoint ACSF1 ItalyPowerDemand PickupGestureWiimoteZ

An argument is a folder with NAME_TRAIN.ts and NAME_TEST.ts of equal length. The network is scikit-learn's, 32 hidden
units with the same training for all, on inputs of 256 steps, as an int8 model has them; a forest of 200 trees stands
beside it. Prints a line a set and kind: inputs, weights, and the mean test accuracies over the seeds. A network of
convolutions, which a search finds, makes more of samples as they are than this one.
"""

import argparse
import statistics
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

sys.path.insert(0, str(Path(__file__).parents[1]))

from tinynas import Dataset

HIDDEN, PASSES, TREES = 32, 300, 200
MODELS: Mapping[str, Callable[[int], Any]] = {
    "network": lambda seed: MLPClassifier((HIDDEN,), max_iter=PASSES, random_state=seed),
    "forest": lambda seed: RandomForestClassifier(TREES, random_state=seed),
}


def read_ts(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Samples (n, steps, channels) and labels (n,) of a .ts file: channels between colons, then the label."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    rows = [line.split(":") for line in lines[[line.lower() for line in lines].index("@data") + 1 :] if line]
    samples = [[[float(value) for value in part.split(",")] for part in row[:-1]] for row in rows]
    return np.array(samples, np.float32).transpose(0, 2, 1), np.array([row[-1] for row in rows])


def load(folder: Path, features: str | None) -> Dataset:
    """The set in `folder`; of several files those whose series are of equal length."""
    (train,) = sorted(folder.glob("*_eq_TRAIN.ts")) or sorted(folder.glob("*_TRAIN.ts"))
    parts = (*read_ts(train), *read_ts(train.with_name(train.name.replace("TRAIN", "TEST"))))
    return Dataset.from_arrays(*parts, name=folder.name, layout="series", features=features)


def line(folder: Path, features: str | None, seeds: int) -> str:
    """A row of the table."""
    data = load(folder, features)
    x, x_test = (np.round(np.asarray(part).reshape(len(part), -1) * 255) / 255 for part in (data.x, data.x_test))
    cells = []
    for made in MODELS.values():
        scores = [100 * made(seed).fit(x, data.y).score(x_test, data.y_test) for seed in range(seeds)]
        cells.append(f"{statistics.mean(scores):.1f} +/- {statistics.stdev(scores):.1f} %")
    steps, _, channels = data.input_shape
    weights = x.shape[1] * HIDDEN + HIDDEN * data.n_classes
    about = folder.name, f"{len(x)}, {data.n_classes}", features or "samples", f"{steps} x {channels}", f"{weights:,}"
    return f"| {' | '.join((*about, *cells))} |"


def main() -> None:
    """Print the table as it grows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    print(f"| set | training samples, classes | input | steps x channels | weights | {' | '.join(MODELS)} |")
    print("|---|---|---|---|---|---|---|")
    for folder in given.sets:
        for features in (None, "spectral"):
            print(line(folder, features, given.seeds), flush=True)


if __name__ == "__main__":
    main()

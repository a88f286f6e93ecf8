"""Small series on their official splits: what a search finds, beside a forest of trees on the raw values.

    python tools/bench_small.py --data archive --sets OSULeaf,ACSF1,GunPoint,BasicMotions --minutes 3 --seeds 0,1

    python tools/bench_small.py --data archive --sets ACSF1 --seeds 0 --steps 300

With `--steps` nothing is searched: the hand-made starts are trained for so many steps at every strength of
regularisation ("before" is the noise that heeded no detail of the series), and their float accuracies on the test part
are printed.

`--data` is a folder of sets, each a folder `NAME` with `NAME_TRAIN.ts` and `NAME_TEST.ts`, as the UCR and UEA archives
have them; the wheel of aeon on PyPI holds some in `aeon/datasets/data` (`pip download aeon --no-deps`, and unzip it).
Sets whose series differ in length are left out. The forest is scikit-learn's, 200 trees. A search has `--minutes` of
wall time for everything, and reads the test part once, at its end; the CPU seconds of each are printed beside it, since
on a machine that does other work too they say what it had.
"""

import argparse
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import mean

import numpy as np

from tinynas import Architecture, Dataset, Limits, SearchSpace, search
from tinynas.training.augment import detail_of
from tinynas.training.regularization import STRENGTHS, regularization
from tinynas.training.schedule import batching

_TREES = 200


def main() -> None:
    """Print a line for each set and seed, and the means of each set in the end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", help="their names, with commas between them (default: all in the folder)")
    parser.add_argument("--steps", type=int, help="train the hand-made starts for so many steps, in place of a search")
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--seeds", default="0,1")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--target", default="nucleo_f401")
    parser.add_argument("--max-flash", type=int, default=64_000, help="bytes of the .tflite")
    parser.add_argument("--max-ram", type=int, default=64_000, help="bytes of the tensor arena")
    parser.add_argument("--out", type=Path, help="keep the runs in this folder")
    given = parser.parse_args()
    seeds = [int(seed) for seed in given.seeds.split(",")]
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for name in given.sets.split(",") if given.sets else _sets(given.data):
            train, test = (read_ts(given.data / name / f"{name}_{part}.ts") for part in ("TRAIN", "TEST"))
            if given.steps:
                _starts(name, train, test, seeds, given.steps)
                continue
            rows.append(_row(name, train, test, seeds, given, given.out or Path(scratch)))
    if given.steps:
        return
    print("\n| set | samples | length x channels | classes | forest | tinynas, int8 | tinynas, float |")
    print("|---|---|---|---|---|---|---|")
    print("\n".join(rows))


def _row(name: str, train, test, seeds: list[int], given: argparse.Namespace, out: Path) -> str:
    """Return the row of one set: means over the seeds."""
    dataset = Dataset.from_arrays(*train, *test, layout="series", name=name)
    print(dataset.summary(), flush=True)
    forests, int8, floats = [], [], []
    for seed in seeds:
        forests.append(forest(train, test, seed))
        start, used = time.monotonic(), _cpu_seconds()
        result = search(
            dataset,
            given.target,
            out=out / f"{name}-{seed}",
            limits=Limits(flash_bytes=given.max_flash, ram_bytes=given.max_ram),
            workers=given.workers,
            seed=seed,
            time_budget_s=60 * given.minutes,
        )
        best = result.summary["best"]
        int8.append(best["test"]["int8"]["accuracy"])
        floats.append(best["test"]["float"]["accuracy"])
        print(
            f"{name}, seed {seed}: forest {forests[-1]:.3f}, int8 {int8[-1]:.3f}, float {floats[-1]:.3f}, "
            f"validation {best['validation']['accuracy']['mean']:.3f}, {len(result.trials)} trials, "
            f"{time.monotonic() - start:.0f} s, {_cpu_seconds() - used:.0f} CPU s | {best['regularization']} | "
            f"{best['description']}",
            flush=True,
        )
    length, channels = dataset.input_shape[0], dataset.input_shape[2]
    return (
        f"| {name} | {len(dataset.y)} + {len(dataset.y_test)} | {length} x {channels} | {dataset.n_classes} | "
        f"{mean(forests):.3f} | {mean(int8):.3f} | {mean(floats):.3f} |"
    )


def _starts(name: str, train, test, seeds: list[int], steps: int) -> None:
    """Print the test accuracy of each hand-made start at each strength, a mean over the seeds."""
    from tinynas.training.keras import configure

    configure(1)
    dataset = Dataset.from_arrays(*train, *test, layout="series", name=name)
    print(f"{dataset.summary()}; detail {detail_of(dataset.x):.4f}", flush=True)
    for start in SearchSpace.for_input(dataset.input_shape, dataset.n_classes).handmade():
        for strength in ("", *STRENGTHS):
            began = time.process_time()
            found = mean(_trained(start, dataset, strength, steps, seed) for seed in seeds)
            print(
                f"{name} | {strength or 'before':6} | {found:.3f} | {time.process_time() - began:.0f} CPU s | {start}",
                flush=True,
            )


def _trained(start: Architecture, dataset: Dataset, strength: str, steps: int, seed: int) -> float:
    """Return the float accuracy on the test part after so many steps."""
    from tinynas.training.build import build
    from tinynas.training.convert import clear
    from tinynas.training.fit import Recipe, fit, predict
    from tinynas.training.keras import seed_everything

    how = regularization(strength, dataset.layout, "auto", detail_of(dataset.x))
    recipe = Recipe(1, weight_decay=how.weight_decay, augmentation=how.augmentation)
    recipe = replace(recipe, epochs=max(1, round(steps / batching(len(dataset.y), recipe.batch_size)[2])))
    seed_everything(seed)
    model = build(start if how.dropout is None else replace(start, dropout=how.dropout))
    fit(model, np.asarray(dataset.x), dataset.y, recipe, seed)
    right = predict(model, np.asarray(dataset.x_test)).argmax(axis=1) == dataset.y_test
    clear()
    return float(right.mean())


def forest(train, test, seed: int) -> float:
    """Return the test accuracy of a forest on the raw values."""
    from sklearn.ensemble import RandomForestClassifier

    (x, y), (x_test, y_test) = train, test
    trees = RandomForestClassifier(_TREES, random_state=seed, n_jobs=1).fit(x.reshape(len(x), -1), y)
    return float(trees.score(x_test.reshape(len(x_test), -1), y_test))


def read_ts(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return series (n, L, C) and labels (n,) of a .ts file; ValueError where the series differ in length.

    After `@data` a sample is a line: its channels and then its label, with colons between them.
    """
    samples, labels, began = [], [], False
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        text = line.strip()
        if began and text:
            *channels, label = text.split(":")
            samples.append([[float(value) for value in channel.split(",")] for channel in channels])
            labels.append(label)
        began = began or text.lower() == "@data"
    if len({len(channel) for sample in samples for channel in sample}) != 1:
        raise ValueError(f"{path} has series of several lengths, or none; wanted series of one.")
    return np.array(samples, np.float32).transpose(0, 2, 1), np.array(labels)


def _sets(folder: Path) -> list[str]:
    """Return the names of the sets in `folder` that can be read."""
    return [path.name for path in sorted(folder.iterdir()) if _is_readable(path)]


def _is_readable(folder: Path) -> bool:
    try:
        for part in ("TRAIN", "TEST"):
            read_ts(folder / f"{folder.name}_{part}.ts")
    except (OSError, ValueError):
        return False
    return True


def _cpu_seconds() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


if __name__ == "__main__":
    main()

"""Kinds of features against each other: the same search on the same recordings, with several seeds, a line a run.

    python tools/make_spoken.py words
    python tools/bench_sound.py words --minutes 10 --seeds 3 --out sound.json
    python tools/bench_sound.py words --features int_log_mel int_log_mel+pcan

A search with each kind of features and each seed, one after the other, for so many minutes of wall time (or --trials
trained children, which no other load on the machine changes). Test accuracy is that of the final int8 model. The file
is written after every run, and what is in it is not run again; the table at the end is of all that is in it.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tinynas import Dataset, search
from tinynas.features import SOUND
from tinynas.options.reading import SOUND_FEATURES
from tinynas.runs.folder import write_atomically

Row = dict[str, Any]


def run(dataset: Dataset, budget: Mapping[str, Any], seed: int, workers: int | None, target: str) -> Row:
    """What a search found: accuracies, sizes, how many were trained."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        result = search(dataset, target, out=out, seed=seed, workers=workers, progress=False, **budget)
    best, trials = result.summary["best"], result.summary["trials"]
    return {
        "test_int8": best["test"]["int8"]["accuracy"],
        "test_float": best["test"]["float"]["accuracy"],
        "validation": best["validation"]["accuracy"]["mean"],
        "flash_bytes": best["footprint"]["flash"]["model"] + best["footprint"]["flash"]["runtime"],
        "front_end_flash_bytes": best["footprint"]["flash"]["front_end"],
        "arena_bytes": best["arena_bytes"],
        "macs": best["macs"],
        "stream": best["stream"],
        "trials": trials["complete"],
        "seconds": result.summary["seconds"],
    }


def table(rows: Sequence[Row]) -> str:
    """A row a kind: test accuracies over the seeds, and their means."""
    lines = [
        "| features | seeds | test accuracy, int8 | mean | standard deviation | trials |",
        "|---|---|---|---|---|---|",
    ]
    for kind in dict.fromkeys(row["features"] for row in rows):
        found = [row for row in rows if row["features"] == kind]
        scores = [row["test_int8"] for row in found]
        spread = statistics.stdev(scores) if len(scores) > 1 else 0.0
        trials = f"{min(row['trials'] for row in found)} to {max(row['trials'] for row in found)}"
        each = ", ".join(f"{score:.4f}" for score in scores)
        lines.append(f"| `{kind}` | {len(found)} | {each} | {statistics.mean(scores):.4f} | {spread:.4f} | {trials} |")
    return "\n".join(lines)


def main() -> None:
    """Run what is not in the file; print a line a run, then the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="a folder of WAV files, such as tools/make_spoken.py writes")
    parser.add_argument("--minutes", type=float, default=10, help="of each search")
    parser.add_argument("--trials", type=int, help="trained children of each search, in place of minutes")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--features", nargs="+", choices=SOUND_FEATURES, default=list(SOUND))
    parser.add_argument("--workers", type=int)
    parser.add_argument("--target", default="nucleo_f401")
    parser.add_argument("--sample-rate", type=int, default=16_000)
    parser.add_argument("--out", type=Path, default=Path("sound.json"))
    given = parser.parse_args()
    budget: dict[str, Any] = {"time_budget_s": 60 * given.minutes}
    if given.trials is not None:
        budget = {"max_trials": given.trials}
    about = {"budget": budget, "target": given.target, "sample_rate": given.sample_rate}
    kept = json.loads(given.out.read_text()) if given.out.exists() else {**about, "data": "", "runs": []}
    if {name: kept[name] for name in about} != about:
        sys.exit(f"{given.out} has runs with { ({name: kept[name] for name in about}) }: name another --out.")
    for seed in range(given.seeds):
        for kind in given.features:
            if any((row["features"], row["seed"]) == (kind, seed) for row in kept["runs"]):
                continue
            dataset = Dataset.load(given.data, sample_rate=given.sample_rate, features=kind)
            row = {"features": kind, "seed": seed, **run(dataset, budget, seed, given.workers, given.target)}
            kept = {**kept, "data": dataset.summary(), "runs": [*kept["runs"], row]}
            write_atomically(given.out, json.dumps(kept, indent=1).encode() + b"\n")
            print(
                f"{kind}, seed {seed}: test {row['test_int8']:.4f} int8 ({row['test_float']:.4f} float), "
                f"validation {row['validation']:.4f}, {row['trials']} trained in {row['seconds']:.0f} s",
                flush=True,
            )
    print(table(kept["runs"]))


if __name__ == "__main__":
    main()

"""What does a search gain? The network it found against the best hand-made start, both with the same final training.

    python tools/bench_gain.py --fashion DIR --har DIR --mnist1d DIR --out docs/benchmarks/gain.json
        [--seeds 3] [--minutes 6] [--finals 3] [--jobs 2]
    python tools/bench_gain.py --summary docs/benchmarks/gain.json

Three cells: Fashion-MNIST under 16 KiB of file and 8 KiB of arena; recordings of wrists and mnist1d, two sets of
series, under 6 KiB and 4 KiB. A run is a search of so many minutes on one core, from the first proposal to the final
int8 file. Then the best of the hand-made starts that fit (shrunk where they do not) gets the final training of the
found network: its recipe, its epochs, and its seeds, of which there are `--finals`, since one network trained twice
differs by points on a small test set. Which start is the best is told by a training of a quarter of that on the samples
of the first fold, or of all folds where groups are few, so that test samples choose nothing. Gain: the mean int8
accuracy of the found network on the test set less the start's, in points. Runs are processes of their own, `--jobs`
side by side; a result file that is there is gone on with.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study import starts as hand_made

from tinynas import Architecture, Dataset, Limits, Target, screen, search
from tinynas.runs import Settings, read_settings
from tinynas.searching.jobs import FinalJob, Job
from tinynas.searching.worker import Worker
from tinynas.training.schedule import Lengths, Schedule

CHECKED = 0.25  # of the final training's epochs: the length by which the best start is told


@dataclass(frozen=True)
class Cell:
    """Data, as `Dataset.load` takes them, and bytes of file and arena."""

    name: str
    flash_bytes: int
    ram_bytes: int
    layout: str | None = None
    augment: str = "auto"


CELLS = {
    "fashion": Cell("fashion", 16_384, 8_192, augment="flip"),
    "har": Cell("har", 6_144, 4_096, "series"),
    "mnist1d": Cell("mnist1d", 6_144, 4_096, "series"),
}


def main() -> None:
    options = _options()
    if options.summary:
        print(_table(json.loads(options.summary.read_text())["runs"]))
    elif options.run:
        name, seed, core = options.run.split(":")
        os.sched_setaffinity(0, {int(core)})  # before TensorFlow counts its threads
        found = _run(CELLS[name], getattr(options, name), int(seed), options.minutes, options.finals)
        print(json.dumps(found), flush=True)
    else:
        _all(options)


def _all(options: argparse.Namespace) -> None:
    """Run what the result file lacks, `--jobs` at a time."""
    runs: list[dict[str, Any]] = json.loads(options.out.read_text())["runs"] if options.out.exists() else []
    done = {(run["cell"], run["seed"]) for run in runs}
    waiting = [(n, s) for s in range(options.seeds) for n in CELLS if getattr(options, n) and (n, s) not in done]
    running: dict[int, subprocess.Popen[str]] = {}  # by the core that a run has to itself
    while waiting or running:
        for core in sorted(os.sched_getaffinity(0))[: options.jobs]:
            if waiting and core not in running:
                name, seed = waiting.pop(0)
                command = [sys.executable, __file__, "--run", f"{name}:{seed}:{core}"]
                command += [
                    "--minutes",
                    str(options.minutes),
                    "--finals",
                    str(options.finals),
                    f"--{name}",
                    str(getattr(options, name)),
                ]
                running[core] = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=sys.stderr, text=True)
        time.sleep(1)
        for core, process in [each for each in running.items() if each[1].poll() is not None]:
            del running[core]
            assert process.stdout is not None
            if process.returncode:
                raise SystemExit("A run failed: what it said is above; the others are kept.")
            runs.append(json.loads(process.stdout.read().splitlines()[-1]))
            runs.sort(key=lambda run: (run["cell"], run["seed"]))
            options.out.write_text(json.dumps({"command": " ".join(sys.argv), "runs": runs}, indent=1))
            print(_line(max(runs, key=lambda run: run["ended"])), flush=True)
    print(_table(runs))


def _run(cell: Cell, data: str, seed: int, minutes: float, finals: int) -> dict[str, Any]:
    """Search, then train the found network and the best start alike; return both."""
    dataset = Dataset.load(data, **({"layout": cell.layout} if cell.layout else {}))
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        result = search(
            dataset,
            Target.load("nucleo_f401"),
            out=Path(folder) / "run",
            limits=Limits(flash_bytes=cell.flash_bytes, ram_bytes=cell.ram_bytes),
            workers=1,
            seed=seed,
            time_budget_s=60 * minutes,
            augment=cell.augment,
            progress=False,
        )
        took = time.monotonic() - start
        settings = read_settings(result.folder)
    best = result.summary["best"]
    worker, epochs = Worker(dataset, settings), best["epochs"]
    starts = hand_made(settings.space, settings.target, settings.limits, settings.seed)
    scores = {each.key: _score(worker, dataset, settings, each, max(2, round(CHECKED * epochs))) for each in starts}
    chosen = max(starts, key=lambda each: scores[each.key])
    network = Architecture.from_dict(best["architecture"])
    found = _finals(worker, network, range(seed, seed + finals), epochs)
    alike = chosen.key == network.key  # the same trainings would give the same
    hand = found if alike else _finals(worker, chosen, range(seed, seed + finals), epochs)
    return {
        "cell": cell.name,
        "seed": seed,
        "search_s": round(took),
        "trials": result.summary["trials"],
        "epochs": epochs,
        "as_searched": best["test"]["int8"]["accuracy"],
        "found": {"text": best["description"], **found},
        "start": {"text": str(chosen), "validation": scores[chosen.key], **hand},
        "gain": round(100 * (found["int8"] - hand["int8"]), 3),
        "load": os.getloadavg()[0],
        "ended": time.time(),
    }


def _score(worker: Worker, dataset: Dataset, settings: Settings, architecture: Architecture, epochs: int) -> float:
    """Return the int8 validation accuracy after so many epochs on all training samples of the first fold, or of all."""
    lengths = Lengths.of(dataset, settings.n_folds)
    schedule = Schedule(settings.n_folds if lengths.few else 1, lengths.full().samples, epochs)
    footprint = screen(architecture, settings.target)
    evaluation = worker.evaluate(Job(0, 0, None, architecture, "proxy", settings.seed, footprint, schedule)).evaluation
    if not evaluation.folds:
        raise SystemExit(f"{architecture}: {evaluation.error}")
    return evaluation.mean()


def _finals(worker: Worker, network: Architecture, seeds: Sequence[int], epochs: int) -> dict[str, Any]:
    """Return what the final training of a network gives, with each of `seeds`; accuracies are means of them."""
    start = time.process_time()
    finals = [worker.final(FinalJob(network, seed, epochs, None)) for seed in seeds]
    return {
        "int8": statistics.mean(final.scores.int8.accuracy for final in finals),
        "float": statistics.mean(final.scores.float.accuracy for final in finals),
        "each": [final.scores.int8.accuracy for final in finals],
        "flash_bytes": finals[0].footprint.flash_bytes,
        "arena_bytes": finals[0].footprint.arena_bytes,
        "cpu_s": round(time.process_time() - start, 1),
    }


def _table(runs: Sequence[dict[str, Any]]) -> str:
    lines = ["| cell | runs | found | best start | gain, points | standard error |", "|" + "---|" * 6]
    lines += [
        _row(name, [run for run in runs if run["cell"] == name]) for name in dict.fromkeys(run["cell"] for run in runs)
    ]
    return "\n".join([*lines, _row("all", runs)])


def _row(name: str, runs: Sequence[dict[str, Any]]) -> str:
    gains = [run["gain"] for run in runs]
    error = statistics.stdev(gains) / math.sqrt(len(gains)) if len(gains) > 1 else math.nan
    found, start = (100 * statistics.mean(run[side]["int8"] for run in runs) for side in ("found", "start"))
    return f"| {name} | {len(runs)} | {found:.2f} % | {start:.2f} % | {statistics.mean(gains):+.2f} | {error:.2f} |"


def _line(run: dict[str, Any]) -> str:
    return (
        f"{run['cell']} seed {run['seed']}: found {100 * run['found']['int8']:.2f} %, start "
        f"{100 * run['start']['int8']:.2f} %, gain {run['gain']:+.2f}; {run['epochs']} epochs; {run['found']['text']}"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in CELLS:
        parser.add_argument(f"--{name}", help=f"the data of the cell {name}")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=6.0)
    parser.add_argument("--finals", type=int, default=3, help="final trainings of either network, each with its seed")
    parser.add_argument("--jobs", type=int, default=2, help="runs side by side, a core each")
    parser.add_argument("--out", type=Path, default=Path("gain.json"))
    parser.add_argument("--summary", type=Path, help="print the table of a result file")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()

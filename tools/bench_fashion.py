"""The headline: Fashion-MNIST from the first proposal to the final int8 file, within bounds of time and bytes.

    python tools/bench_fashion.py --minutes 60 --out runs/headline
    python tools/bench_fashion.py --minutes 30 --max-flash 16384 --max-ram 8192 --out runs/tight
    python tools/bench_fashion.py --minutes 18 --max-flash 16384 --max-ram 8192 --handmade tools/tight.json --out hand

`--minutes` is wall time for everything; the test set is read once, at the end. `--handmade` trains the network in a
JSON file (Architecture.to_dict) in place of a search, by the same recipe, so that both can stand side by side.
"""

import argparse
import json
import os
import platform
import resource
import sys
import time
from pathlib import Path

from tinynas import Architecture, Dataset, Limits, SearchSpace, Target, __version__, screen, search
from tinynas.runs import DataSource, Settings
from tinynas.searching import GenerationStarted, Note, TrialDone, with_limits
from tinynas.searching.jobs import FinalJob
from tinynas.searching.processes import Processes
from tinynas.training.precision import best_precision
from tinynas.training.schedule import Lengths

FASHION = Path("/usr/share/datasets/fashion-mnist")  # Debian's package dataset-fashion-mnist
AUGMENT = "shift,flip,erase"  # a coat mirrored is a coat, and one seen in part is one too


def main() -> None:
    options = _options()
    dataset = Dataset.load(options.data)
    target = Target.load(options.target)
    (_search if options.handmade is None else _train)(options, dataset, target)


def _search(options: argparse.Namespace, dataset: Dataset, target: Target) -> None:
    """Search, and print what was found."""
    start = time.monotonic()
    result = search(
        dataset,
        target,
        out=options.out,
        limits=Limits(flash_bytes=options.max_flash, ram_bytes=options.max_ram),
        workers=options.workers,
        seed=options.seed,
        time_budget_s=options.minutes * 60,
        augment=options.augment,
        watch=lambda event: _tell(event, time.monotonic() - start),
    )
    best = result.summary["best"]
    used = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    found = {
        "command": " ".join(sys.argv),
        "python": platform.python_version(),
        "minutes": round((time.monotonic() - start) / 60, 2),
        "cpu_minutes": round(sum(each.ru_utime + each.ru_stime for each in used) / 60, 2),
        "trials": result.summary["trials"],
        "int8": best["test"]["int8"]["accuracy"],
        "float": best["test"]["float"]["accuracy"],
        "validation": best["validation"]["accuracy"],
        "held_out": best["held_out"],
        **{key: best[key] for key in ("flash_bytes", "arena_bytes", "params", "macs", "epochs", "description")},
    }
    print(json.dumps(found, indent=1))
    (Path(options.out) / "bench.json").write_text(json.dumps(found, indent=1))


def _train(options: argparse.Namespace, dataset: Dataset, target: Target) -> None:
    """Train one network as a search would in the end, and print what became of it."""
    architecture = Architecture.from_dict(json.loads(options.handmade.read_text()))
    limits = with_limits(target, flash_bytes=options.max_flash, ram_bytes=options.max_ram)
    violations = limits.violations(screen(architecture, target))
    if violations:
        raise SystemExit(f"{options.handmade} does not fit: {'; '.join(map(str, violations))}.")
    workers = options.workers or len(os.sched_getaffinity(0))
    settings = Settings.create(
        version=__version__,
        target=target,
        data=DataSource(kind="arrays", digest=dataset.digest, summary=dataset.summary()),
        space=SearchSpace.for_input(dataset.input_shape, dataset.n_classes),
        limits=limits,
        seed=options.seed,
        augment=options.augment,
        precision=best_precision(dataset.input_shape),
        final_threads=workers,
    )
    executor = Processes(dataset, settings, workers)
    try:
        epochs = Lengths.of(dataset, settings.n_folds).final(timed=True)
        job = FinalJob(architecture, options.seed, epochs, options.minutes * 60)
        final = executor.final(job, lambda p: print(f"epoch {p.epoch} of {p.epochs}: loss {p.loss:.4f}", flush=True))
    finally:
        executor.close()
    found = {
        "command": " ".join(sys.argv),
        "int8": final.scores.int8.accuracy,
        "float": final.scores.float.accuracy,
        "held_out": dict(final.judged),
        "flash_bytes": final.footprint.flash_bytes,
        "arena_bytes": final.footprint.arena_bytes,
        "params": final.footprint.params,
        "macs": final.footprint.macs,
        "epochs": final.epochs,
        "description": str(architecture),
    }
    print(json.dumps(found, indent=1))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "bench.json").write_text(json.dumps(found, indent=1))


def _tell(event: object, seconds: float) -> None:
    if isinstance(event, TrialDone):
        full, rung = event.trial.evaluation.training
        print(f"{seconds:7.0f} s  {'finalist' if full else f'rung {rung}'}  {event.trial}", flush=True)
    elif isinstance(event, Note):
        print(f"{seconds:7.0f} s  {event.text}", flush=True)
    elif isinstance(event, GenerationStarted):
        print(f"{seconds:7.0f} s  generation {event.generation}: {event.to_train} to train", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--max-flash", type=int, default=64_000, help="bytes of the .tflite")
    parser.add_argument("--max-ram", type=int, default=64_000, help="bytes of the tensor arena")
    parser.add_argument("--target", default="nucleo_f401")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--augment", default=AUGMENT)
    parser.add_argument("--data", type=Path, default=FASHION)
    parser.add_argument("--handmade", type=Path, help="a network as JSON, to be trained in place of a search")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()

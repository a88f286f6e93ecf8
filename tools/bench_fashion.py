"""The headline: Fashion-MNIST from the first proposal to the final int8 file, within bounds of time and bytes.

    python tools/bench_fashion.py --minutes 60 --out runs/headline
    python tools/bench_fashion.py --minutes 30 --max-flash 16384 --max-ram 8192 --out runs/tight

`--minutes` is wall time for everything; the test set is read once, at the end.
"""

import argparse
import json
import platform
import resource
import sys
import time
from pathlib import Path

from tinynas import Dataset, Limits, Target, search
from tinynas.searching import GenerationStarted, Note, TrialDone

FASHION = Path("/usr/share/datasets/fashion-mnist")  # Debian's package dataset-fashion-mnist
AUGMENT = "shift,flip,erase"  # a coat mirrored is a coat, and one seen in part is one too


def main() -> None:
    options = _options()
    dataset = Dataset.load(options.data)
    target = Target.load(options.target)
    start = time.monotonic()
    result = search(
        dataset,
        target,
        out=options.out,
        limits=Limits(flash_bytes=options.max_flash, ram_bytes=options.max_ram),
        workers=options.workers,
        seed=options.seed,
        time_budget_s=options.minutes * 60,
        augment=AUGMENT,
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


def _tell(event: object, seconds: float) -> None:
    if isinstance(event, TrialDone):
        print(f"{seconds:7.0f} s  rung {event.trial.evaluation.rung}  {event.trial}", flush=True)
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
    parser.add_argument("--data", type=Path, default=FASHION)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()

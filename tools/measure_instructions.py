"""What a turn of each kernel's loops costs: `python tools/measure_instructions.py` writes it to kernels/measured.json.

Every model of tests/fixtures/arena runs in both presets on an emulated Cortex-M4F, and so do random models of one
operator (--random N); the instructions of each call are held against the turns of its loops
(tinynas/engine/instructions.py) by least squares of the relative errors, no cost below 0. Prints how far the sums of
models are off. `--check` measures nothing anew: it prints how far the costs that are there are off.
"""

import argparse
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median

import numpy as np
from scipy.optimize import nnls

sys.path.insert(0, str(Path(__file__).parents[1]))

from boards import BOARDS, run
from measure_kernels import write

from tests.engine.random_graphs import random_graph
from tinynas.engine import build
from tinynas.engine.figures import measured
from tinynas.engine.instructions import Work, cost_of, works
from tinynas.tflite import write as write_tflite

ARENA = Path(__file__).parents[1] / "tests" / "fixtures" / "arena"
LIKE = {"tn_running_average": "tn_running_mean"}
"""Kernels that none of these models may have, and those whose loops are the same."""

Calls = list[tuple[Work, int]]


def calls_of(data: bytes, optimize: str) -> tuple[Calls, int]:
    """The works of an engine with the instructions that each took, and those of the run."""
    engine = build(data, optimize=optimize)  # type: ignore[arg-type]
    size = engine.net.values[engine.net.input].bytes
    samples = np.random.default_rng(0).integers(-128, 128, (1, size), np.int8)
    with tempfile.TemporaryDirectory() as folder:
        report = run(engine, samples, BOARDS["Cortex-M4F"], Path(folder))
    return list(zip(works(engine.net, engine.plan), report.layers, strict=True)), report.instructions


def solved(calls: Calls) -> dict[str, list[float]]:
    """Costs of each kernel's loops. The timer ticks every 40 instructions, so that calls below 1,000 weigh less."""
    by_kernel: dict[str, Calls] = defaultdict(list)
    for work, taken in calls:
        by_kernel[work.kernel].append((work, taken))
    found = {}
    for kernel, rows in sorted(by_kernel.items()):
        counts = np.array([work.counts for work, _ in rows], float)
        taken = np.array([each for _, each in rows], float)
        weight = 1 / np.maximum(taken, 1000)
        scale = np.maximum(counts.max(0), 1)
        costs, _ = nnls(counts / scale * weight[:, None], taken * weight, maxiter=1000)
        found[kernel] = [round(float(cost), 3) for cost in costs / scale]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--random", type=int, default=100, metavar="N")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    models = {path.stem: path.read_bytes() for path in options.models or sorted(ARENA.glob("*.tflite"))}
    nets = {(name, preset): calls_of(data, preset) for name, data in models.items() for preset in ("memory", "speed")}
    if not options.check:
        extra = [write_tflite(random_graph(number)) for number in range(options.random)]
        calls = [each for found, _ in nets.values() for each in found]
        calls += [each for data in extra for preset in ("memory", "speed") for each in calls_of(data, preset)[0]]
        found = {"tn_foreign": [0.0] * 3, **solved(calls)}
        measured()["instructions"] = {**{name: found[other] for name, other in LIKE.items()}, **found}
        write(measured())
    for preset in ("memory", "speed"):
        errors = {
            name: sum(cost_of(work) for work, _ in found) / taken - 1
            for (name, each), (found, taken) in nets.items()
            if each == preset
        }
        worst = max(errors, key=lambda name: abs(errors[name]))
        print(f"{preset}: median error {median(map(abs, errors.values())):.1%}, worst {errors[worst]:+.1%} ({worst})")


if __name__ == "__main__":
    main()

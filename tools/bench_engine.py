"""The engine against TFLM with CMSIS-NN, on an emulated Cortex-M: instructions, memory and stack of each model.

    python tools/bench_engine.py                              every fixture, preset speed, Cortex-M4F
    python tools/bench_engine.py mn_tiny_c4_b1 my.tflite      some of them, and files of one's own
    python tools/bench_engine.py --board Cortex-M0 --optimize memory
    python tools/bench_engine.py --flash                      Flash instead, of linked programs

Every layer's result is held against the reference in numpy on the way. TFLM's figures are those of
tests/fixtures/arena/measured.json (Cortex-M4F, CMSIS-NN with DSP); a model that is not in it has none.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from boards import BOARDS, Report, hash_of, linked_bytes, run, whole_results

from tinynas.engine import Engine, build
from tinynas.engine.engine import Preset
from tinynas.engine.evaluate import evaluate_all

ARENA = Path(__file__).resolve().parents[1] / "tests" / "fixtures" / "arena"
WEIGHTY = 0.1  # of a net's instructions: a kind of operator that has more counts on its own
Row = dict[str, Any]


def kinds_of(engine: Engine, report: Report, per_op: list[Row]) -> tuple[Counter[str], Counter[str]]:
    """Instructions by kind of operator: the engine's, and TFLM's. A layer made of several operators goes with the first
    that is no padding, and so do they; operators without a layer are TFLM's alone."""
    ours: Counter[str] = Counter()
    theirs: Counter[str] = Counter()
    names, merged = engine.net.names, {}
    for layer in engine.net.layers:
        kinds = [names[operator] for operator in layer.operators if names[operator] not in ("PAD", "PADV2")]
        merged.update(dict.fromkeys(layer.operators, (kinds or [names[layer.operators[0]]])[0]))
    for index, operator in enumerate(per_op):
        theirs[merged.get(index, operator["op"])] += operator["instructions"]
    for call, instructions in zip(engine.calls, report.layers, strict=True):
        ours[merged[engine.net.layers[call.layer].operators[0]]] += instructions
    return ours, theirs


def measure(data: bytes, board: str, optimize: Preset, flags: str) -> tuple[Engine, Report, bool]:
    """The engine, what one run of it took, and whether every whole result of a layer was that of the reference."""
    engine = build(data, optimize=optimize)
    size = engine.net.values[engine.net.input].bytes
    samples = np.random.default_rng(0).integers(-128, 128, (1, size), np.int8)
    with tempfile.TemporaryDirectory() as folder:
        report = run(engine, samples, BOARDS[board], Path(folder), flags)
    values = evaluate_all(engine.net, samples, engine.rounding)
    exact = bool((report.outputs == values[engine.net.output]).all())
    for call, (_, size), found in zip(engine.calls, whole_results(engine), report.hashes, strict=True):
        exact = exact and (not size or found == hash_of(values[engine.net.layers[call.layer].output]))
    return engine, report, exact


def show_flash(models: list[str], board: str, flags: str) -> None:
    """Flash that a linked program grows by, in both presets: what lies beside weights and biases, and tables of it."""
    print(f"{'model':22} {'weights':>9}  {'code + tables':>13} {'tables':>7}  {'for speed':>9} {'tables':>7}")
    beside = {}
    for model in models:
        path = _path(model)
        line = f"{path.stem:22}"
        for optimize in ("memory", "speed"):
            engine = build(path.read_bytes(), optimize=optimize)  # type: ignore[arg-type]
            weights, tables = engine.figures.weights, engine.figures.tables
            with tempfile.TemporaryDirectory() as folder:
                beside[path.stem, optimize] = linked_bytes(engine, BOARDS[board], Path(folder), flags) - weights
            line += f" {weights:>9} " if optimize == "memory" else " "
            line += f" {beside[path.stem, optimize]:>{13 if optimize == 'memory' else 9}} {tables:>7}"
        print(line, flush=True)
    for optimize in ("memory", "speed"):
        sizes = {name: size for (name, each), size in beside.items() if each == optimize}
        most = max(sizes, key=lambda name: sizes[name])
        print(f"preset {optimize}: median {median(sizes.values()):,.0f} B, most {sizes[most]:,} B ({most})")


def _path(model: str) -> Path:
    return Path(model) if model.endswith(".tflite") else ARENA / f"{model}.tflite"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "models", nargs="*", help="names of fixtures, or .tflite files; all fixtures when none is given"
    )
    parser.add_argument("--board", choices=BOARDS, default="Cortex-M4F")
    parser.add_argument("--optimize", choices=("memory", "speed"), default="speed")
    parser.add_argument("--flags", default="-Os", help="the compiler's option of optimisation")
    parser.add_argument("--layers", action="store_true", help="also every layer")
    parser.add_argument("--flash", action="store_true", help="Flash of linked programs instead")
    options = parser.parse_args(arguments)
    if options.flash:
        show_flash(options.models or sorted(path.stem for path in ARENA.glob("*.tflite")), options.board, options.flags)
        return 0
    measured = {net["model"]: net for net in json.loads((ARENA / "measured.json").read_text())}
    ratios, slow, wrong = [], [], []
    ours_all: Counter[str] = Counter()
    theirs_all: Counter[str] = Counter()
    print(f"{'model':22} {'engine':>10} {'said':>10} {'TFLM':>10} {'ratio':>6} {'memory':>8} {'arena':>8} {'stack':>6}")
    for model in options.models or sorted(measured):
        path = _path(model)
        engine, report, exact = measure(path.read_bytes(), options.board, options.optimize, options.flags)
        net = measured.get(path.stem)
        line = f"{path.stem:22} {report.instructions:>10} {engine.figures.instructions:>10}"
        if net is not None:
            theirs_total, arena = net["m4_cmsis_nn"]["instructions"], net["m4_cmsis_nn"]["min_arena"]
            ratio = report.instructions / theirs_total
            ratios.append((ratio, path.stem))
            line += f" {theirs_total:>10} {ratio:>6.3f} {engine.memory_bytes:>8} {arena:>8} {report.stack_bytes:>6}"
            ours, theirs = kinds_of(engine, report, net["per_op"])
            ours_all.update(ours)
            theirs_all.update(theirs)
            total = sum(theirs.values())
            slow += [
                f"{path.stem} {kind} {ours[kind]} > {theirs[kind]}"
                for kind in theirs
                if theirs[kind] > WEIGHTY * total and ours[kind] > theirs[kind]
            ]
        else:
            line += f" {'':>10} {'':>6} {engine.memory_bytes:>8} {'':>8} {report.stack_bytes:>6}"
        print(line + ("" if exact else "  WRONG"), flush=True)
        wrong += [] if exact else [path.stem]
        if options.layers:
            for call, instructions in zip(engine.calls, report.layers, strict=True):
                layer = engine.net.layers[call.layer]
                theirs_of = sum(net["per_op"][index]["instructions"] for index in layer.operators) if net else 0
                window = getattr(layer.spec, "window", "")
                print(f"    {layer.kind:14} {instructions:>10} {theirs_of:>10} {tuple(window)}")
    if ratios:
        print(f"\nmedian {median(ratio for ratio, _ in ratios):.3f}, worst {max(ratios)[0]:.3f} ({max(ratios)[1]})\n")
        print(f"{'operator':20} {'engine':>12} {'TFLM':>12} {'ratio':>6}")
        for kind, theirs_total in theirs_all.most_common():
            print(f"{kind:20} {ours_all[kind]:>12} {theirs_total:>12} {ours_all[kind] / theirs_total:>6.3f}")
        print("\nkinds with more than 10 % of a net that are slower:", "; ".join(slow) or "none")
    print("results that differ from the reference:", ", ".join(wrong) or "none")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

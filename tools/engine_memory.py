"""Memory and Flash of models as plain C beside TFLM's: `python tools/engine_memory.py [MODEL.tflite ...]`.

Without files, of the models in tests/fixtures/arena. TFLM's arena is the exact minimum with CMSIS-NN on a Cortex-M4
(`tinynas analyze`); "whole" is the engine's memory with every value whole, "by rows" what `tinynas convert --format
engine` makes. With `--exact N`, N inputs of each model are also run in TFLM and in the engine's arithmetic.
"""

import argparse
import sys
from pathlib import Path
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.engine.host import samples, shaped
from tests.tflite import wheel
from tinynas.engine import Engine, build, estimate
from tinynas.tflite import analyze, read

ARENA = Path(__file__).parents[1] / "tests" / "fixtures" / "arena"


def row(path: Path, inputs: int) -> tuple[float, float]:
    """Print the model's row; its memory as shares of TFLM's arena, of whole values and by rows."""
    data = path.read_bytes()
    analysis, graph = analyze(data), read(data)
    whole, rows = estimate(graph, by_rows=False), estimate(graph)
    arena = analysis.footprint.arena_bytes
    said = [
        f"{path.stem:22}",
        f"{arena:9,}",
        f"{whole.memory:9,}",
        f"{rows.memory:9,}",
        f"{rows.memory / arena:6.2f}",
        f"{rows.weights:9,}",
        f"{rows.code + rows.tables:7,}",
        f"{analysis.footprint.flash.total - rows.flash:9,}",
        f"{rows.macs / max(1, analysis.footprint.macs):6.2f}",
    ]
    if inputs:
        said.append(f"{differing(data, build(data), inputs):6,}")
    print(" ".join(said), flush=True)
    return whole.memory / arena, rows.memory / arena


def differing(data: bytes, engine: Engine, inputs: int) -> int:
    """How many outputs differ between TFLM and the engine's arithmetic."""
    given = samples(engine.net, inputs)
    (found,) = wheel.outputs([(data, shaped(engine, given))])
    return int((np.asarray(found).reshape(inputs, -1) != engine.run(given)).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--exact", type=int, default=0, metavar="N")
    options = parser.parse_args()
    heads = "model                      arena     whole   by rows  share   weights    code     Flash   MACs"
    print(heads + (" differ" if options.exact else ""))
    print("                           (TFLM, B)                  (of arena)       B + tables    saved   share")
    shares = [row(path, options.exact) for path in options.models or sorted(ARENA.glob("*.tflite"))]
    wholes, by_rows = zip(*shares, strict=True)
    print(f"median share of TFLM's arena: {median(wholes):.3f} of whole values, {median(by_rows):.3f} by rows")


if __name__ == "__main__":
    main()

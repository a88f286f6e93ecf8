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
from tinynas.engine import Engine, build
from tinynas.tflite import analyze

ARENA = Path(__file__).parents[1] / "tests" / "fixtures" / "arena"


def row(path: Path, inputs: int) -> tuple[float, float]:
    """Print the model's row; its memory as shares of TFLM's arena, of whole values and by rows."""
    data = path.read_bytes()
    analysis, whole, rows = analyze(data), build(data, by_rows=False), build(data)
    arena, figures = analysis.footprint.arena_bytes, rows.figures
    said = [
        f"{path.stem:22}",
        f"{arena:9,}",
        f"{whole.memory_bytes:9,}",
        f"{rows.memory_bytes:9,}",
        f"{rows.memory_bytes / arena:6.2f}",
        f"{figures.weights:9,}",
        f"{figures.code + figures.tables:7,}",
        f"{analysis.footprint.flash.total - figures.flash:9,}",
        f"{figures.macs / max(1, analysis.footprint.macs):6.2f}",
    ]
    if inputs:
        said.append(f"{differing(data, rows, inputs):6,}")
    print(" ".join(said), flush=True)
    return whole.memory_bytes / arena, rows.memory_bytes / arena


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

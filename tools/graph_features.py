"""Do features of the graph help the surrogate? Kendall's tau of its predictions, by what it is told of a network.

    python tools/graph_features.py docs/benchmarks/table_mnist1d.json.gz [--repeats 30]

For a recorded table of architectures (tools/record_table.py) the surrogate's regressor is fitted to the proxy scores of
a random part of it, of 20, 40 and 80 architectures, and ranks the others. Told are: sizes alone (parameters, MACs,
bytes, depth); with the features that a search has (searching/features.py); and with more of the kind of GRAF (arXiv
2404.16551: counts of operations, and the lengths of paths that use only some of them), which for a chain of blocks are
counts by kind and kernel, the longest run of blocks of a kind, and the blocks on maps of each area.
"""

import argparse
import gzip
import json
from itertools import groupby
from pathlib import Path

import numpy as np
from scipy.stats import kendalltau

from tinynas.architecture import Architecture
from tinynas.hardware import Footprint
from tinynas.searching.committee import Committee
from tinynas.searching.features import feature_names, features

SIZES = ("log_params", "log_macs", "log_flash", "log_arena", "log_largest_tensor", "log_instructions", "depth")
KINDS = ("conv", "depthwise", "separable")
PARTS = (20, 40, 80)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("--repeats", type=int, default=30)
    options = parser.parse_args()
    rows = json.loads(gzip.decompress(options.table.read_bytes()))["rows"]
    networks = [Architecture.from_dict(row["architecture"]) for row in rows]
    known = np.array(
        [features(a, Footprint.from_dict(r["footprint"]), KINDS) for a, r in zip(networks, rows, strict=True)]
    )
    names = feature_names(KINDS)
    sizes = known[:, [names.index(name) for name in SIZES]]
    more = np.column_stack([known, np.array([_graph(network) for network in networks])])
    told = {f"sizes ({len(SIZES)})": sizes, f"the search's ({len(names)})": known, f"and more ({more.shape[1]})": more}
    truth = np.array([row["proxy"] for row in rows])
    loss = -np.log(np.maximum(2e-3, 1 - truth))
    print(f"{len(rows)} architectures, {options.repeats} random parts each: mean tau +/- its standard error")
    for name, x in told.items():
        said = [f"{n}: {_taus(x, loss, n, options.repeats)}" for n in PARTS if n < len(rows) - 10]
        print(f"{name:26s} {'   '.join(said)}", flush=True)


def _taus(x: np.ndarray, y: np.ndarray, n: int, repeats: int) -> str:
    """Return the mean tau on what was not fitted; the same parts for every x."""
    found = []
    for repeat in range(repeats):
        order = np.random.default_rng([n, repeat]).permutation(len(y))
        fitted, others = order[:n], order[n:]
        predicted, _ = Committee(x[fitted], y[fitted]).predict(x[others])
        found.append(kendalltau(predicted, y[others]).statistic)
    return f"{np.mean(found):.3f} +/- {np.std(found) / np.sqrt(repeats):.3f}"


def _graph(network: Architecture) -> list[float]:
    """Return counts by kind and kernel, the longest run of each kind, and the blocks by the area that they see."""
    blocks = network.blocks
    counts = [sum(b.kind == kind and b.kernel_size == size for b in blocks) for kind in KINDS for size in (1, 3, 5, 7)]
    runs = [(kind, len(list(group))) for kind, group in groupby(block.kind for block in blocks)]
    longest = [max((length for name, length in runs if name == kind), default=0) for kind in KINDS]
    areas = [int(np.log2(shape[0] * shape[1])) for shape in network.shapes[:-1]]
    return [float(value) for value in [*counts, *longest, *(areas.count(area) for area in range(11))]]


if __name__ == "__main__":
    main()

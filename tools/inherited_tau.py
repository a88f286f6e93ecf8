"""How well does a proxy that starts from a parent's weights rank? Kendall's tau with the full trainings of a table.

    python tools/inherited_tau.py --data mnist1d --layout series --table docs/benchmarks/table_mnist1d.json.gz --n 60

For the first n random architectures of a table (tools/record_table.py) a mutant that fits is trained as a proxy; then
the architecture itself, from what it inherits of the mutant's weights, as a search would. Held against the full
trainings that the table has, beside the proxies from fresh weights that it has too. Two processes of one thread.
"""

import argparse
import multiprocessing
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.stats import kendalltau
from searchbench.real import job_for, setting_for
from searchbench.table import Row, Table

from tinynas.architecture import mutate
from tinynas.data import Dataset
from tinynas.runs.weights import write_weights
from tinynas.screening import screen
from tinynas.searching.jobs import StartFile
from tinynas.searching.worker import Worker
from tinynas.training.schedule import Lengths

_FOLDS, _DRAWS = 5, 1000


def main() -> None:
    """Train, and print the two taus."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--layout", choices=("image", "series"))
    parser.add_argument("--table", type=Path, required=True)
    parser.add_argument("--n", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    rows = [row for row in Table.read(given.table).rows if row.origin == "random"][: given.n]
    with ProcessPoolExecutor(
        given.jobs, multiprocessing.get_context("spawn"), _start, (given.data, given.layout, given.table)
    ) as pool:
        found = list(zip(rows, pool.map(inherited, rows), strict=True))
    pairs = [(row, score) for row, score in found if score is not None]
    full = np.array([row.full for row, _ in pairs])
    for name, scores in (
        ("fresh weights", [row.proxy for row, _ in pairs]),
        ("inherited weights", [score for _, score in pairs]),
    ):
        print(
            f"{name}: {_tau(np.array(scores), full)}, mean accuracy {np.mean(scores):.4f}, {len(pairs)} architectures"
        )


def inherited(row: Row) -> float | None:
    """The proxy's int8 accuracy of an architecture that starts from a mutant's weights; None without such a mutant."""
    rng = np.random.default_rng(int(row.architecture.key, 16))
    for _ in range(100):
        parent = mutate(row.architecture, _table.space, rng, 1)
        if not _table.limits.violations(screen(parent, _table.target)):
            break
    else:
        return None
    seeds = [int(seed) for seed in rng.integers(2**30, size=2)]
    first = _worker.evaluate(job_for(0, parent, screen(parent, _table.target), seeds[0], _proxy))
    if not first.weights:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.npz"
        write_weights(path, first.weights)
        job = job_for(1, row.architecture, row.footprint, seeds[1], _proxy)
        evaluation = _worker.evaluate(replace(job, start=StartFile(path, parent))).evaluation
    return evaluation.mean() if evaluation.folds else None


def _start(data: Path, layout: str | None, table: Path) -> None:
    """Make this process's worker."""
    global _table, _worker, _proxy
    _table = Table.read(table)
    dataset = Dataset.load(data, layout=layout)
    limits = {"flash_bytes": _table.limits.flash_bytes, "ram_bytes": _table.limits.ram_bytes}
    _worker = Worker(dataset, setting_for(data.name, dataset, _table.target.name, limits, 1.0).settings(0))
    _proxy = Lengths.of(dataset, _FOLDS).proxy()


def _tau(a: np.ndarray, b: np.ndarray) -> str:
    """Kendall's tau-b and the interval that holds 90 % of bootstrap samples."""
    rng = np.random.default_rng(0)
    drawn = [kendalltau(a[rows], b[rows]).statistic for rows in rng.integers(len(a), size=(_DRAWS, len(a)))]
    low, high = np.percentile(drawn, (5, 95))
    return f"tau {kendalltau(a, b).statistic:.2f} ({low:.2f} to {high:.2f})"


if __name__ == "__main__":
    main()

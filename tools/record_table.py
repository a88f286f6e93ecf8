"""Train some hundred architectures on a data set, once, each as a proxy and in full: the table that replays stand on.

    python tools/record_table.py --data /data/watch_har --layout series --n 300 --jobs 2 \
        --out docs/benchmarks/table_watch_har.json.gz

Three of five rows are random architectures that fit the limits, two are mutants of the ten best proxies so far: so the
table is dense where searches go. What --out has already is not trained again. The proxy is the search's own; "full" is
one fold of a full training (--full-epochs sets its epochs). Each job is a process of one thread, and costs are CPU
seconds.
"""

import argparse
import multiprocessing
import platform
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from searchbench.drive import steered
from searchbench.real import Setting, job_for, setting_for
from searchbench.table import Row, Table

from tinynas import __version__
from tinynas.architecture import Architecture, mutate
from tinynas.cli.formats import parse_reshape
from tinynas.data import Dataset
from tinynas.runs import Evaluation
from tinynas.screening.screen import screen
from tinynas.searching.worker import Worker
from tinynas.training.schedule import Lengths, Schedule

_BLOCK = 20  # rows whose mutants come from the same best ones; also how many trainings a process does
_MUTANTS, _PARENTS, _STEPS = 0.4, 10, 3

_worker: Worker | None = None


def main() -> None:
    arguments = _arguments()
    dataset = _load(arguments)
    limits = {"flash_bytes": arguments.max_flash, "ram_bytes": arguments.max_ram}
    name = arguments.data.name
    setting = setting_for(name, dataset, arguments.target, limits, 1.0)
    schedules = schedules_for(dataset, arguments.full_epochs)
    table = Table(name, setting.target, setting.limits, setting.space, (), _about(arguments, schedules))
    if arguments.out.exists():
        table = replace(table, rows=Table.read(arguments.out).rows)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    for start in range(0, arguments.n, _BLOCK):
        ended = time.monotonic()
        wanted = propose_block(setting, table.rows, start, min(_BLOCK, arguments.n - start), arguments.seed)
        known = {row.architecture.key for row in table.rows}
        missing = [(origin, architecture) for origin, architecture in wanted if architecture.key not in known]
        if not missing:
            continue
        with ProcessPoolExecutor(
            arguments.jobs, multiprocessing.get_context("spawn"), _start, (arguments, setting)
        ) as pool:
            futures = [
                pool.submit(record, origin, architecture, schedules, start // _BLOCK)
                for origin, architecture in missing
            ]
            for future in as_completed(futures):
                row = future.result()
                if row is not None:
                    table = replace(table, rows=(*table.rows, row))
                    table.write(arguments.out)
        seconds = time.monotonic() - ended
        print(f"{len(table.rows)} rows, {seconds:.0f} s for the last {len(missing)}", flush=True)


def propose_block(
    setting: Setting, rows: tuple[Row, ...], start: int, n: int, seed: int
) -> list[tuple[str, Architecture]]:
    """Return rows start to start + n: they follow from the seed and the rows of the blocks before, in any order."""
    rng = np.random.default_rng([seed, start])
    check = partial(screen, target=setting.target)
    before = sorted(rows, key=lambda row: (-row.proxy, row.architecture.key))
    before = [row for row in before if row.block < start // _BLOCK][:_PARENTS]
    found: dict[str, tuple[str, Architecture]] = {}
    while len(found) < n:
        if before and rng.random() < _MUTANTS:
            parent = before[int(rng.integers(len(before)))].architecture
            origin, drawn = "mutant", mutate(parent, setting.space, rng, int(rng.integers(1, _STEPS + 1)))
        else:
            origin, drawn = "random", setting.space.random_architecture(rng)
        fitting = steered(drawn, setting.space, check, setting.limits, rng)
        if fitting is not None:
            found.setdefault(fitting[0].key, (origin, fitting[0]))
    return list(found.values())


def schedules_for(dataset: Dataset, full_epochs: int | None) -> dict[str, Schedule]:
    """Return how long the two trainings are, both of one fold."""
    lengths = Lengths.of(dataset, n_folds=5)
    full = lengths.full()
    return {"proxy": lengths.proxy(), "full": replace(full, folds=1, epochs=full_epochs or full.epochs)}


def record(origin: str, architecture: Architecture, schedules: dict[str, Schedule], block: int) -> Row | None:
    """Train `architecture` twice in this process; None when one of the trainings failed."""
    assert _worker is not None
    footprint = screen(architecture, _worker._settings.target)
    seed = int(architecture.key, 16) % 2**30
    values: dict[str, float] = {}
    for name, schedule in schedules.items():
        start = time.process_time()
        evaluation: Evaluation = _worker.evaluate(job_for(0, architecture, footprint, seed, schedule)).evaluation
        if not evaluation.folds:
            print(f"failed: {evaluation.error}", flush=True)
            return None
        values |= {name: round(evaluation.mean(), 5), f"{name}_s": round(time.process_time() - start, 2)}
    return Row(architecture, footprint, origin, block, **values)


def _start(arguments: argparse.Namespace, setting: Setting) -> None:
    """Make this process's worker and warm it up, so that no row pays for loading TensorFlow."""
    global _worker
    _worker = Worker(setting.dataset, setting.settings(0))
    architecture = setting.space.handmade()[0]
    _worker.evaluate(job_for(0, architecture, screen(architecture, setting.target), 0, Schedule(1, 256, 2)))


def _load(arguments: argparse.Namespace) -> Dataset:
    reshape = None if arguments.reshape is None else parse_reshape(arguments.reshape)
    return Dataset.load(arguments.data, layout=arguments.layout, reshape=reshape)


def _about(arguments: argparse.Namespace, schedules: dict[str, Schedule]) -> dict[str, object]:
    given = {name: str(value) for name, value in vars(arguments).items() if value is not None and name != "out"}
    given["data"] = arguments.data.name  # the same set lies elsewhere on another machine
    lengths = {name: schedule.to_dict() for name, schedule in schedules.items()}
    return {"version": __version__, "schedules": lengths, "given": given, "machine": platform.machine()}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--layout", choices=("image", "series"))
    parser.add_argument("--reshape", help="such as 784,1")
    parser.add_argument("--target", default="nucleo_f401")
    parser.add_argument("--max-flash", type=int, default=64_000, help="bytes of the file")
    parser.add_argument("--max-ram", type=int, default=64_000, help="bytes of the arena")
    parser.add_argument("--n", type=int, default=300, help="rows")
    parser.add_argument("--full-epochs", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()

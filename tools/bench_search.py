"""Strategies and peers on the same space, data and budget of CPU seconds: real searches, replays, and their tables.

    python tools/bench_search.py --real --data /data/watch_har --layout series --strategies surrogate,evolution,unas \
        --seeds 3 --cpu-minutes 2 --jobs 2 --out docs/benchmarks/watch_har.json
    python tools/bench_search.py --table docs/benchmarks/table_watch_har.json.gz --seeds 20 --cpu-minutes 2 --out r.json
    python tools/bench_search.py --summary docs/benchmarks/watch_har.json r.json

A run is a process of its own on one thread. What --out holds already is not run again, so a bench that was stopped
goes on; --jobs runs so many side by side. A strategy can carry settings, as in evolution:n_rungs=1:inherit=false.
Peers are unas, kt-random and kt-hyperband (see tools/searchbench).
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from searchbench.curves import Curve, markdown

_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def main() -> None:
    arguments = _arguments()
    if arguments.summary:
        print(markdown([curve for path in arguments.summary for curve in read(path)]))
    elif arguments.one:
        print(json.dumps(one(arguments).to_dict()))
    else:
        bench(arguments)


def read(path: Path) -> list[Curve]:
    """Return the curves of a result file; [] when there is none yet."""
    return [Curve.from_dict(values) for values in json.loads(path.read_text())["curves"]] if path.exists() else []


def bench(arguments: argparse.Namespace) -> None:
    """Run what --out has not, each run in a process of its own, and write --out after each."""
    from tinynas.runs.writing import write_atomically

    curves = read(arguments.out)
    name = _name(arguments)
    done = {(curve.data, curve.strategy, curve.seed, curve.budget_s) for curve in curves}
    wanted = [(label, seed) for seed in range(arguments.seeds) for label in arguments.strategies.split(",")]
    missing = [w for w in wanted if (name, *w, arguments.cpu_minutes * 60) not in done]
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for curve in pool.map(lambda run: _in_a_process(*run), missing):
            curves.append(curve)
            found = {
                "command": " ".join(sys.argv),
                "machine": {"processor": _processor(), "python": platform.python_version()},
                "curves": [each.to_dict() for each in curves],
            }
            write_atomically(arguments.out, json.dumps(found).encode())
            print(f"{curve.data} {curve.strategy} seed {curve.seed}: {curve.best():.4f}, {curve.trials()} trainings")
    print(markdown(curves))


def one(arguments: argparse.Namespace) -> Curve:
    """Run one strategy with one seed in this process."""
    label, seed = arguments.one[0], int(arguments.one[1])
    if arguments.table:
        from searchbench.table import Table, replay

        table = Table.read(arguments.table)
        return replay(table, label, seed, arguments.cpu_minutes * 60, n_children=arguments.children)
    from searchbench.real import run, setting_for

    from tinynas.cli.formats import parse_reshape
    from tinynas.data import Dataset

    reshape = None if arguments.reshape is None else parse_reshape(arguments.reshape)
    dataset = Dataset.load(arguments.data, layout=arguments.layout, reshape=reshape)
    limits = {"flash_bytes": arguments.max_flash, "ram_bytes": arguments.max_ram}
    return run(
        setting_for(_name(arguments), dataset, arguments.target, limits, arguments.cpu_minutes * 60), label, seed
    )


def _in_a_process(label: str, seed: int) -> Curve:
    command = [sys.executable, *sys.argv, "--one", label, str(seed)]
    done = subprocess.run(command, env={**os.environ, **_ONE_THREAD}, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{label}, seed {seed}, failed:\n{done.stderr[-3000:]}")
    return Curve.from_dict(json.loads(done.stdout.splitlines()[-1]))


def _name(arguments: argparse.Namespace) -> str:
    if arguments.table:
        from searchbench.table import Table

        return f"replay of {Table.read(arguments.table).data}"
    return arguments.data.name + ("" if arguments.reshape is None else f" as {arguments.reshape}")


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--real", action="store_true", help="train for real; needs --data")
    mode.add_argument("--table", type=Path, help="replay a file of tools/record_table.py")
    mode.add_argument("--summary", type=Path, nargs="+", help="print the tables of these result files")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--layout", choices=("image", "series"))
    parser.add_argument("--reshape", help="such as 784,1")
    parser.add_argument("--target", default="nucleo_f401")
    parser.add_argument("--max-flash", type=int, default=64_000, help="bytes of the file (64000, uNAS's bound)")
    parser.add_argument("--max-ram", type=int, default=64_000, help="bytes of the arena (64000, uNAS's bound)")
    parser.add_argument("--strategies", default="surrogate,evolution,aging,nsga2,random", help="the first is compared")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cpu-minutes", type=float, default=2.0)
    parser.add_argument("--children", type=int, default=8, help="children a generation, in replays")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.real and not arguments.data:
        parser.error("--real needs --data")
    if not arguments.summary and not arguments.out:
        parser.error("--out is needed: the file for the curves")
    return arguments


if __name__ == "__main__":
    main()

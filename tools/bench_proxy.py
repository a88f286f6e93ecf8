"""What a proxy trial costs and how well it ranks, before and after a change: two checkouts, in turn, in one run.

    git worktree add ../before COMMIT
    python tools/bench_proxy.py --data DIR --before ../before --n 16 [--full 48000x3] --out FILE

n random architectures (and the hand-made starts) that fit the board are each trained as a search's own trial of default
length by the tinynas of both checkouts: measured, converted, checked, trained, quantised, scored in int8. Both have one
process of one thread, and take turns at each architecture, so that a busy machine burdens both alike; the figures are
CPU seconds. Each checkout trains by its own defaults, dropout and number format included. With --full the checkout that
this file belongs to also trains each on so many samples and epochs, and Kendall's tau of both proxies with it is
given, the difference with a bootstrap over the architectures. A result file that is there is gone on with.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]
SEED = 0


def main() -> None:
    options = _options()
    if options.serve:
        _serve(options)
        return
    rows: list[dict[str, Any]] = json.loads(options.out.read_text())["rows"] if options.out.exists() else []
    sides = {"before": _Side(options, options.before.resolve()), "after": _Side(options, HERE)}
    for number in range(len(rows), options.n + sides["after"].starts):
        row: dict[str, Any] = {"number": number}
        for name in sorted(sides, reverse=bool(number % 2)):
            row[name] = sides[name].ask({"number": number})
        rows.append(row)
        _keep(options.out, rows)
        print(_line(row), flush=True)
    for row in rows:
        if options.full and "full" not in row:
            row["full"] = sides["after"].ask({"number": row["number"], "plan": options.full})
            _keep(options.out, rows)
            print(_line(row), flush=True)
    print(_verdict(rows))


def _keep(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write what there is: the same command goes on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"command": " ".join(sys.argv), "rows": rows}, indent=1))


class _Side:
    """A process that trains by the tinynas of one checkout."""

    def __init__(self, options: argparse.Namespace, checkout: Path) -> None:
        command = [sys.executable, __file__, "--serve", "--data", options.data, "--n", str(options.n), "--out", "-"]
        command += [
            "--target",
            options.target,
            "--before",
            "-",
            "--flash",
            str(options.flash),
            "--ram",
            str(options.ram),
        ]
        environment = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=checkout
        )
        told = self._read()
        if Path(told["tinynas"]).parents[1] != checkout:
            raise SystemExit(f"{checkout} was asked for, but {told['tinynas']} was imported.")
        self.starts = told["starts"]

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise SystemExit("A process ended before it had answered.")


def _serve(options: argparse.Namespace) -> None:
    """Answer, a line of JSON each, what comes on standard input; runs under either checkout."""
    import numpy as np

    import tinynas
    from tinynas import Dataset, Limits, SearchSpace, Target, screen
    from tinynas.runs import DataSource, Settings
    from tinynas.searching import with_limits
    from tinynas.searching.jobs import Job
    from tinynas.searching.worker import Worker
    from tinynas.training.precision import best_precision
    from tinynas.training.schedule import Lengths, Schedule

    dataset, target = Dataset.load(options.data), Target.load(options.target)
    space = SearchSpace.for_input(dataset.input_shape, dataset.n_classes)
    limits: Limits = with_limits(target, flash_bytes=options.flash or None, ram_bytes=options.ram or None)
    networks = [each for each in space.handmade() if not limits.violations(screen(each, target))]
    starts, rng = len(networks), np.random.default_rng(SEED)
    while len(networks) < starts + options.n:
        drawn = space.random_architecture(rng)
        if not limits.violations(screen(drawn, target)) and drawn not in networks:
            networks.append(drawn)
    settings = Settings.create(
        version=tinynas.__version__,
        target=target,
        data=DataSource(kind="arrays", digest=dataset.digest, summary=dataset.summary()),
        space=space,
        limits=limits,
        precision=best_precision(dataset.input_shape),
    )
    worker, proxy = Worker(dataset, settings), Lengths.of(dataset, settings.n_folds).proxy()

    def train(number: int, schedule: Schedule) -> dict[str, Any]:
        network, start = networks[number], time.process_time()
        job = Job(number, 0, None, network, "proxy", number + 1, screen(network, target), schedule)
        evaluation = worker.evaluate(job).evaluation
        if not evaluation.folds:
            raise SystemExit(f"{network}: {evaluation.error}")
        took = round(time.process_time() - start, 3)
        return {"text": str(network), "cpu_s": took, "int8": evaluation.mean(), "visits": evaluation.visits}

    train(0, Schedule(1, 256, 1))  # TensorFlow is loaded
    print(json.dumps({"tinynas": tinynas.__file__, "starts": starts}), flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        plan = Schedule(1, *map(int, question["plan"].split("x"))) if "plan" in question else proxy
        print(json.dumps(train(question["number"], plan)), flush=True)


def _line(row: dict[str, Any]) -> str:
    before, after = row["before"], row["after"]
    full = f", full {row['full']['int8']:.4f} in {row['full']['cpu_s']:.0f} s" if "full" in row else ""
    times = f"{before['cpu_s']:6.2f} s -> {after['cpu_s']:5.2f} s ({before['cpu_s'] / after['cpu_s']:.2f}x)"
    return f"#{row['number']:3d} {times}, int8 {before['int8']:.4f} -> {after['int8']:.4f}{full}  {after['text']}"


def _verdict(rows: list[dict[str, Any]]) -> str:
    """The ratio of the CPU seconds, the taus, and what a bootstrap makes of their difference."""
    import numpy as np
    from scipy.stats import kendalltau

    ratios = np.array([row["before"]["cpu_s"] / row["after"]["cpu_s"] for row in rows])
    quarter, middle, upper = np.percentile(ratios, [25, 50, 75])
    said = [
        f"{len(rows)} architectures: {middle:.2f} times as fast in the median (quartiles {quarter:.2f} to {upper:.2f})"
    ]
    if all("full" in row for row in rows):
        score = {side: np.array([row[side]["int8"] for row in rows]) for side in ("before", "after", "full")}
        tau = {side: kendalltau(score[side], score["full"]).statistic for side in ("before", "after")}
        rng, gaps = np.random.default_rng(0), []
        for _ in range(1000):
            some = rng.integers(0, len(rows), len(rows))
            pair = [kendalltau(score[side][some], score["full"][some]).statistic for side in ("before", "after")]
            gaps.append(pair[1] - pair[0])
        low, high = np.nanpercentile(gaps, [5, 95])
        said.append(
            f"tau with the full training {tau['before']:.2f} before, {tau['after']:.2f} after; difference "
            f"{tau['after'] - tau['before']:+.2f}, 90 % of bootstraps {low:+.2f} to {high:+.2f}"
        )
    return "; ".join(said) + "."


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="a folder that Dataset.load reads")
    parser.add_argument("--before", type=Path, required=True, help="the other checkout")
    parser.add_argument("--n", type=int, default=16, help="random architectures, beside the starts")
    parser.add_argument("--full", metavar="SAMPLESxEPOCHS", help="the long training that the proxies are held against")
    parser.add_argument("--target", default="nucleo_f401")
    parser.add_argument("--flash", type=int, default=0, help="bytes of the file, in place of the board's limit")
    parser.add_argument("--ram", type=int, default=0, help="bytes of the arena, in place of the board's limit")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""A search of very many trials, by a plain function: does a trial cost what the first ones cost, and the report little?

    python tools/long_run.py                                10,000 trials by each strategy; a table by the thousand
    python tools/long_run.py --trials 3000 --strategy aging

Scores and the check against the board are made up, so what is measured is the loop, the strategy, the journal and the
files: CPU milliseconds a trial and the most memory so far, by the thousand; then the size of the page report.html and
the CPU seconds that writing it takes. Each strategy runs in a process of its own.
"""

import argparse
import hashlib
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tinynas import (
    Architecture,
    Dataset,
    Evaluation,
    FoldScores,
    Footprint,
    Limits,
    Scores,
    State,
    Target,
    screen,
    search,
)
from tinynas.report import write_report
from tinynas.searching import Event, TrialDone

_STEP = 1000
_LIMITS = Limits(flash_bytes=64_000, ram_bytes=32_000)


def evaluate(architecture: Architecture) -> Evaluation:
    """Return a score that only the network decides."""
    score = 0.5 + int(hashlib.sha256(str(architecture).encode()).hexdigest()[:4], 16) / 0x20000
    scores = Scores(score, score, score, score)
    return Evaluation(State.COMPLETE, folds=(FoldScores(scores, scores),))


class Watch:
    """Prints what each thousand of trials cost."""

    def __init__(self, strategy: str) -> None:
        """Begin now."""
        self._strategy, self._count, self._began = strategy, 0, time.process_time()

    def __call__(self, event: Event) -> None:
        """Count a trial."""
        if isinstance(event, TrialDone):
            self._count += 1
            if self._count % _STEP == 0:
                now = time.process_time()
                most_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                each_ms = 1e3 * (now - self._began) / _STEP
                print(f"| {self._strategy} | {self._count:,} | {each_ms:.1f} | {most_mb:.0f} |", flush=True)
                self._began = now


def run(strategy: str, trials: int) -> None:
    """Search, and write the report."""
    dataset = Dataset.from_arrays(np.random.default_rng(0).random((60, 16, 16)), np.arange(60) % 3, name="noise")
    known: dict[str, Footprint] = {}

    def check(architecture: Architecture) -> Footprint:
        """Return the footprint of the first network: screening takes the same time whatever came before."""
        if not known:
            known[""] = screen(architecture, Target.load("nucleo_f401"))
        return known[""]

    with tempfile.TemporaryDirectory() as folder:
        result = search(
            dataset, "nucleo_f401", out=Path(folder) / "run", limits=_LIMITS, strategy=strategy, max_trials=trials,
            fidelity="full", evaluate=evaluate, screen=check, watch=Watch(strategy),
        )  # fmt: skip
        began = time.process_time()
        page = write_report(result.folder)
        size, seconds = Path(page).stat().st_size, time.process_time() - began
        print(f"| {strategy} | report | {size / 1e6:.2f} MB | {seconds:.1f} s |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--strategy", default="random,evolution,aging,nsga2,surrogate")
    arguments = parser.parse_args()
    strategies = arguments.strategy.split(",")
    if len(strategies) == 1:
        run(strategies[0], arguments.trials)
        return
    print("| strategy | trials | CPU ms a trial | most memory, MB |\n|---|---|---|---|", flush=True)
    for strategy in strategies:
        command = [sys.executable, __file__, "--strategy", strategy, "--trials", str(arguments.trials)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()

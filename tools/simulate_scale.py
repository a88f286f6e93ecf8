"""What a search costs on many machines: idle workers, the coordinator's CPU time, the journal; in simulated time.

    python tools/simulate_scale.py                              1,000 workers, a search of 3,000 trials
    python tools/simulate_scale.py --workers 100 --trials 2000

The search is the real one (loop, strategy, screen, journal, files); only the trainings are not: a trial takes what one
of the recorded trials of docs/benchmarks/proxy_tau_fashion.json took, at the length of its rung, and nobody waits.
The first table says how long the workers are idle where a generation is proposed only when all before it are told, and
where it is proposed without the newest of them, as tinynas does (tinynas/searching/ahead.py); in brackets, how much of
that is the wait for earlier generations: what would not be there if the same trials could all begin at once. The rest
is that they are too few for so many workers, who wait for the last ones at the end. The second table says what the
coordinator does.
"""

import argparse
import heapq
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinynas import Dataset, Evaluation, FoldScores, Scores, State, search
from tinynas.runs import Settings
from tinynas.runs.folder import SINCE
from tinynas.searching import Job, Outcome
from tinynas.searching.ahead import WIDE, Ahead
from tinynas.searching.executor import Waiting
from tinynas.searching.jobs import FinalJob

_RECORDED = Path(__file__).parents[1] / "docs" / "benchmarks" / "proxy_tau_fashion.json"
_RUNGS = ("train 3000x1", "train 6000x2", "train 6000x5")  # about 1 : 4 : 10 in samples seen, as rungs of a search are
_OVERHEAD_S = 0.05  # of sending a job and fetching its outcome
_SIZES = ((2, 8), (8, 8), (64, 16), (64, 64), (1000, 250), (1000, 1000))  # workers, children a generation
_GENERATIONS = (12, 50, 200)
_ALL_TOLD, _NO_BARRIER = Ahead(0, 0), Ahead(1, 0)  # of the generations before one all are told, or none need be


def recorded() -> list[list[float]]:
    """Return CPU seconds of the recorded trials by rung."""
    architectures = json.loads(_RECORDED.read_text())["architectures"]
    return [[each["scores"][length]["cpu_s"] for each in architectures] for length in _RUNGS]


@dataclass(frozen=True)
class Idle:
    """The share of the workers' time in which they have nothing to do, and how much of it is the barrier's.

    The barrier is that a generation is not proposed before earlier ones have ended: without it the same trials on the
    same workers end after `free_s` in place of `span_s`.
    """

    busy_s: float
    workers: int
    span_s: float
    free_s: float

    @property
    def total(self) -> float:
        """The whole share."""
        return 1 - self.busy_s / (self.workers * self.span_s)

    @property
    def barrier(self) -> float:
        """The barrier's part; never less than 0, though another order may happen to end later."""
        return max(0.0, 1 - self.free_s / self.span_s)

    def __str__(self) -> str:
        return f"{100 * self.total:.0f} % ({100 * self.barrier:.0f})"


def idle(times: np.ndarray, workers: int, ahead: Ahead) -> Idle:
    """Return how long `workers` have nothing to do, for trials of `times` seconds (generations, children)."""
    return Idle(float(times.sum()), workers, span(times, workers, ahead), span(times, workers, _NO_BARRIER))


def ours(children: int) -> Ahead:
    """Return the rule of a new search with so many children a generation."""
    return Ahead(SINCE["ahead"], 0, SINCE["ahead_least"] if children >= WIDE else 0)


def span(times: Iterable[np.ndarray], workers: int, ahead: Ahead) -> float:
    """Return the seconds after which all trials have ended.

    `times` are the seconds of each generation's trials. A generation begins when those have ended that are told before
    it; a worker takes the next job, the longest first, as soon as it has none.
    """
    free = [0.0] * workers
    heapq.heapify(free)
    ends: list[float] = []
    for number, generation in enumerate(times):
        begins = max(ends[: ahead.told(number)], default=0.0)
        end = 0.0
        for seconds in sorted(generation, reverse=True):
            begun = max(heapq.heappop(free), begins)
            heapq.heappush(free, begun + seconds)
            end = max(end, begun + seconds)
        ends.append(end)
    return max(ends)


def drawn(generations: int, children: int, rng: np.random.Generator) -> np.ndarray:
    """Return seconds of trials: of four, three are of the first rung, as where the best third goes on."""
    rungs = rng.choice(3, (generations, children), p=(0.69, 0.23, 0.08))
    pools = np.array(recorded())
    return np.asarray(pools[rungs, rng.integers(pools.shape[1], size=rungs.shape)] + _OVERHEAD_S)


class Simulated:
    """An executor of so many workers in simulated time; the outcomes come in the order in which they would."""

    def __init__(self, workers: int) -> None:
        """Begin at time 0."""
        self._workers = workers
        self._rng = np.random.default_rng(0)
        self._times = recorded()
        self._seconds = defaultdict[int, list[float]](list)  # by generation
        self.span_s = 0.0

    def evaluate(self, jobs: Sequence[Job], deadline: float | None) -> Iterator[tuple[Job, Outcome]]:
        """Yield each job with made-up scores; it takes what a recorded trial took."""
        waiting, running = Waiting(jobs), list[tuple[float, int, Job]]()
        while waiting or running:
            while waiting and len(running) < self._workers:
                job = waiting.popleft()
                seconds = float(self._rng.choice(self._times[min(job.rung, 2)])) + _OVERHEAD_S
                self._seconds[job.generation].append(seconds)
                heapq.heappush(running, (self.span_s + seconds, job.number, job))
            self.span_s, _, job = heapq.heappop(running)
            score = int(job.architecture.key[:4], 16) / 0xFFFF
            scores = Scores(*[0.5 + score / 2] * 4)
            yield job, Outcome(Evaluation(State.COMPLETE, folds=(FoldScores(scores, scores),), visits=3000 << job.rung))
            waiting.look()

    def idle(self) -> Idle:
        """Return how long the workers had nothing to do."""
        times = [np.array(self._seconds[number]) for number in sorted(self._seconds)]
        busy_s = float(sum(each.sum() for each in times))
        return Idle(busy_s, self._workers, self.span_s, span(times, self._workers, _NO_BARRIER))

    def final(self, job: FinalJob, report: Callable[[Any], None]) -> None:
        """Train nothing."""

    def close(self) -> None:
        """Nothing was started."""


def coordinate(workers: int, children: int, trials: int, strategy: str) -> tuple[Idle, float, float]:
    """Return the idle shares of a search, and of a trial the coordinator's CPU milliseconds and the journal's bytes."""
    dataset = Dataset.from_arrays(np.random.default_rng(0).random((60, 28, 28)), np.arange(60) % 3, name="noise")
    made: list[Simulated] = []

    def make(data: Dataset, settings: Settings) -> Simulated:
        made.append(Simulated(workers))
        return made[-1]

    with tempfile.TemporaryDirectory() as folder:
        run, began = Path(folder) / "run", time.process_time()
        result = search(
            dataset, "nucleo_f401", out=run, executor=make, strategy=strategy, max_trials=trials, n_children=children,
            n_finalists=1, progress=False,
        )  # fmt: skip
        cpu_s, count = time.process_time() - began, len(result.trials)
        return made[0].idle(), 1e3 * cpu_s / count, _bytes(run) / count


def _bytes(run: Path) -> int:
    return (run / "journal.sqlite").stat().st_size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=1000)
    parser.add_argument("--trials", type=int, default=3000, help="of the real searches, 0: none (default: %(default)s)")
    parser.add_argument("--children", type=int, default=1000, help="of them, a generation (default: %(default)s)")
    parser.add_argument("--strategy", default="surrogate,evolution,random", help="of them (default: %(default)s)")
    arguments = parser.parse_args()
    workers, rng = arguments.workers, np.random.default_rng(0)
    print(
        "idle share of the workers (of it for the barrier): all told before a generation is proposed -> as tinynas does"
    )
    print(f"| workers | children | {' | '.join(f'{n} generations' for n in _GENERATIONS)} |")
    print("|---|---|" + "---|" * len(_GENERATIONS))
    for of, children in _SIZES:
        shares = []
        for n_generations in _GENERATIONS:
            times = drawn(n_generations, children, rng)
            before, after = (idle(times, of, rule) for rule in (_ALL_TOLD, ours(children)))
            shares.append(f"{before} -> {after}")
        print(f"| {of:,} | {children:,} | {' | '.join(shares)} |", flush=True)
    if not arguments.trials:
        return
    children = arguments.children
    print(f"\na search of {arguments.trials:,} trials, {children:,} children a generation")
    print("| strategy | idle | coordinator, CPU ms a trial | journal, bytes a trial |")
    print("|---|---|---|---|")
    for strategy in arguments.strategy.split(","):
        idled, cpu_ms, size = coordinate(workers, children, arguments.trials, strategy)
        print(f"| {strategy} | {idled} | {cpu_ms:.1f} | {size:,.0f} |", flush=True)


if __name__ == "__main__":
    main()

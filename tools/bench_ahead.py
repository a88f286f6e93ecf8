"""What it costs and brings to propose a generation before all that came earlier is told: quality by workers and rule.

    python tools/bench_ahead.py                                       every rule on 1, 8 and 32 workers, 4 seeds
    python tools/bench_ahead.py --workers 8 --rules 0,g/8 --seeds 12

Searches are replayed on a table of tools/record_table.py (tools/searchbench/table.py): a trial has the scores and the
seconds that were recorded or are predicted from them, and so many workers take trials in simulated time, the oldest
generation first. All have the same wall time, so that a rule which leaves workers idle trains fewer trials. A rule says
how many of the generations before generation g may be running when it is proposed: none (0), one (1), an eighth of
them (g/8), or the greater of two such numbers (2|g/4), but never the very first; what is told is told in the order of
its numbers, whatever has ended. Printed are the mean over the seeds of the trials that ended in time, the idle share,
and the score of a full training of the best proxy, with the standard error of its difference from the first rule, seed
by seed.
"""

import argparse
import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean, stdev

import numpy as np
from searchbench.table import StandIn, Table, strategy_of

from tinynas.data import FoldScores, Scores
from tinynas.runs import Evaluation, State, Trial
from tinynas.screening.screen import screen
from tinynas.searching.feasible import propose

_TABLE = Path(__file__).parents[1] / "docs" / "benchmarks" / "table_mnist1d.json.gz"


@dataclass(frozen=True)
class Ended:
    """A replay: trials that ended in time, the share of the workers' time that was idle, the full score of the best."""

    trials: int
    idle: float
    full: float


def rule_of(text: str) -> Callable[[int], int]:
    """Return how many generations before generation g may be running: "2" always two, "g/8" an eighth of them."""
    if "|" in text:
        rules = [rule_of(each) for each in text.split("|")]
        return lambda generation: min(max(rule(generation) for rule in rules), max(0, generation - 1))
    if text.startswith("g/"):
        return lambda generation: generation // int(text[2:])
    return lambda generation: min(generation, int(text))


def replay(
    table: Table,
    stand_in: StandIn,
    rule: Callable[[int], int],
    *,
    workers: int,
    wall_s: float,
    seed: int,
    children: int,
    strategy: str,
) -> Ended:
    """Search for `wall_s` of simulated time."""
    asked, _ = strategy_of(table, strategy, {}, children)
    check, known = partial(screen, target=table.target), set[str]()
    free, ends, waiting = [0.0] * workers, list[float](), list[list[Trial]]()
    done: list[tuple[float, float, float]] = []  # when it ended, its proxy, what a full training would give
    number, busy_s = 0, 0.0
    for generation in range(10**6):
        may_run = rule(generation)
        begins = max(ends[: generation - may_run], default=0.0)
        if begins >= wall_s or min(free) >= wall_s:
            break
        while len(waiting) > may_run:
            for trial in waiting.pop(0):
                asked.tell(trial)
        rng, end, told = np.random.default_rng([seed, generation]), 0.0, []
        for candidate in propose(asked, table.space, check, table.limits, known, children, rng):
            if candidate.violations:
                evaluation = Evaluation(State.INFEASIBLE, candidate.footprint, tuple(map(str, candidate.violations)))
            else:
                proxy, full, seconds = stand_in(candidate.proposal.architecture, candidate.footprint)
                begun = max(heapq.heappop(free), begins)
                heapq.heappush(free, begun + seconds)
                end = max(end, begun + seconds)
                busy_s += max(0.0, min(seconds, wall_s - begun))
                done.append((begun + seconds, proxy, full))
                scores = Scores(*[proxy] * 4)
                evaluation = Evaluation(
                    State.COMPLETE, candidate.footprint, (), (FoldScores(scores, scores),), "proxy", seconds
                )
            told.append(
                Trial(number, generation, candidate.proposal.parent, candidate.proposal.architecture, evaluation)
            )
            number += 1
        waiting.append(told)
        ends.append(end)
    in_time = [each for each in done if each[0] <= wall_s]
    return Ended(len(in_time), 1 - busy_s / (workers * wall_s), max(in_time, key=lambda each: each[1])[2])


def rows(arguments: argparse.Namespace) -> Iterator[str]:
    """Yield a row of the table for each number of workers and rule."""
    table = Table.read(arguments.table)
    stand_in = StandIn(table)
    rules = arguments.rules.split(",")
    for workers in map(int, arguments.workers.split(",")):
        first: list[float] = []
        for rule in rules:
            ended = [
                replay(
                    table,
                    stand_in,
                    rule_of(rule),
                    workers=workers,
                    wall_s=60 * arguments.minutes / workers**arguments.shorter,
                    seed=seed,
                    children=arguments.children,
                    strategy=arguments.strategy,
                )
                for seed in range(arguments.seeds)
            ]
            full = [each.full for each in ended]
            first = first or full
            more = [a - b for a, b in zip(full, first, strict=True)]
            error = stdev(more) / len(more) ** 0.5 if len(more) > 1 else float("nan")
            yield (
                f"| {workers} | {rule} | {mean(each.trials for each in ended):.0f} "
                f"| {100 * mean(each.idle for each in ended):.0f} % | {mean(full):.4f} "
                f"| {100 * mean(more):+.2f} ± {100 * error:.2f} |"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=Path, default=_TABLE)
    parser.add_argument("--workers", default="1,8,32", help="as a comma list (default: %(default)s)")
    parser.add_argument("--rules", default="0,1,2,4,g/8,g/4,g/2", help="(default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=6.0, help="of wall time on one worker (default: %(default)s)")
    parser.add_argument(
        "--shorter", type=float, default=0.5, help="W workers have 1 / W ** this of it (default: %(default)s)"
    )
    parser.add_argument("--children", type=int, default=8)
    parser.add_argument("--strategy", default="surrogate")
    parser.add_argument("--seeds", type=int, default=4)
    arguments = parser.parse_args()
    print("| workers | rule | trials | idle | full training of the best | points more than with the first rule |")
    print("|---|---|---|---|---|---|")
    for row in rows(arguments):
        print(row, flush=True)


if __name__ == "__main__":
    main()

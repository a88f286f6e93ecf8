"""Trials an hour on a Ray cluster of this machine alone against worker processes, side by side in one run.

    python tools/bench_ray.py                          2 workers, 3 rounds of 24 trials each
    python tools/bench_ray.py --workers 8 --trials 96

Both executors get the same trainings of the digits, in turns, after a first round that starts the processes and loads
TensorFlow and is not counted. Ray's processes have the priority of the others, where they are usually last in line:
whatever else the machine does is in the way of both alike. Printed are trials an hour of wall time, the CPU seconds of
a trial (of this process and all below it, Ray's own among them), and the shares that Ray has of the first. Exit code 1
where that of wall time is below 0.9, or where the two differ in a score. On a busy machine the CPU seconds say more.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from searchbench.real import job_for, setting_for

from tinynas import Dataset
from tinynas.screening import screen
from tinynas.searching import Executor, Job
from tinynas.searching.cluster import Ray
from tinynas.searching.processes import Processes
from tinynas.training.schedule import Schedule

_LEAST = 0.9
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def jobs_of(setting: Any, first: int, count: int, schedule: Schedule) -> list[Job]:
    """Return so many trainings of random networks that fit: the same ones for the same `first`."""
    rng, found = np.random.default_rng(first), list[Job]()
    while len(found) < count:
        architecture = setting.space.random_architecture(rng)
        footprint = screen(architecture, setting.target)
        if not setting.limits.violations(footprint):
            found.append(job_for(first + len(found), architecture, footprint, first + len(found), schedule))
    return found


def cpu_s() -> float:
    """Return the CPU seconds of this process and of all below it, those that have ended included."""
    of: dict[int, tuple[int, float]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        of[int(path.parent.name)] = int(fields[1]), _TICK_S * sum(map(int, fields[11:15]))
    total, below = 0.0, [os.getpid()]
    while below:
        pid = below.pop()
        total += of[pid][1]
        below += [each for each, (parent, _) in of.items() if parent == pid]
    return total


def measured(executor: Executor, jobs: list[Job]) -> tuple[float, float, dict[int, float]]:
    """Return the wall seconds and the CPU seconds of `jobs`, and their scores."""
    began, before = time.monotonic(), cpu_s()
    scores = {job.number: outcome.evaluation.mean() for job, outcome in executor.evaluate(jobs, None)}
    return time.monotonic() - began, cpu_s() - before, scores


def main() -> int:
    """Print the table; return 1 where Ray is too slow, or gives other scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--trials", type=int, default=24, help="in a round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--epochs", type=int, default=8, help="of a trial, of 1,280 samples each (default: %(default)s)"
    )
    arguments = parser.parse_args()
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 - its name
    setting = setting_for("digits", Dataset.digits(), "nucleo_f401", {}, 0.0)
    settings, schedule = setting.settings(0), Schedule(1, 1280, arguments.epochs)
    makers: dict[str, Callable[[], Executor]] = {
        "processes": lambda: Processes(setting.dataset, settings, arguments.workers),
        "ray": lambda: Ray(setting.dataset, settings, arguments.workers, address="local"),
    }
    executors = {name: make() for name, make in makers.items()}
    wall: dict[str, list[float]] = {name: [] for name in makers}
    cpu: dict[str, list[float]] = {name: [] for name in makers}
    same = True
    try:
        for executor in executors.values():
            measured(executor, jobs_of(setting, 0, 2 * arguments.workers, schedule))
        for number in range(1, arguments.rounds + 1):
            jobs, scores = jobs_of(setting, 1000 * number, arguments.trials, schedule), []
            for name, executor in executors.items():
                seconds, used_s, found = measured(executor, jobs)
                wall[name].append(3600 * arguments.trials / seconds)
                cpu[name].append(used_s / arguments.trials)
                scores.append(found)
                print(
                    f"round {number}, {name:9}: {wall[name][-1]:7.0f} trials an hour, {cpu[name][-1]:.2f} CPU s a trial"
                )
                sys.stdout.flush()
            same = same and scores[0] == scores[1] and len(scores[0]) == arguments.trials
    finally:
        for executor in executors.values():
            executor.close()
    share = median(ours / theirs for ours, theirs in zip(wall["ray"], wall["processes"], strict=True))
    of_cpu = median(theirs / ours for ours, theirs in zip(cpu["ray"], cpu["processes"], strict=True))
    print(f"Ray: {share:.2f} times the trials an hour of worker processes, {of_cpu:.2f} times by CPU seconds", end="; ")
    print("the same scores" if same else "OTHER SCORES")
    return 0 if same and share >= _LEAST else 1


if __name__ == "__main__":
    sys.exit(main())

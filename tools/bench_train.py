"""Is tinynas's proxy training worth its name? Against plain model.fit, and two worker processes against one.

    python tools/bench_train.py --data DIR --n 16 --scores docs/benchmarks/proxy_tau_fashion.json --out FILE
        [--trial 1] [--plain 6000x16,48000x2] [--batch 32,64]
    python tools/bench_train.py --data DIR --workers 1,2 --trials 16 [--repeats 2]

First form: the architectures of proxy_tau.py with the same options (whose full scores --scores takes over; without it
they are trained here). Each is scored by a search's own trial of default length (or --trial times that), with
everything in it: the file measured and checked, training, int8 conversion and int8 scoring; and by what one would
write oneself: compile with Adam, model.fit with Keras's defaults (batch norms of momentum 0.99, the rate 1e-3, no
augmentation) and the float accuracy after each epoch, on a part of the data and on all of it. Both in the same run,
in turn, in processes of one thread. Trials an hour are those of two such processes, from the mean CPU seconds. The
ratio that counts is that with the cheapest plain training, after whichever epoch, whose tau is at most 0.05 below
that of the trial.

Second form: the same trials, searched by random search with as many worker processes as told, up to the end of the last
trial, start of the processes included. Other load on the machine spoils it: the load average before each is printed.
"""

import argparse
import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from proxy_tau import FOLDS, about_full, fill, missing, plans, tau
from study import Job, Setup, Study, common_arguments, draw, setup_of

import tinynas
from tinynas.data import Dataset
from tinynas.searching.events import GenerationStarted, TrialDone
from tinynas.training.schedule import Lengths

CLOSE = 0.05
SHOWN = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)


def plain_plans(dataset: Dataset, given: str | None, batches: Sequence[int]) -> list[Job]:
    """The plain trainings: by default eight default proxies long, on their samples and on all."""
    lengths = Lengths.of(dataset, FOLDS)
    proxy, whole = lengths.proxy(), lengths.full().samples
    sizes = [(proxy.samples, 8 * proxy.epochs), (whole, max(1, round(8 * proxy.visits / whole)))]
    if given:
        sizes = [(int(part.split("x")[0]), int(part.split("x")[1])) for part in given.split(",")]
    blank: Any = None
    return [
        Job(0, blank, f"plain {samples}x{epochs} batch {batch}", "plain", (samples, epochs, batch))
        for batch in batches
        for samples, epochs in dict.fromkeys(sizes)
    ]


def rows_of(study: Study, trial: str, plain: Sequence[Job], full: str) -> list[dict[str, Any]]:
    """The trial first, then each plain training after each epoch: tau with the full scores, mean CPU seconds."""
    scores = study.column(full)
    rows = [_row("tinynas trial", study.column(trial), study.column(trial, "cpu_s"), scores)]
    for job in plain:
        curves = study.column(job.measure, "curve")
        for epoch in range(1, job.plan[1] + 1):
            points = {key: curve[epoch - 1] for key, curve in curves.items()}  # type: ignore[index]
            name = f"plain fit, {job.plan[0]} samples x {epoch}, batch {job.plan[2]}"
            row = _row(name, {k: p[1] for k, p in points.items()}, {k: p[2] for k, p in points.items()}, scores)
            rows.append({**row, "epoch": epoch})
    for row in rows:
        row["slower"] = row["cpu_s"] / rows[0]["cpu_s"]
    return rows


def _row(name: str, cheap: dict[str, float], seconds: dict[str, float], full: dict[str, float]) -> dict[str, Any]:
    mean = statistics.mean(seconds.values()) if seconds else float("nan")
    return {"what": name, "cpu_s": mean, "trials_an_hour": 2 * 3600 / mean, **tau(cheap, full)}


def verdict(rows: Sequence[dict[str, Any]]) -> str:
    """One sentence: the ratio to the cheapest plain training that ranks as well."""
    trial, plain = rows[0], rows[1:]
    as_good = [row for row in plain if row["tau"] >= trial["tau"] - CLOSE]
    if not as_good:
        longest = max(plain, key=lambda row: float(row["cpu_s"]))
        return (
            f"No plain training comes within {CLOSE} of the trial's tau of {trial['tau']:.2f}; the longest "
            f"({longest['what']}) takes {longest['slower']:.1f} times as long and has {longest['tau']:.2f}."
        )
    best = min(as_good, key=lambda row: float(row["cpu_s"]))
    return (
        f"{best['slower']:.1f} times as many trials an hour as {best['what']} (tau {best['tau']:.2f}, the trial's "
        f"{trial['tau']:.2f}), the cheapest plain training within {CLOSE} of it."
    )


def report(rows: Sequence[dict[str, Any]]) -> str:
    """The table as Markdown, some epochs of the plain trainings left out."""
    head = ["| training | n | CPU s (mean) | trials an hour | tau | better half | slower by |", "|" + "---|" * 7]
    lines = [
        f"| {row['what']} | {row['n']} | {row['cpu_s']:.2f} | {row['trials_an_hour']:.0f} | {row['tau']:.2f} | "
        f"{row['tau_better_half']:.2f} | {row['slower']:.2f} |"
        for row in rows
        if row.get("epoch", 1) in SHOWN
    ]
    return "\n".join(head + lines)


def compare(arguments: Any, setup: Setup, dataset: Dataset) -> None:
    """The first form."""
    study = Study(arguments.out or Path(f"bench_train_{dataset.name}.json"), setup, dataset)
    full, trial = plans(dataset, [arguments.trial], arguments.full)[:2]
    if arguments.scores:
        study.take(arguments.scores, [full.measure])
    plain = plain_plans(dataset, arguments.plain, [int(part) for part in arguments.batch.split(",")])
    architectures = draw(setup, dataset, arguments.n)
    fill(study, architectures, missing(architectures, [full, trial, *plain], study), arguments)
    rows = rows_of(study, trial.measure, plain, full.measure)
    study.write(architectures, table=rows, verdict=verdict(rows))
    print(f"{dataset.summary()}\n{about_full(study, full.measure)}\n{report(rows)}\n{verdict(rows)}")


class SearchOverError(Exception):
    """The search phase is over; the finalists are not this bench's."""


def seconds_of_trials(dataset: Dataset, setup: Setup, workers: int, trials: int) -> tuple[int, float]:
    """How many trials were done by so many workers, and the wall seconds from the start of the search to the last."""
    done: list[float] = []
    start = time.perf_counter()

    def watch(event: Any) -> None:
        if isinstance(event, TrialDone):
            done.append(time.perf_counter() - start)
        elif isinstance(event, GenerationStarted) and event.stage == "finalists":
            raise SearchOverError

    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(SearchOverError):
        tinynas.search(
            dataset,
            setup.target,
            out=Path(folder) / "run",
            limits=setup.limits(),
            workers=workers,
            watch=watch,
            seed=setup.seed,
            strategy="random",
            n_children=trials,
            n_generations=1,
            **dict(setup.settings),
        )
    return len(done), done[-1]


def scale(arguments: Any, setup: Setup, dataset: Dataset) -> None:
    """The second form: the counts of workers in turn, and backwards every second time."""
    counts = [int(part) for part in arguments.workers.split(",")]
    rates: dict[int, list[float]] = {count: [] for count in counts}
    for repeat in range(arguments.repeats):
        for count in counts if repeat % 2 == 0 else reversed(counts):
            load = os.getloadavg()[0]
            trials, seconds = seconds_of_trials(dataset, setup, count, arguments.trials)
            rates[count].append(3600 * trials / seconds)
            print(
                f"{count} workers: {trials} trials in {seconds:.1f} s, {rates[count][-1]:.0f} an hour, load {load:.1f}",
                flush=True,
            )
    first = statistics.mean(rates[counts[0]])
    for count in counts[1:]:
        print(f"{count} workers do {statistics.mean(rates[count]) / first:.2f} times the trials of {counts[0]}")


def main() -> None:
    """Read the command line and run one of the two forms."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    common_arguments(parser)
    parser.add_argument("--scores", type=Path, help="a file of proxy_tau.py with the full scores")
    parser.add_argument("--trial", type=float, default=1.0, help="length of the trial, in default proxies")
    parser.add_argument("--plain", help="samples x epochs of the plain trainings, comma between")
    parser.add_argument("--batch", default="32", help="batch sizes of the plain trainings")
    parser.add_argument("--workers", help="counts of worker processes to compare, such as 1,2")
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=1)
    arguments = parser.parse_args()
    setup = setup_of(arguments)
    (scale if arguments.workers else compare)(arguments, setup, setup.dataset())


if __name__ == "__main__":
    main()

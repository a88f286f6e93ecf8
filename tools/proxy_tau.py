"""How well does a cheap score rank architectures? Kendall's tau of each proxy with a full training, and its price.

    python tools/proxy_tau.py --data DIR --n 24 --out docs/benchmarks/proxy_tau_fashion.json
        [--times 0.25,0.5,1,2.5] [--full 20] [--minutes M] [--flash B --ram B] [--near] [--set augment=flip]
    python tools/proxy_tau.py --summary docs/benchmarks/proxy_tau_fashion.json

n architectures of the space that fit the board, random or near the hand-made starts, are scored by what their footprint
says, by the zero-cost scores of one batch, by trials of several lengths (multiples of the search's default proxy, in
sample visits) and by a full training on all data. All trainings are a search's own trials, int8 scores on held-out
samples, each measure with a seed of its own. Two processes of one thread; CPU seconds are those of the whole measure,
in its process. The file is written after each score: the same command goes on, a larger --n or other --times add to it.

"size bonus": with what a search adds for the size of a network after so short a training (`searching/equal_length.py`).
"better half": the architectures whose full score is above the median. The interval holds 90 % of the taus of 1,000
bootstrap samples of the architectures.
"""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import kendalltau
from study import Job, Scores, Study, column, common_arguments, draw, middle, run, setup_of

from tinynas.architecture import Architecture
from tinynas.data import Dataset
from tinynas.searching.equal_length import bonus, size
from tinynas.training.schedule import Lengths

FOLDS = 5
FOOTPRINT = ("params", "macs", "log_params_macs")
ZERO_COST = ("gradient_norm", "naswot", "synflow", "jacobian_covariance")


def plans(dataset: Dataset, times: Sequence[float], full: float) -> list[Job]:
    """The measures, as jobs without an architecture: the full training first, it takes longest."""
    lengths = Lengths.of(dataset, FOLDS)
    proxy, whole = lengths.proxy(), lengths.full().samples
    epochs = max(1, round(full * proxy.visits / whole))
    blank: Any = None
    jobs = [Job(0, blank, f"full {whole}x{epochs}", "train", ("full", whole, epochs))]
    for share in sorted(times, reverse=True):
        visits = share * proxy.visits
        samples = whole if visits >= whole else min(proxy.samples, max(64, round(visits)))
        plan = ("proxy", samples, max(1, round(visits / samples)))
        jobs.append(Job(0, blank, f"train {plan[1]}x{plan[2]}", "train", plan))
    jobs += [Job(0, blank, name, "zero_cost", (name,)) for name in ZERO_COST]
    return jobs + [Job(0, blank, name, "footprint", (name,)) for name in FOOTPRINT]


def missing(architectures: Sequence[Architecture], measures: Sequence[Job], study: Study) -> list[Job]:
    """The jobs whose scores the study has not, architecture by architecture."""
    return [
        replace(job, number=number, architecture=architecture)
        for number, architecture in enumerate(architectures)
        for job in measures
        if "score" not in study.scores.get(architecture.key, {}).get(job.measure, {})
    ]


def fill(study: Study, architectures: Sequence[Architecture], jobs: Sequence[Job], arguments: Any) -> None:
    """Run the jobs and keep each score as it comes; one line each on standard error."""

    def done(job: Job, result: dict[str, Any]) -> None:
        study.scores.setdefault(job.architecture.key, {})[job.measure] = result
        study.write(architectures)
        said = f"{result['score']:.4f}" if "score" in result else result["error"]
        print(f"#{job.number} {job.measure}: {said}, {result['cpu_s']:.2f} CPU s", file=sys.stderr, flush=True)

    run(jobs, setup_of(arguments), done, arguments.processes, arguments.minutes)


def tau(cheap: dict[str, float], full: dict[str, float]) -> dict[str, float]:
    """Kendall's tau-b over the architectures that have both scores, over their better half, and its interval."""
    keys = [key for key in full if key in cheap]
    a, b = (np.array([scores[key] for key in keys]) for scores in (cheap, full))
    better = b > np.median(b) if len(b) else b > 0
    rng = np.random.default_rng(0)
    drawn = [_tau(a[rows], b[rows]) for rows in rng.integers(len(keys), size=(1000, len(keys)))] if keys else []
    drawn = [value for value in drawn if not math.isnan(value)]
    low, high = np.percentile(drawn, (5, 95)) if drawn else (math.nan, math.nan)
    return {
        "n": len(keys),
        "tau": _tau(a, b),
        "tau_better_half": _tau(a[better], b[better]),
        "tau_low": float(low),
        "tau_high": float(high),
    }


def _tau(a: np.ndarray, b: np.ndarray) -> float:
    return float(kendalltau(a, b).statistic) if len(a) > 1 else math.nan


def table(scores: Scores, measures: Sequence[str], architectures: Sequence[Architecture]) -> list[dict[str, Any]]:
    """A row for each measure but the first, the full training: taus, CPU seconds in the median, tau per CPU second."""
    full = column(scores, measures[0])
    rows = []
    for name in measures[1:]:
        seconds = middle(list(column(scores, name, "cpu_s").values()))
        row = {"proxy": name, "cpu_s": seconds, **tau(column(scores, name), full)}
        rows.append({**row, "tau_per_cpu_s": row["tau"] / seconds if seconds else math.nan})
        if name.startswith("train "):
            row = {
                "proxy": f"{name}, size bonus",
                "cpu_s": seconds,
                **tau(with_bonus(scores, architectures, name), full),
            }
            rows.append({**row, "tau_per_cpu_s": row["tau"] / seconds})
    return rows


def with_bonus(scores_of: Scores, architectures: Sequence[Architecture], name: str) -> dict[str, float]:
    """The scores of a trial as a search compares them: -log(error) with the bonus on size."""
    samples, epochs = map(int, name.removeprefix("train ").split("x"))
    scores, macs = column(scores_of, name), column(scores_of, "macs")
    return {
        each.key: -math.log(max(2e-3, 1 - scores[each.key])) + bonus(size(each, int(macs[each.key])), samples * epochs)
        for each in architectures
        if each.key in scores
    }


def about_full(of: Scores, name: str) -> str:
    """One line on the full trainings that there are."""
    scores, seconds = column(of, name).values(), column(of, name, "cpu_s").values()
    if not scores:
        return f"{name}: none yet"
    return (
        f"{name} (samples x epochs): {len(scores)} architectures, int8 accuracy {min(scores):.3f} to "
        f"{max(scores):.3f}, {middle(list(seconds)):.1f} CPU s in the median"
    )


def report(rows: Sequence[dict[str, Any]]) -> str:
    """The table as Markdown."""
    lines = [
        "| proxy | n | CPU s (median) | tau, all | 90 % of bootstraps | tau, better half | tau per CPU s |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        price = f"{row['tau_per_cpu_s']:.2f}" if row["cpu_s"] >= 0.01 else "free"
        lines.append(
            f"| {row['proxy']} | {row['n']} | {row['cpu_s']:.3f} | {row['tau']:.2f} | "
            f"{row['tau_low']:.2f} to {row['tau_high']:.2f} | {row['tau_better_half']:.2f} | {price} |"
        )
    return "\n".join(lines)


def summary(path: Path) -> None:
    """Print the table of a file, with the bonus on size of today."""
    kept = json.loads(path.read_text())["architectures"]
    scores: Scores = {entry["key"]: entry["scores"] for entry in kept}
    names = list(dict.fromkeys(name for entry in kept for name in entry["scores"]))
    measures = sorted(names, key=lambda name: not name.startswith("full "))
    print(about_full(scores, measures[0]))
    print(report(table(scores, measures, [Architecture.from_dict(entry["genes"]) for entry in kept])))


def main() -> None:
    """Read the command line, measure what is missing, print and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    common_arguments(parser)
    parser.add_argument("--times", default="0.25,0.5,1,2.5", help="lengths of trials, in default proxies")
    parser.add_argument("--summary", type=Path, help="print the table of a result file")
    arguments = parser.parse_args()
    if arguments.summary:
        summary(arguments.summary)
        return
    setup = setup_of(arguments)
    dataset = setup.dataset()
    study = Study(arguments.out or Path(f"proxy_tau_{dataset.name}.json"), setup, dataset)
    measures = plans(dataset, [float(part) for part in arguments.times.split(",")], arguments.full)
    architectures = draw(setup, dataset, arguments.n)
    fill(study, architectures, missing(architectures, measures, study), arguments)
    rows = table(study.scores, [job.measure for job in measures], architectures)
    study.write(architectures, table=rows)
    print(dataset.summary())
    print(about_full(study.scores, measures[0].measure))
    print(report(rows))


if __name__ == "__main__":
    main()

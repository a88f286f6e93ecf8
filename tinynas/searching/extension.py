"""A search that has ended goes on: more generations, then finalists and final training anew; what there was stays.

A search has parts: the one it began with, and one for each time that it was given more (`Settings.extensions`). Each
ends with finalists and a final training. What earlier parts have tried is told to the strategy as the journal has it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tinynas.errors import RunError, UsageError
from tinynas.options import SETTINGS
from tinynas.runs import Extension, Run, Settings, Trial, numbered, trained
from tinynas.searching.jobs import Final
from tinynas.searching.record import count_trained
from tinynas.words import counted

KEYWORDS = {"more_time_s": "time_budget_s", "more_trials": "max_trials", "more_generations": "n_generations"}
"""Keyword of resume() -> the setting that it gives more of."""


@dataclass(frozen=True)
class Part:
    """The part of a search that goes on now: its number, its first generation, the search's age then, and its ends.

    `best` is the trial that was the best until then, `trained` how many children were.
    """

    number: int
    first: int
    age_s: float
    n_generations: int | None
    max_trials: int | None
    time_budget_s: float | None
    best: int | None = None
    trained: int = 0

    def asked(self, name: str) -> str:
        """Return the reason for an end that was asked for by the setting `name`."""
        before, noun = {"n_generations": (self.first, "generation"), "max_trials": (self.trained, "trial")}[name]
        count = getattr(self, name) - before
        words = counted(count, f"more {noun}" if self.number else noun)
        return f"{words} {'was' if count == 1 else 'were'} asked for"


def part_of(settings: Settings, trials: Sequence[Trial]) -> Part:
    """Return the last part of a search that has `trials`; ends are counted from the search's beginning, time is not."""
    if not settings.extensions:
        return Part(0, 0, 0.0, settings.n_generations, settings.max_trials, settings.time_budget_s)
    last = settings.extensions[-1]
    before = count_trained([trial for trial in trials if trial.generation < last.generation])
    return Part(
        len(settings.extensions),
        last.generation,
        last.age_s,
        None if last.n_generations is None else last.generation + last.n_generations,
        None if last.max_trials is None else before + last.max_trials,
        last.time_budget_s,
        last.best,
        before,
    )


def rounds(run: Run, settled: Any) -> tuple[int, ...]:
    """Return the generations of the finalists of earlier parts that were trained as `settled` (a fact) says."""
    names = enumerate(run.settings.extensions)
    return tuple(each.generation - 1 for part, each in names if run.journal.fact(finalists_fact(part)) == settled)


def finalists_fact(part: int) -> str:
    """Return the name of the fact that says how long the finalists of a part are trained."""
    return f"finalists_{part}" if part else "finalists"


def checked_more(**given: Any) -> dict[str, Any]:
    """Return what a search is given more of, by the name of the setting; UsageError for what makes no sense."""
    more = {}
    for keyword, value in given.items():
        row = SETTINGS[KEYWORDS[keyword]]
        if value is None:
            continue
        kinds = int | float if row.kind == "time" else int
        if isinstance(value, bool) or not isinstance(value, kinds) or not row.holds(value):
            raise UsageError(f"{keyword} is {value!r}; wanted {row.wanted}.")
        more[row.name] = value
    return more


def extend(run: Run, more: Mapping[str, Any]) -> None:
    """Let the search of `run`, which has ended, go on with `more`.

    Its best is kept as a final training of its trial first, unless that trial was given one by itself. A kill leaves a
    search that has ended, or one that goes on. RunError when the search has not ended.
    """
    summary, trials = run.summary(), run.journal.trials()
    if summary is None:
        raise RunError(
            f"{run.folder} has not ended: go on with it first, tinynas search --resume {run.folder}; a search that has "
            f"ended can be given more."
        )
    best = summary["best"]
    number: int | None = None if best is None else best["trial"]
    if number is not None and best["test"] is not None and number not in trained(run.folder):
        run.copy_best(number, summary)
    if run.settings.fidelity == "proxy":
        run.keep_starts(trials)
    first = 1 + max((trial.generation for trial in trials), default=-1)
    run.extend(Extension(generation=first, age_s=summary["seconds"], best=number, **more))


def earlier_final(run: Run, part: Part, best: Trial, trials: Sequence[Trial]) -> tuple[Trial, dict[str, Any]] | None:
    """Return the trial and the summary of the final model that the network of `best` has from an earlier part."""
    before = run.summary_before(part.number) if part.number else None
    if before is None or before["best"] is None or before["best"]["test"] is None:
        return None
    trial = numbered(trials, before["best"]["trial"], run.folder)
    return (trial, before) if trial.architecture.key == best.architecture.key else None


def is_better(final: Final, before: Mapping[str, Any]) -> bool:
    """Return whether a final training of the same network, of the same seed, is no worse than that of `before`.

    They are compared on the training samples that were held out of both; where there are none, by their epochs.
    """
    held_out = before["best"].get("held_out") or {}
    if not held_out or not final.judged:
        return bool(final.epochs >= (before["best"]["epochs"] or 0))
    return bool(max(final.judged.values()) >= max(held_out.values()))

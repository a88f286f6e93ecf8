"""What a resumed search says and does before it goes on: losses are told, failed trials of the end tried again."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from tinynas.errors import RunError
from tinynas.runs import Best, Run, State, Trial
from tinynas.searching.ahead import Ahead
from tinynas.searching.record import Record
from tinynas.version import __version__
from tinynas.words import counted

FINAL_FROM = "final_from"
"""The fact of the journal that says when the final training began, in seconds of the search."""


def told(run: Run) -> Iterator[str]:
    """Yield a sentence for each thing that a person should know before the run goes on."""
    began = run.settings.version
    if began != __version__:
        yield (
            f"The search began with tinynas {began}, and this is {__version__}: networks that this version would not "
            f"propose end it with a message, and trainings may give other results."
        )
    lost = sorted(run.logged() - {trial.number for trial in run.journal.trials()})
    if lost:
        journal = run.journal.path
        yield (
            f"search.log tells of {counted(len(lost), 'trial')} (#{', #'.join(map(str, lost[:5]))}"
            f"{', ...' if len(lost) > 5 else ''}) that the journal does not have: {journal.name}-wal, which belongs to "
            f"{journal.name}, is missing or damaged. They are trained again; if there is a copy of the run folder, "
            f"stop, and resume that."
        )


def try_again(record: Record, ahead: Ahead) -> tuple[int, ...]:
    """Forget the failed trials of the newest generations, and return their numbers: they are trained again.

    On them nothing is built yet: they were not told when the newest was proposed. On earlier ones later generations
    are, which would not be the same without them; and finalists are on all.
    """
    newest = max((trial.generation for trial in record.trials), default=0)
    first = newest if record.finalists((newest,)) else min(newest, ahead.told(newest))
    failed = tuple(
        trial.number for trial in record.trials if trial.generation >= first and trial.evaluation.state is State.FAILED
    )
    if failed:
        record.forget(failed)
    return failed


def damage(run: Run, summary: dict[str, Any]) -> str | None:
    """Return what is wrong with the best model of a search that has ended, None where it is as the search left it."""
    best = summary["best"]
    if best is None or best["test"] is None:  # nothing was trained, or there was no final training
        return None
    try:
        about = Best(run.folder).about
    except RunError as error:
        return f"The search has ended, but its best model is not there: {error}"
    if about.get("stage") != "final" or about.get("trial") != best["trial"]:
        return f"The search has ended, but {run.folder}/best is not the model of its final training."
    return None


def take_up_end(run: Run) -> None:
    """Let the end of a search that has ended run again, with the time that it had."""
    run.journal.set_fact("seconds", run.journal.fact(FINAL_FROM, run.journal.fact("seconds", 0.0)))
    run.remove_summary()


def none_trained(trials: Sequence[Trial]) -> str | None:
    """Return the error that most finalists of `trials` had, None where one of them was trained or there were none."""
    full = [trial.evaluation for trial in trials if trial.evaluation.fidelity == "full"]
    if not full or any(each.state is not State.FAILED for each in full):
        return None
    return Counter(each.error for each in full).most_common(1)[0][0]

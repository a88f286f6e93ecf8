"""What executors try again, and how often: a job that had trouble or gives no answer, the final training."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from tinynas.errors import RunError
from tinynas.runs import Evaluation, State
from tinynas.searching.jobs import Final, Job, Outcome
from tinynas.searching.trouble import FULL, SILENT, Trouble, final_failed
from tinynas.searching.waits import Waits
from tinynas.words import minutes

_FINAL_TRIES = 2

Say = Callable[[str], None]
_T = TypeVar("_T")


@dataclass
class Running:
    """A job that was given away: when it began (time.monotonic; None while it waits), and whether it was told late."""

    job: Job
    began: float | None = None
    told: bool = False


def silent(running: Mapping[_T, Running], waits: Waits, say: Say) -> dict[_T, Trouble]:
    """Return those that have had their time without an answer; tell of those that are late."""
    now, found = time.monotonic(), {}
    for key, each in running.items():
        if each.began is None:
            continue
        most_s = waits.seconds(each.job)
        if now >= each.began + most_s:
            found[key] = Trouble(SILENT, f"none in {minutes(most_s)}")
        elif not each.told and now >= each.began + waits.late(each.job):
            each.told = True
            say(
                f"Trial {each.job.number}: no answer for {minutes(now - each.began)}; after {minutes(most_s)} it is "
                f"ended, and tried again (--trial-timeout)."
            )
    return found


def again(
    trouble: Trouble, once: Callable[[], Outcome | Trouble], deadline: float | None, disk: str = "The disk"
) -> Outcome:
    """Try a job `once` more, in a fresh process with nothing beside it, as often as its trouble allows.

    RunError when the `disk` is full; else what trouble is left is the outcome, which fails the job.
    """
    tries = 1
    while tries < trouble.most_tries and not is_over(deadline):
        found = once()
        tries += 1
        if isinstance(found, Outcome):
            return found
        trouble = found
    if trouble.kind == FULL:
        raise RunError(f"{disk} is full ({trouble.said}): make room there, and go on with --resume.")
    return Outcome(Evaluation(State.FAILED, error=trouble.verdict(tries), cause=trouble.kind))


def final(once: Callable[[], Final | Trouble], say: Say) -> Final:
    """Do the final training `once`, and once more where it had trouble; RunError when it has it again."""
    found = once()
    for _ in range(_FINAL_TRIES - 1):
        if isinstance(found, Final):
            break
        say(f"The final training is tried again in a fresh process: {found.said}")
        found = once()
    if isinstance(found, Trouble):
        raise final_failed(found)
    return found


def is_over(deadline: float | None) -> bool:
    """Return whether `deadline` (time.monotonic) has passed."""
    return deadline is not None and time.monotonic() > deadline


def silently(said: object) -> None:
    """Tell nobody."""

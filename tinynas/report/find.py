"""Which trial of a run a person means."""

from tinynas.errors import RunError, UsageError
from tinynas.report.facts import RunFacts
from tinynas.runs import Trial


def find_trial(facts: RunFacts, number: int | None) -> Trial:
    """Return the trial of that number, or the best one for None; UsageError or RunError when there is none."""
    if number is None:
        if facts.best is None:
            raise RunError(f"{facts.folder} has no trained trial yet; name one, such as {facts.folder}:0.")
        return facts.best
    found = next((trial for trial in facts.trials if trial.number == number), None)
    if found is None:
        last = max((trial.number for trial in facts.trials), default=None)
        there = "it has none yet" if last is None else f"it has 0 to {last}"
        raise UsageError(f"{facts.folder} has no trial {number}: {there}.")
    return found

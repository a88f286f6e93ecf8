"""Which trial of a run a person means."""

from tinynas.errors import RunError
from tinynas.report.facts import RunFacts
from tinynas.runs import Trial, numbered


def find_trial(facts: RunFacts, number: int | None) -> Trial:
    """Return the trial of that number, or the best one for None; UsageError or RunError when there is none."""
    if number is not None:
        return numbered(facts.trials, number, facts.folder)
    if facts.best is None:
        raise RunError(f"{facts.folder} has no trained trial yet; name one, such as {facts.folder}:0.")
    return facts.best

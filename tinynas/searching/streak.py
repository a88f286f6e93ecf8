"""Failures one after the other: something is wrong with the set-up then, rather than with the trials."""

import re

from tinynas.errors import RunError
from tinynas.runs import State, Trial
from tinynas.words import counted

_OF_ONE_KIND = 5
_OF_ANY_KIND = 10
_KINDS = {
    "died": "their worker processes died; is there memory enough, or fewer --workers?",
    "silent": "they gave no answer in time; is the machine busy or asleep? --trial-timeout waits longer",
}


class Streak:
    """The failures since the last trial that did not fail."""

    def __init__(self) -> None:
        """Start without any."""
        self._kinds: list[str] = []

    def tell(self, trial: Trial) -> None:
        """Take a trial; RunError, with what they have in common, when too many in a row have failed."""
        evaluation = trial.evaluation
        if evaluation.state is not State.FAILED:
            self._kinds.clear()
            return
        self._kinds.append(evaluation.cause + kind_of(evaluation.error))
        alike = len(self._kinds) >= _OF_ONE_KIND and len(set(self._kinds[-_OF_ONE_KIND:])) == 1
        if not alike and len(self._kinds) < _OF_ANY_KIND:
            return
        count = counted(_OF_ONE_KIND if alike else len(self._kinds), "trial")
        why = _KINDS.get(evaluation.cause) if alike else None
        why = f": {why}; the last" if why else " in the same way, the last" if alike else ", the last"
        raise RunError(
            f"{count} in a row failed{why} with: {evaluation.error.rstrip('.')}. search.log has all; --resume tries "
            f"the newest ones again."
        )


def kind_of(error: str) -> str:
    """Return what errors of one kind have in common: the first clause of their text, figures left out."""
    return re.sub(r"\d+", "#", re.split(r"[:;(]", error, maxsplit=1)[0])

"""How long a job may give no answer before its process counts as hanging: by what earlier ones cost, or as told."""

from collections import deque
from collections.abc import Iterable

from tinynas.runs import Evaluation
from tinynas.searching.jobs import Job

# All are wide: a job that is ended wrongly costs a child, one that is ended late some minutes.
_TIMES = 10.0  # a job may take so many times what the dearest of the newest ones would have taken for it
_NEWEST = 200  # of so many
_LEAST_S = 600.0  # however cheap they were: processes start, and the machine may be busy with other things
_VISIT_S = 0.1  # before any has ended, a training visits a sample at the least that often
_SHARE, _LEAST_SHARE_S = 0.2, 300.0  # of a time budget, that one job may take of it
_TOLD = 1 / 3  # of its time, after which it is told that a job is late
_EXPECTED = 2.0  # times what the dearest would have taken: before that nothing is late, whatever a budget allows
_LEAST_EPOCH_S = 900.0  # of the final training: compiling, an epoch, and what comes after the last one


class Waits:
    """The seconds that a job may take; `trial_timeout_s` overrules whatever follows from the others."""

    def __init__(self, trial_timeout_s: float | None = None, time_budget_s: float | None = None) -> None:
        """Start without knowing what anything costs."""
        self._told_s = trial_timeout_s
        self._most_s = None if time_budget_s is None else max(_LEAST_SHARE_S, _SHARE * time_budget_s)
        self._costs: deque[tuple[float, int]] = deque(maxlen=_NEWEST)  # seconds a visit, multiply-accumulates

    def learn(self, evaluations: Iterable[Evaluation]) -> None:
        """Take in what trainings cost that have ended."""
        for each in evaluations:
            if each.visits and each.footprint is not None:
                self._costs.append((each.seconds / each.visits, max(1, each.footprint.macs)))

    def seconds(self, job: Job) -> float:
        """Return how long `job` may take, its process's start included."""
        if self._told_s is not None:
            return self._told_s
        dearest_s = self._dearest_s(job)
        if dearest_s is None:
            seconds = _LEAST_S + (0 if job.schedule is None else job.schedule.visits) * _VISIT_S
        else:
            seconds = max(_LEAST_S, _TIMES * dearest_s)
        return seconds if self._most_s is None else min(seconds, self._most_s)

    def late(self, job: Job) -> float:
        """Return the seconds after which people are told that there is no answer yet."""
        seconds = self.seconds(job)
        expected_s = 0.0 if self._told_s is not None else self._dearest_s(job) or 0.0
        return min(seconds, max(seconds * _TOLD, _EXPECTED * expected_s))

    def _dearest_s(self, job: Job) -> float | None:
        """Return what `job` would take if it cost what the dearest did, None before any has ended.

        A network with more operations costs more; one with less may cost as much, as what surrounds them does.
        """
        visits, macs = 0 if job.schedule is None else job.schedule.visits, job.screened.macs
        visit_s = max((visit_s * max(1.0, macs / known) for visit_s, known in self._costs), default=None)
        return None if visit_s is None else visit_s * visits

    def silence(self, samples: int, longest_s: float, so_far_s: float) -> float:
        """Return how long the final training may tell nothing.

        `samples` are those of an epoch, `longest_s` the longest silence so far; after the last epoch comes what takes a
        part of the time of all, `so_far_s`.
        """
        return max(_LEAST_EPOCH_S, _TIMES * longest_s, so_far_s) + samples * _VISIT_S

"""What the phases of a search share: the run, what it has found, what trains; jobs of children, trials of outcomes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tinynas.data import Dataset
from tinynas.errors import UsageError
from tinynas.runs import Evaluation, Run, State, Trial, contenders
from tinynas.searching.ahead import Ahead
from tinynas.searching.clock import Clock
from tinynas.searching.equal_length import size_bonus_of
from tinynas.searching.events import Note, TrialDone, Watcher
from tinynas.searching.executor import Executor
from tinynas.searching.extension import finalists_fact, part_of
from tinynas.searching.feasible import Candidate
from tinynas.searching.final import lengths_for, seed_of
from tinynas.searching.jobs import Job, Outcome, StartFile
from tinynas.searching.keep import Front, drop_models, keep_models
from tinynas.searching.record import Record
from tinynas.searching.strategy import Proposal
from tinynas.searching.streak import Streak
from tinynas.searching.warm import Network, begun
from tinynas.training.regularization import STRENGTHS
from tinynas.training.schedule import Schedule, scored_samples

_FINALISTS = 3
_AS_PARENT = 0.7  # the share of children that are regularised as their parents were
_DRAWN = (0.5, 0.25, 0.25)  # how likely the others are as each of STRENGTHS
_REGULARIZED = 1  # the stream of chance for it


@dataclass
class Course:
    """One search in one run folder, as its phases see it: the search, the finalists, the final training.

    `networks` are those of an earlier run that it begins with.
    """

    run: Run
    dataset: Dataset
    executor: Executor
    watch: Watcher
    clock: Clock
    networks: Sequence[Network] = ()

    def __post_init__(self) -> None:
        self.settings = self.run.settings
        self.size_bonus = size_bonus_of(self.run.journal, lengths_for(self.run, self.dataset))
        self.record = Record(self.run, begun(self.networks), self.size_bonus)
        self.part = part_of(self.settings, self.trials)
        self.samples = scored_samples(len(self.dataset.y), self.settings.n_folds)
        self._failures = Streak()
        self._front = Front(self.settings, self.trials)
        self.ahead = Ahead.of(self.run.journal, self.part.first, self.settings.n_children)
        if not self.trials:  # version 0.1.0 did not count steps: what it began goes on without
            self.run.journal.set_fact("least_steps", True)
        self.lengths = lengths_for(self.run, self.dataset)

    @property
    def trials(self) -> tuple[Trial, ...]:
        """All trials so far, in the order of their numbers."""
        return self.record.trials

    def age(self) -> float:
        """Return the seconds of the whole search, earlier parts included."""
        return self.part.age_s + self.clock.elapsed()

    def share(self, done: int) -> float:
        """Return how much of the search phase is done, by whichever of its ends is nearest."""
        part = self.part
        done -= part.trained
        shares = [self.clock.share()]
        if part.max_trials is not None:
            shares.append(done / (part.max_trials - part.trained))
        if part.n_generations is not None:
            shares.append(done / ((part.n_generations - part.first) * self.settings.n_children))
        return min(1.0, max(shares))

    def say(self, text: str) -> None:
        """Tell people something, in search.log too."""
        self.run.log(text)
        self.watch(Note(text))

    @property
    def n_finalists(self) -> int:
        """The number of finalists that was asked for, or the usual one; where there is time there may be more of it."""
        return self.settings.n_finalists or _FINALISTS

    def contenders(self, most: int | None = None) -> list[Trial]:
        """Return the best trials, and the best of the hand-made starts beside them: proxies are short, it is proven.

        So is the best of an earlier part of the search. The best trials are `most` (None: `n_finalists`).
        """
        settings, ranked = self.settings, self.record.ranked()
        n = self.n_finalists if most is None else most
        found = contenders(ranked, n, settings.metric, settings.prefer, self.samples)
        if self.lengths.long_finals and self.n_finalists > 1:
            best = next((trial for trial in ranked if trial.architecture.key in self.handmade), None)
            found += [best] if best is not None and best not in found else []
        if self.part.best is None:
            return found
        key = self.record[self.part.best].architecture.key
        earlier = [trial for trial in ranked if trial.architecture.key == key]
        return [*earlier, *(trial for trial in found if trial not in earlier)]

    @cached_property
    def handmade(self) -> frozenset[str]:
        """The keys of the hand-made networks that the search began with."""
        begins = self.settings.start == "handmade"
        return frozenset(architecture.key for architecture in self.settings.space.handmade() if begins)

    @property
    def proven(self) -> frozenset[str]:
        """The keys of the networks that stay unless they are surely beaten: of the searches that know of such.

        Where samples are few there are none: finalists are not cut short there, and no score would be sure. Nor are
        there where finalists are trained for as long as they learn anything.
        """
        short = not self.lengths.few and self.enough_epochs is None
        stay = self.run.journal.fact("proven_stay", False) and short
        return self.handmade if stay else frozenset()

    @property
    def enough_epochs(self) -> int | None:
        """The epochs in which the finalists have learned what they can, where they were trained for so long, else None.

        The time may hold fewer than was reckoned, where what came before took longer.
        """
        enough, settled = self.clock.enough_epochs, self.run.journal.fact(finalists_fact(self.part.number))
        trained = 0 if settled is None else Schedule.from_dict(settled).epochs
        return enough if enough is not None and trained >= enough else None

    # --- jobs

    def job(self, number: int, generation: int, candidate: Candidate, schedule: Schedule | None) -> Job:
        """Return the training of a candidate, which is trial `number` then."""
        proposal = candidate.proposal
        return Job(
            number,
            generation,
            proposal.parent,
            proposal.architecture,
            self.settings.fidelity,
            seed_of(self.settings, number),
            candidate.footprint,
            schedule,
            regularization=self._regularization(number, proposal),
            ends_plain=self.lengths.ends_plain,
        )

    def _regularization(self, number: int, proposal: Proposal) -> str:
        """Return how strongly a child is regularised: mostly as its parent was; where samples are many, as usual."""
        if not self.lengths.small_sets:
            return ""  # the search began when this was no choice
        if not self.lengths.few:
            return STRENGTHS[0]
        parent = None if proposal.parent is None else self.record[proposal.parent]
        as_parent = "" if parent is None else parent.evaluation.regularization
        if parent is not None and parent.architecture.key == proposal.architecture.key:
            return as_parent  # a promotion, or a finalist
        rng = np.random.default_rng([self.settings.seed, number, _REGULARIZED])
        if as_parent and rng.random() < _AS_PARENT:
            return as_parent
        return str(rng.choice(STRENGTHS, p=_DRAWN))

    def start_of(self, number: int | None) -> StartFile | None:
        """Return the file with the weights of trial `number`, or None when there is none.

        Where all folds are trained there is none: the weights of one have seen what the others are scored on.
        """
        path = None if number is None or self.lengths.few else self.run.start_path(number)
        if number is None or path is None:
            return None
        return StartFile(path, self.record[number].architecture)

    # --- training and its record

    def train(self, jobs: Sequence[Job], deadline: float | None) -> Iterator[Trial]:
        """Train `jobs`, those that begin before `deadline` (time.monotonic); yield each trial when it is recorded.

        Who takes them may let `jobs` grow meanwhile.
        """
        waiting, n_seen = dict[int, Job](), 0
        for done in self.executor.evaluate(jobs, deadline):
            waiting |= {job.number: job for job in jobs[n_seen:]}
            n_seen = len(jobs)
            job, outcome = _checked(done, waiting)
            trial = _trial(job, outcome.evaluation)
            if outcome.weights and self._is_start(job):
                self.run.save_weights(job.number, outcome.weights)
            leads = self.record.leads(trial)
            saves = leads and not self.part.number  # an earlier part's final model stays until there is another
            self._front.add(trial)
            keep_models(self.run, self.dataset, trial, outcome, saves, self._front.numbers)
            self.record.add(trial, self.age())
            drop_models(self.run, self._front.numbers)
            self.watch(TrialDone(trial, leads, self.share(self.record.n_trained)))
            self._failures.tell(trial)
            yield trial

    def _is_start(self, job: Job) -> bool:
        """Return whether other trainings may go on from the weights of `job`."""
        if self.lengths.few or job.fidelity == "none":
            return False
        goes_on = self.clock.compares_at_length or job.start is not None  # and the final training from there
        return job.fidelity == "proxy" or (self.settings.fidelity == "proxy" and goes_on)


def again(trial: Trial) -> Proposal:
    """Return the proposal to train the network of `trial` again."""
    return Proposal(trial.architecture, trial.number)


def _checked(done: object, waiting: dict[int, Job]) -> tuple[Job, Outcome]:
    """Return what an executor yielded, and wait for it no longer; UsageError unless it is a job with its outcome."""
    if not (isinstance(done, tuple) and len(done) == 2 and isinstance(done[0], Job) and isinstance(done[1], Outcome)):
        raise UsageError(f"The executor yielded {done!r:.200}; a job and its Outcome were wanted.")
    job, outcome = done
    if waiting.pop(job.number, None) is None:
        raise UsageError(f"The executor yielded job {job.number}, which it was not given, or for the second time.")
    return job, outcome


def _trial(job: Job, evaluation: Evaluation) -> Trial:
    """Return the trial of a job; how it was trained is what the job said, and a screened footprint beats none."""
    footprint = evaluation.footprint
    if footprint is None and evaluation.state is not State.FAILED:
        footprint = job.screened
    evaluation = replace(
        evaluation,
        footprint=footprint,
        fidelity=job.fidelity,
        rung=job.rung,
        regularization=job.regularization if evaluation.visits else "",
    )
    return Trial(job.number, job.generation, job.parent, job.architecture, evaluation)

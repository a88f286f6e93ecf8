"""A generation as it is planned: promotions and children as numbered jobs, the same whenever they are asked for."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field, replace

import numpy as np

from tinynas.errors import RunError
from tinynas.runs import Evaluation, State, Trial
from tinynas.searching.course import Course, again
from tinynas.searching.feasible import Candidate, infeasible, propose
from tinynas.searching.halving import promotions
from tinynas.searching.jobs import Job, StartFile
from tinynas.searching.strategy import Proposal, Screen, Strategy
from tinynas.searching.warm import starts
from tinynas.training.schedule import Schedule


@dataclass
class Generation:
    """What was planned: the numbers of its trials, and the jobs for those that the journal does not have yet.

    `children` are the keys of the networks that it trains, `promoted` those that it trains on, by the rung that they
    reach; `open` the numbers of the jobs that have not come back.
    """

    number: int
    first: int
    infeasible: int
    jobs: list[Job]
    children: frozenset[str]
    promoted: frozenset[tuple[int, str]]
    n_trials: int
    open: set[int] = field(init=False)

    def __post_init__(self) -> None:
        self.open = {job.number for job in self.jobs}

    @property
    def numbers(self) -> range:
        """The numbers of its trials."""
        return range(self.first, self.first + self.n_trials)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to train in it."""
        return not self.children and not self.promoted


class Planner:
    """Asks the strategy for generations. All that lives is what was proposed before, and what the strategy was told."""

    def __init__(self, course: Course, strategy: Strategy, screen: Screen) -> None:
        """Begin with what earlier parts of the search have tried, told as they did, but for their finalists."""
        self._course = course
        self._strategy = strategy
        self._screen = screen
        self._settings = course.settings
        self._starts = starts(course.networks)
        self._known: set[str] = set()
        for trial in course.record.before(course.part.first):
            self._known.add(trial.architecture.key)
            strategy.tell(trial)

    def tell(self, generation: Generation) -> None:
        """Tell the strategy of a generation that has ended, in the order of the numbers."""
        for number in generation.numbers:
            if number in self._course.record:
                self._strategy.tell(self._course.record[number])

    def plan(self, number: int, told: int, under_way: Sequence[Generation]) -> Generation:
        """Return generation `number`, from the trials of the generations before `told` and what is `under_way` since.

        Children over a limit are written to the journal. InfeasibleError where the first generation has no others.
        """
        record = self._course.record
        before = record.before(told)
        first = under_way[-1].numbers.stop if under_way else record.first_number(number)
        promoted = self._promotions(before, under_way)
        candidates = self._propose(number, n_asked(record.trained_before(told), under_way))
        children = frozenset(each.proposal.architecture.key for each in candidates if not each.violations)
        if not children and number == 0:
            raise infeasible(candidates, self._settings.space, self._screen, self._settings.limits)
        stretch = self._stretch(before)
        jobs = self._promotion_jobs(number, first, promoted, stretch)
        jobs += self._jobs(number, first + len(promoted), candidates, stretch)
        return Generation(
            number,
            first,
            len(candidates) - len(children),
            sorted(jobs, key=_by_rung),
            children,
            frozenset((trial.evaluation.rung + 1, trial.architecture.key) for trial in promoted),
            len(promoted) + len(candidates),
        )

    def _stretch(self, before: Sequence[Trial]) -> float:
        """Return how many times as long proxies are trained, which is settled once, after the first generation."""
        if self._settings.fidelity != "proxy" or not before:
            return 1.0
        journal = self._course.run.journal
        stretch: float | None = journal.fact("stretch")
        if stretch is None:
            stretch = self._course.clock.stretch(before, self._settings)
            journal.set_fact("stretch", stretch)
        return stretch

    # --- promotions

    def _promotions(self, before: Sequence[Trial], under_way: Sequence[Generation]) -> tuple[Trial, ...]:
        settings, course = self._settings, self._course
        if settings.fidelity != "proxy":
            return ()
        lengths, samples = course.record.lengths(before), course.lengths.samples  # of all folds together

        def stands_out(trial: Trial, among: Sequence[Trial]) -> bool:
            return not course.lengths.few or lengths.stands_out(trial, among, samples)

        going = {each for generation in under_way for each in generation.promoted}
        return promotions(before, settings.n_rungs, settings.reduction, lengths.key, stands_out, going)

    def _promotion_jobs(self, generation: int, first: int, promoted: Sequence[Trial], stretch: float) -> list[Job]:
        """Return the jobs that train `promoted` on, what the journal has already left out."""
        jobs, course = [], self._course
        for number, trial in enumerate(promoted, first):
            assert trial.evaluation.footprint is not None  # it was trained
            candidate = Candidate(again(trial), trial.evaluation.footprint, ())
            if number in course.record:
                self._require_same(course.record[number], candidate)
                continue
            rung = trial.evaluation.rung + 1
            job = course.job(number, generation, candidate, self._schedule(stretch, rung))
            jobs.append(replace(job, rung=rung, start=course.start_of(trial.number)))
        return jobs

    # --- children

    def _propose(self, generation: int, asked: int) -> list[Candidate]:
        """Return the generation's children: the same ones whenever they are asked for."""
        settings, most = self._settings, self._course.part.max_trials
        rng = np.random.default_rng([settings.seed, generation])
        wanted = settings.n_children if most is None else min(settings.n_children, most - asked)
        return propose(self._strategy, settings.space, self._screen, settings.limits, self._known, wanted, rng)

    def _jobs(self, generation: int, first: int, candidates: Sequence[Candidate], stretch: float) -> list[Job]:
        """Journal the infeasible candidates and return jobs for the others, what the journal has already left out."""
        jobs, schedule, course = [], self._schedule(stretch), self._course
        for number, candidate in enumerate(candidates, first):
            if number in course.record:  # a resumed generation: this one was journaled before the kill
                self._require_same(course.record[number], candidate)
                continue
            if candidate.violations:
                course.record.add(_infeasible_trial(number, generation, candidate), course.age())
            else:
                job = course.job(number, generation, candidate, schedule)
                jobs.append(replace(job, start=self._start_for(candidate.proposal, schedule)))
        return jobs

    def _start_for(self, proposal: Proposal, schedule: Schedule | None) -> StartFile | None:
        """Return what a child starts from: its parent's weights, or those of the earlier run that it is of.

        They are of fold 0, so none of them is for a training on more folds.
        """
        if not self._settings.inherit or schedule is None or schedule.folds > 1:
            return None
        return self._course.start_of(proposal.parent) or self._starts.get(proposal.architecture.key)

    def _require_same(self, trial: Trial, candidate: Candidate) -> None:
        """Raise RunError when the journal holds another child than the one that is proposed now."""
        if trial.architecture.key != candidate.proposal.architecture.key:
            folder, began = self._course.run.folder, self._settings.version
            raise RunError(
                f"{folder} cannot be resumed: trial {trial.number} of its journal is another network than this tinynas "
                f"proposes (the search began with version {began}); go on with that version, or start anew."
            )

    def _schedule(self, stretch: float, rung: int = 0) -> Schedule | None:
        """Return how long a child of the search phase is trained; None where it is measured only."""
        if self._settings.fidelity == "none":
            return None
        if self._settings.fidelity == "full":
            return self._course.lengths.full()
        return self._course.lengths.proxy(rung, stretch)


def n_asked(trained: Set[str], under_way: Sequence[Generation]) -> int:
    """Return how many children were given to training: those `trained`, by their keys, and of generations since."""
    since = frozenset().union(*(generation.children for generation in under_way))
    return len(trained) + len(since - trained)


def _by_rung(job: Job) -> int:
    """Sort the longest trainings first, so that no process is left with one at the end."""
    return -job.rung


def _infeasible_trial(number: int, generation: int, candidate: Candidate) -> Trial:
    texts = tuple(str(violation) for violation in candidate.violations)
    evaluation = Evaluation(State.INFEASIBLE, candidate.footprint, texts)
    return Trial(number, generation, candidate.proposal.parent, candidate.proposal.architecture, evaluation)

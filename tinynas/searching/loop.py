"""The search phase: generations are planned, trained, journaled and told, until an end that was asked for."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from tinynas.searching.clock import SURELY
from tinynas.searching.course import Course
from tinynas.searching.events import GenerationStarted, Started
from tinynas.searching.feasible import require_some
from tinynas.searching.finish import end
from tinynas.searching.jobs import Job
from tinynas.searching.keep import recover
from tinynas.searching.planning import Generation, Planner, n_asked
from tinynas.searching.recovery import told, try_again
from tinynas.searching.strategy import Screen, Strategy
from tinynas.words import counted

_ANY = 2**31  # the stream of chance of the look whether anything fits, which is no generation
_NEAR = 0.01  # of a time budget: a deadline that moves by less stands


@dataclass
class Loop:
    """One search from wherever its journal stands. All that lives is the journal, the strategy's memory, the clock."""

    course: Course
    strategy: Strategy
    screen: Screen
    try_again: bool = True  # the failed trials that nothing was built on

    def __post_init__(self) -> None:
        self._next = self.course.part.first  # generation to be planned
        self._under_way: deque[Generation] = deque()  # planned, and not told yet
        self._jobs: list[Job] = []  # planned, and not given to the executor yet
        self._why = ""  # no further generation is planned
        self._has_begun = False

    def __call__(self) -> None:
        """Go on from wherever the journal stands to the summary."""
        course = self.course
        begun = Started(course.run.folder, course.dataset.summary(), course.settings.target.name, len(course.trials))
        course.watch(begun)
        self._recover()
        if not any(trial.generation >= course.part.first for trial in course.trials):
            short = course.clock.told_short(course.trials)
            if short is not None:
                course.say(short)
        if not course.trials and not course.networks and "strategy" not in course.settings.own:
            rng = np.random.default_rng([course.settings.seed, _ANY])
            require_some(course.settings.space, self.screen, course.settings.limits, rng)
        self._planner = Planner(course, self.strategy, self.screen)
        self._plan()
        while self._jobs:
            self._train()
            self._plan()
        while self._under_way:  # nothing is proposed from them, but whoever made the strategy may look at it
            self._tell_next()
        done = counted(self._next - course.part.first, "more generation" if course.part.number else "generation")
        course.say(f"Search ends after {done}: {self._why}.")
        end(course, self._next)

    def _recover(self) -> None:
        """Put the folder in line with the journal, and tell what was lost; failed trials of the end run again."""
        course = self.course
        for text in told(course.run):
            course.say(text)
        recover(course.run, course.trials)
        first = course.part.first
        is_begun = any(trial.generation >= first for trial in course.trials)  # or an earlier part is the newest
        repeated = try_again(course.record, course.ahead) if self.try_again and is_begun else ()
        if repeated:
            course.say(f"{counted(len(repeated), 'failed trial')} that nothing is built on will be tried again.")

    def _plan(self) -> None:
        """Plan generations, as long as those have ended that the next one is proposed from."""
        while not self._why:
            told = self.course.ahead.told(self._next)
            before = [each for each in self._under_way if each.number < told]
            if any(generation.open for generation in before):
                return
            for _ in before:
                self._tell_next()
            self._why = self._ended(told)
            if not self._why:
                self._plan_next(told)

    def _tell_next(self) -> None:
        """Tell the strategy of the oldest generation that it does not know."""
        self._planner.tell(self._under_way.popleft())
        self.course.run.journal.checkpoint()

    def _ended(self, told: int) -> str:
        """Return why no further generation is planned, or nothing; of the trials those before generation `told` count.

        The others may not have ended, and the search is to end where it would with any workers.
        """
        settings, record, part = self.course.settings, self.course.record, self.course.part
        self._allot()
        if part.n_generations is not None and self._next >= part.n_generations:
            return part.asked("n_generations")
        if part.max_trials is not None and n_asked(record.trained_before(told), self._under_way) >= part.max_trials:
            return part.asked("max_trials")
        if self._next and self.course.clock.search_is_over() and not record.reaches(self._next):
            return "its share of the time budget is used"
        stale = min(record.stale(told), told - part.first)
        if settings.patience is not None and stale >= settings.patience:
            return f"{counted(settings.patience, 'generation')} brought nothing better"
        return ""

    def _plan_next(self, told: int) -> None:
        """Plan the next generation; where nothing is left to train, neither in it nor in those under way, no more."""
        course = self.course
        asked = n_asked(course.record.trained_before(told), self._under_way)
        generation = self._planner.plan(self._next, told, self._under_way)
        if generation.is_empty and all(each.is_empty for each in self._under_way):
            self._why = "the search space holds no new architecture that fits"
            return
        self._under_way.append(generation)
        self._jobs += generation.jobs
        self._next += 1
        course.watch(
            GenerationStarted(
                generation.number, "search", len(generation.jobs), generation.infeasible, course.share(asked)
            )
        )

    def _train(self) -> None:
        """Train what is planned, and what is planned meanwhile unless the deadline has moved by then."""
        self._allot()
        jobs, self._jobs = self._jobs, []
        deadline = self.course.clock.search_deadline()
        if not self._has_begun and deadline is not None and jobs[0].generation == 0:
            jobs, self._jobs, deadline = jobs[:SURELY], jobs[SURELY:], None
        self._has_begun = True
        given, left = {job.number for job in jobs}, len(jobs)
        for trial in self.course.train(jobs, deadline):
            left -= 1
            self._close({trial.number})
            self._plan()
            if left and self._jobs and self._stands(deadline):
                left += len(self._jobs)
                jobs += self._jobs
                self._jobs = []
        self._close(given)  # what the deadline has kept from beginning is not waited for
        still = {number for generation in self._under_way for number in generation.open}
        self._jobs = [job for job in jobs if job.number in still] + self._jobs

    def _close(self, numbers: set[int]) -> None:
        """Wait no longer for the trials of these `numbers`."""
        for generation in self._under_way:
            generation.open -= numbers

    def _stands(self, deadline: float | None) -> bool:
        """Return whether `deadline`, of what is being trained, still is that of the search phase, or nearly so."""
        now, budget_s = self.course.clock.search_deadline(), self.course.part.time_budget_s
        return deadline == now or (
            deadline is not None and now is not None and abs(now - deadline) < _NEAR * (budget_s or 0.0)
        )

    def _allot(self) -> None:
        """Share out the time budget by what trainings have cost; a search that version 0.1.0 began keeps its shares."""
        course = self.course
        ranked = course.contenders() if course.part.time_budget_s else []
        if ranked and course.lengths.least:
            course.clock.allot(course.record.searched, ranked, course.lengths, course.settings)

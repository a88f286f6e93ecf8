"""The search: propose, screen, train, journal and select by generations; then finalists, then the final model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinynas.data import Dataset
from tinynas.errors import RunError, UsageError
from tinynas.runs import Evaluation, Run, State, Trial, contenders
from tinynas.searching.clock import SURELY, Clock
from tinynas.searching.events import FinalProgress, GenerationStarted, Note, Started, TrialDone, Watcher
from tinynas.searching.executor import Executor
from tinynas.searching.extension import earlier_final, finalists_fact, is_better, part_of, rounds
from tinynas.searching.feasible import Candidate, infeasible, propose, require_some
from tinynas.searching.final import final_job, lengths_for, require_fits, say_final, seed_of
from tinynas.searching.halving import promotions
from tinynas.searching.jobs import Final, Job, Outcome, StartFile
from tinynas.searching.keep import Front, drop_models, keep_models, recover
from tinynas.searching.record import Record, count_trained
from tinynas.searching.recovery import FINAL_FROM, damage, none_trained, told, try_again
from tinynas.searching.strategy import Proposal, Screen, Strategy
from tinynas.searching.streak import Streak
from tinynas.searching.summary import about_best, summarize, warnings_of
from tinynas.searching.warm import Network, begun, starts
from tinynas.training.regularization import STRENGTHS
from tinynas.training.schedule import Schedule, scored_samples
from tinynas.words import counted

_AS_PARENT = 0.7  # the share of children that are regularised as their parents were
_DRAWN = (0.5, 0.25, 0.25)  # how likely the others are as each of STRENGTHS
_REGULARIZED = 1  # the stream of chance for it
_ANY = 2**31  # that of the look whether anything fits, which is no generation
_FINAL_GIVEN = "final_given_s"  # the fact that says how many seconds the final training had; None: those of its epochs
_LASTING = 8  # trials of each rung whose weights stay: a search that is given more goes on from them


@dataclass
class Loop:
    """One search in one run folder. All that lives is the journal, the strategy's memory and the clock.

    `networks` are those of an earlier run that it begins with.
    """

    run: Run
    dataset: Dataset
    strategy: Strategy
    screen: Screen
    executor: Executor
    watch: Watcher
    clock: Clock
    try_again: bool = True  # the failed trials that nothing was built on
    networks: Sequence[Network] = ()

    def __post_init__(self) -> None:
        self._settings = self.run.settings
        self._record = Record(self.run, begun(self.networks))
        self._starts = starts(self.networks)
        self._part = part_of(self._settings, self.trials)
        self._samples = scored_samples(len(self.dataset.y), self._settings.n_folds)
        self._known: set[str] = set()
        self._failures = Streak()
        self._front = Front(self._settings, self.trials)
        if not self.trials:  # version 0.1.0 did not count steps: what it began goes on without
            self.run.journal.set_fact("least_steps", True)
        self._lengths = lengths_for(self.run, self.dataset)

    def __call__(self) -> None:
        """Go on from wherever the journal stands to the summary."""
        settings = self._settings
        self.watch(Started(self.run.folder, self.dataset.summary(), settings.target.name, len(self.trials)))
        self._recover()
        if not any(trial.generation >= self._part.first for trial in self.trials):
            short = self.clock.told_short(self.trials)
            if short is not None:
                self._say(short)
        if not self.trials and not self.networks and "strategy" not in settings.own:
            rng = np.random.default_rng([settings.seed, _ANY])
            require_some(settings.space, self.screen, settings.limits, rng)
        generation = self._part.first
        self._recall(generation)
        while (why := self._ended(generation)) is None:
            if not self._generation(generation):
                why = "the search space holds no new architecture that fits"
                break
            generation += 1
        done = counted(generation - self._part.first, "more generation" if self._part.number else "generation")
        self._say(f"Search ends after {done}: {why}.")
        if settings.fidelity == "none":
            self._summarize(None, None)
            return
        self._finalists(generation)
        self._final(generation)

    def _recover(self) -> None:
        """Put the folder in line with the journal, and tell what was lost; failed trials of the end run again."""
        for text in told(self.run):
            self._say(text)
        recover(self.run, self.trials)
        is_begun = any(
            trial.generation >= self._part.first for trial in self.trials
        )  # or an earlier part is the newest
        again = try_again(self._record) if self.try_again and is_begun else ()
        if again:
            self._say(f"{counted(len(again), 'failed trial')} of the newest generation will be tried again.")

    @property
    def trials(self) -> tuple[Trial, ...]:
        """All trials so far, in the order of their numbers."""
        return self._record.trials

    # --- the search phase

    def _recall(self, generation: int) -> None:
        """Tell the strategy what earlier parts of the search have tried, as they did, but for their finalists."""
        for trial in self._record.before(generation):
            self._known.add(trial.architecture.key)
            self.strategy.tell(trial)

    def _age(self) -> float:
        """Return the seconds of the whole search, earlier parts included."""
        return self._part.age_s + self.clock.elapsed()

    def _ended(self, generation: int) -> str | None:
        """Return why no further generation starts, or None."""
        settings, record, part = self._settings, self._record, self._part
        self._allot()
        if part.n_generations is not None and generation >= part.n_generations:
            return part.asked("n_generations")
        if part.max_trials is not None and count_trained(record.before(generation)) >= part.max_trials:
            return part.asked("max_trials")
        if generation and self.clock.search_is_over() and not record.reaches(generation):
            return "its share of the time budget is used"
        stale = min(record.stale(generation), generation - part.first)
        if settings.patience is not None and stale >= settings.patience:
            return f"{counted(settings.patience, 'generation')} brought nothing better"
        return None

    def _generation(self, generation: int) -> bool:
        """Run one generation; return False when there was nothing new to train."""
        before = self._record.before(generation)
        stretch = self._stretch(before)
        first = self._record.first_number(generation)
        promoted = self._promotions(before)
        candidates = self._propose(generation, before)
        fits = sum(not candidate.violations for candidate in candidates)
        if not fits and generation == 0:
            raise infeasible(candidates, self._settings.space, self.screen, self._settings.limits)
        jobs = self._promotion_jobs(generation, first, promoted, stretch)
        jobs += self._jobs(generation, first + len(promoted), candidates, stretch)
        if not fits and not promoted:
            return False
        infeasible_ones = len(candidates) - fits
        self.watch(
            GenerationStarted(generation, "search", len(jobs), infeasible_ones, self._share(count_trained(before)))
        )
        surely = 0 if generation else SURELY  # however short the time is
        self._train(jobs[:surely], None)
        self._allot()
        self._train(sorted(jobs[surely:], key=_by_rung), self.clock.search_deadline())
        for number in range(first, first + len(promoted) + len(candidates)):
            if number in self._record:
                self.strategy.tell(self._record[number])
        self.run.journal.checkpoint()
        return True

    def _allot(self) -> None:
        """Share out the time budget by what trainings have cost; a search that version 0.1.0 began keeps its shares."""
        ranked = self._contenders() if self._part.time_budget_s else []
        if ranked and self._lengths.least:
            self.clock.allot(self._record.searched, ranked, self._lengths, self._settings)

    def _stretch(self, before: Sequence[Trial]) -> float:
        """Return how many times as long proxies are trained, which is settled once, after the first generation."""
        if self._settings.fidelity != "proxy" or not before:
            return 1.0
        stretch: float | None = self.run.journal.fact("stretch")
        if stretch is None:
            stretch = self.clock.stretch(before, self._settings)
            self.run.journal.set_fact("stretch", stretch)
        return stretch

    def _promotions(self, before: Sequence[Trial]) -> tuple[Trial, ...]:
        settings = self._settings
        if settings.fidelity != "proxy":
            return ()
        lengths = self._record.lengths(before)
        if not self._lengths.few:
            return promotions(before, settings.n_rungs, settings.reduction, lengths.key)
        samples = self._lengths.samples  # of all folds together
        return promotions(
            before,
            settings.n_rungs,
            settings.reduction,
            lengths.key,
            lambda trial, among: lengths.stands_out(trial, among, samples),
        )

    def _promotion_jobs(self, generation: int, first: int, promoted: Sequence[Trial], stretch: float) -> list[Job]:
        """Return the jobs that train `promoted` on, what the journal has already left out."""
        jobs = []
        for number, trial in enumerate(promoted, first):
            assert trial.evaluation.footprint is not None  # it was trained
            candidate = Candidate(_proposal(trial), trial.evaluation.footprint, ())
            if number in self._record:
                self._require_same(self._record[number], candidate)
                continue
            rung = trial.evaluation.rung + 1
            job = self._job(number, generation, candidate, self._schedule(stretch, rung))
            jobs.append(replace(job, rung=rung, start=self._start_of(trial.number)))
        return jobs

    def _start_for(self, proposal: Proposal, schedule: Schedule | None) -> StartFile | None:
        """Return what a child starts from: its parent's weights, or those of the earlier run that it is of.

        They are of fold 0, so none of them is for a training on more folds.
        """
        if not self._settings.inherit or schedule is None or schedule.folds > 1:
            return None
        return self._start_of(proposal.parent) or self._starts.get(proposal.architecture.key)

    def _start_of(self, number: int | None) -> StartFile | None:
        """Return the file with the weights of trial `number`, or None when there is none.

        Where all folds are trained there is none: the weights of one have seen what the others are scored on.
        """
        path = None if number is None or self._lengths.few else self.run.start_path(number)
        if number is None or path is None:
            return None
        return StartFile(path, self._record[number].architecture)

    def _propose(self, generation: int, before: Sequence[Trial]) -> list[Candidate]:
        """Return the generation's children: the same ones whenever they are asked for."""
        settings = self._settings
        rng = np.random.default_rng([settings.seed, generation])
        wanted = settings.n_children
        if self._part.max_trials is not None:
            wanted = min(wanted, self._part.max_trials - count_trained(before))
        return propose(self.strategy, settings.space, self.screen, settings.limits, self._known, wanted, rng)

    def _jobs(self, generation: int, first: int, candidates: Sequence[Candidate], stretch: float) -> list[Job]:
        """Journal the infeasible candidates and return jobs for the others, what the journal has already left out."""
        jobs, schedule = [], self._schedule(stretch)
        for number, candidate in enumerate(candidates, first):
            if number in self._record:  # a resumed generation: this one was journaled before the kill
                self._require_same(self._record[number], candidate)
                continue
            if candidate.violations:
                self._record.add(_infeasible_trial(number, generation, candidate), self._age())
            else:
                job = self._job(number, generation, candidate, schedule)
                jobs.append(replace(job, start=self._start_for(candidate.proposal, schedule)))
        return jobs

    def _require_same(self, trial: Trial, candidate: Candidate) -> None:
        """Raise RunError when the journal holds another child than the one that is proposed now."""
        if trial.architecture.key != candidate.proposal.architecture.key:
            began = self._settings.version
            raise RunError(
                f"{self.run.folder} cannot be resumed: trial {trial.number} of its journal is another network than "
                f"this tinynas proposes (the search began with version {began}); go on with that version, or start "
                f"anew."
            )

    def _schedule(self, stretch: float, rung: int = 0) -> Schedule | None:
        """Return how long a child of the search phase is trained; None where it is measured only."""
        settings = self._settings
        if settings.fidelity == "none":
            return None
        if settings.fidelity == "full":
            return self._lengths.full()
        return self._lengths.proxy(rung, stretch)

    def _job(self, number: int, generation: int, candidate: Candidate, schedule: Schedule | None) -> Job:
        proposal = candidate.proposal
        return Job(
            number,
            generation,
            proposal.parent,
            proposal.architecture,
            self._settings.fidelity,
            seed_of(self._settings, number),
            candidate.footprint,
            schedule,
            regularization=self._regularization(number, proposal),
        )

    def _regularization(self, number: int, proposal: Proposal) -> str:
        """Return how strongly a child is regularised: mostly as its parent was; where samples are many, as usual."""
        if not self._lengths.small_sets:
            return ""  # the search began when this was no choice
        if not self._lengths.few:
            return STRENGTHS[0]
        parent = None if proposal.parent is None else self._record[proposal.parent]
        as_parent = "" if parent is None else parent.evaluation.regularization
        if parent is not None and parent.architecture.key == proposal.architecture.key:
            return as_parent  # a promotion, or a finalist
        rng = np.random.default_rng([self._settings.seed, number, _REGULARIZED])
        if as_parent and rng.random() < _AS_PARENT:
            return as_parent
        return str(rng.choice(STRENGTHS, p=_DRAWN))

    def _share(self, done: int) -> float:
        """Return how much of the search phase is done, by whichever of its ends is nearest."""
        part = self._part
        done -= part.trained
        shares = [self.clock.share()]
        if part.max_trials is not None:
            shares.append(done / (part.max_trials - part.trained))
        if part.n_generations is not None:
            shares.append(done / ((part.n_generations - part.first) * self._settings.n_children))
        return min(1.0, max(shares))

    # --- training and its record

    def _train(self, jobs: Sequence[Job], deadline: float | None) -> None:
        waiting = {job.number: job for job in jobs}
        for done in self.executor.evaluate(jobs, deadline):
            job, outcome = _checked(done, waiting)
            trial = _trial(job, outcome.evaluation)
            if outcome.weights and self._is_start(job):
                self.run.save_weights(job.number, outcome.weights)
            leads = self._record.leads(trial)
            saves = leads and not self._part.number  # an earlier part's final model stays until there is another
            self._front.add(trial)
            keep_models(self.run, self.dataset, trial, outcome, saves, self._front.numbers)
            self._record.add(trial, self._age())
            drop_models(self.run, self._front.numbers)
            self.watch(TrialDone(trial, leads, self._share(self._record.n_trained)))
            self._failures.tell(trial)

    def _is_start(self, job: Job) -> bool:
        """Return whether other trainings may go on from the weights of `job`."""
        if self._lengths.few or job.fidelity == "none":
            return False
        return job.fidelity == "proxy" or (self._settings.fidelity == "proxy" and self.clock.compares_at_length)

    # --- after the search

    def _finalists(self, generation: int) -> None:
        """Train the best few of a proxy search fold by fold, so that the winner is not the luckiest proxy."""
        ranked = self._contenders()
        if self._settings.fidelity != "proxy" or not ranked:
            return
        schedule = self._finalists_schedule(ranked)
        if schedule is None:
            known = any(trial.evaluation.fidelity == "full" for trial in self.trials)
            stays = "the best of before stays" if known else "the best proxy wins"
            self._say(f"There is no time to train the finalists on more folds: {stays}.")
            return
        jobs, done = [], {trial.architecture.key for trial in self._record.finalists(self._rounds())}
        new = [trial for trial in ranked if trial.architecture.key not in done]
        for number, trial in enumerate(new, self._record.first_number(generation, finalists=True)):
            if number not in self._record and trial.evaluation.footprint is not None:
                candidate = Candidate(_proposal(trial), trial.evaluation.footprint, ())
                jobs.append(replace(self._job(number, generation, candidate, schedule), fidelity="full"))
        self.watch(GenerationStarted(generation, "finalists", len(jobs), 0, 1.0))
        self._train(jobs, self.clock.finalists_deadline())
        if failures := none_trained(self.trials):
            self._say(f"No finalist could be trained ({failures}): the best of the search phase wins.")

    def _finalists_schedule(self, ranked: Sequence[Trial]) -> Schedule | None:
        """Return how long finalists are trained, which is settled once; None where there is no time for them."""
        fact = finalists_fact(self._part.number)
        settled = self.run.journal.fact(fact)
        if settled is None:
            schedule = self.clock.finalists(self._record.searched, ranked, self._lengths)
            self.run.journal.set_fact(fact, (schedule or Schedule(0, 0, 0)).to_dict())
            return schedule
        schedule = Schedule.from_dict(settled)
        return schedule if schedule.folds else None

    def _contenders(self) -> list[Trial]:
        """Return the best trials, and the best of the hand-made starts beside them: proxies are short, it is proven.

        So is the best of an earlier part of the search.
        """
        settings, ranked = self._settings, self._record.ranked()
        found = contenders(ranked, settings.n_finalists, settings.metric, settings.prefer, self._samples)
        if self._lengths.long_finals and settings.n_finalists > 1 and settings.start == "handmade":
            starts = {architecture.key for architecture in settings.space.handmade()}
            best = next((trial for trial in ranked if trial.architecture.key in starts), None)
            found += [best] if best is not None and best not in found else []
        if self._part.best is None:
            return found
        key = self._record[self._part.best].architecture.key
        earlier = [trial for trial in ranked if trial.architecture.key == key]
        return [*earlier, *(trial for trial in found if trial not in earlier)]

    def _rounds(self) -> tuple[int, ...]:
        """Return the generations of earlier finalists that were trained as those of this part are."""
        return rounds(self.run, self.run.journal.fact(finalists_fact(self._part.number)))

    def _final(self, generation: int) -> None:
        """Train the best architecture on all training data, save it, and write the summary.

        Where it has a final model from an earlier part, that one stays unless another is better.
        """
        best = self._record.best((*self._rounds(), generation), self._samples)
        earlier, seconds = earlier_final(self.run, self._part, best, self.trials), self.clock.final_seconds()
        if earlier is not None:
            best, before = earlier
            had = self.run.journal.fact(_FINAL_GIVEN)
            is_longer = seconds is not None and (had is None or seconds > had)
            if not is_longer and damage(self.run, before) is None:  # it would be trained as it was, or for less long
                self._stay(best, before)
                return
        self._say(f"Final training of {best}.")
        self.run.journal.set_fact(FINAL_FROM, self._age())
        start = self._start_of(best.number) if best.evaluation.fidelity == "full" else None
        job = final_job(self._settings, self._lengths, best, seconds, start=start, twice=self.clock.twice)
        final = self.executor.final(job, lambda told: self.watch(FinalProgress.of(told)))
        if final is None:
            self._summarize(best, None)
        elif earlier is not None and not is_better(final, before) and damage(self.run, before) is None:
            self._stay(best, before)
        else:
            self._save_final(best, final, seconds)

    def _stay(self, best: Trial, before: Mapping[str, Any]) -> None:
        """Let the final model of an earlier part be the end of this one as well."""
        self._say(f"Nothing better was found: the final model of trial {best.number} stays the best.")
        summary = summarize(self.run, self.dataset, self.trials, best, None, self._age())
        kept = {name: before[name] for name in ("best", "warnings") if name in before}
        self.run.write_summary({**summary, **kept})
        self.run.drop_copy(best.number)
        self.run.prune_weights(self._record.lasting(_LASTING))

    def _save_final(self, best: Trial, final: Final, seconds: float | None) -> None:
        footprint = final.footprint
        require_fits(self._settings, final)
        warnings = warnings_of(self.run, self.dataset, self.trials, best, final)
        about = about_best(self.run, self.dataset, best, footprint, "final", warnings)
        self.run.save_best(about, final.keras, final.tflite, final.samples)
        self.run.journal.set_fact("seconds", self._age())
        self.run.journal.set_fact(_FINAL_GIVEN, seconds)
        self._summarize(best, final)
        say_final(final, self._say)

    def _summarize(self, best: Trial | None, final: Final | None) -> None:
        self.run.prune_weights(self._record.lasting(_LASTING))  # first: with the summary the search has ended
        self.run.write_summary(summarize(self.run, self.dataset, self.trials, best, final, self._age()))

    def _say(self, text: str) -> None:
        self.run.log(text)
        self.watch(Note(text))


def _by_rung(job: Job) -> int:
    """Sort the longest trainings first, so that no process is left with one at the end."""
    return -job.rung


def _proposal(trial: Trial) -> Proposal:
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


def _infeasible_trial(number: int, generation: int, candidate: Candidate) -> Trial:
    texts = tuple(str(violation) for violation in candidate.violations)
    evaluation = Evaluation(State.INFEASIBLE, candidate.footprint, texts)
    return Trial(number, generation, candidate.proposal.parent, candidate.proposal.architecture, evaluation)

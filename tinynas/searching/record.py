"""What a search has found so far: the journal's trials in memory, and the questions that the loop asks of them."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from tinynas.errors import RunError
from tinynas.runs import Run, State, Trial, leader, preferred, ranking, unbeaten
from tinynas.searching.equal_length import SIZE_BONUS, EqualLength, SizeBonus


@dataclass
class _Told:
    """What is asked of the search phase before `generation`, kept up: a search asks for ever later generations."""

    generation: int = -1
    trials: tuple[Trial, ...] = ()
    keys: set[str] = field(default_factory=set)
    best: Trial | None = None


class Record:
    """The trials of a run, by number. `add` is the only way in, `forget` the only way out; both write the journal."""

    def __init__(self, run: Run, begun: Mapping[str, int] | None = None, size_bonus: SizeBonus = SIZE_BONUS) -> None:
        """Start with the trials that the journal holds; `begun` and `size_bonus` as in `EqualLength`."""
        self._begun = begun
        self._run = run
        self._bonus = size_bonus
        self._key = ranking(run.settings.metric)
        self._trials: dict[int, Trial] = {trial.number: trial for trial in run.journal.trials()}
        self._look()

    def __contains__(self, number: int) -> bool:
        return number in self._trials

    def __getitem__(self, number: int) -> Trial:
        return self._trials[number]

    def _look(self) -> None:
        """Note what is asked for with each trial that comes, so that the work of it does not grow with them."""
        self._in_order: tuple[Trial, ...] | None = None
        self._leader = leader(tuple(self._trials.values()), self._run.settings.metric)
        self._trained = trained_keys(tuple(self._trials.values()))
        self._generations: dict[int, list[int]] = {}
        self._told = _Told()
        for number, trial in self._trials.items():
            self._generations.setdefault(trial.generation, []).append(number)

    @property
    def trials(self) -> tuple[Trial, ...]:
        """All trials, in the order of their numbers."""
        if self._in_order is None:
            self._in_order = tuple(self._trials[number] for number in sorted(self._trials))
        return self._in_order

    @property
    def n_trained(self) -> int:
        """The `count_trained` of all trials."""
        return len(self._trained)

    @property
    def searched(self) -> tuple[Trial, ...]:
        """The trials of the search phase: all but the finalists of a proxy search."""
        if self._run.settings.fidelity != "proxy":
            return self.trials
        return tuple(trial for trial in self.trials if trial.evaluation.fidelity != "full")

    def before(self, generation: int) -> tuple[Trial, ...]:
        """The trials of the search phase in the generations before `generation`."""
        return self._told_before(generation).trials

    def trained_before(self, generation: int) -> Set[str]:
        """The keys of the children in the generations before `generation` that were given to training."""
        return self._told_before(generation).keys

    def _told_before(self, generation: int) -> _Told:
        """Return what is asked of the generations before `generation`, from what was asked last."""
        told = self._told if generation >= self._told.generation else _Told()
        since = range(max(0, told.generation), generation)
        numbers = sorted(number for each in since for number in self._generations.get(each, ()))
        full = "full" if self._run.settings.fidelity == "proxy" else ""
        new = [trial for number in numbers if (trial := self._trials[number]).evaluation.fidelity != full]
        scored = [trial for trial in (told.best, *new) if trial is not None and trial.evaluation.folds]
        best = min(scored, key=self._key) if scored else None
        self._told = _Told(generation, told.trials + tuple(new), told.keys | trained_keys(new), best)
        return self._told

    def first_number(self, generation: int, finalists: bool = False) -> int:
        """Return the first number of a trial of `generation`, or of the finalists in it, which come behind others."""
        before = (
            t for t in self.trials if t.generation < generation or (finalists and t.evaluation.fidelity != "full")
        )
        return 1 + max((trial.number for trial in before), default=-1)

    def finalists(self, generations: Collection[int]) -> tuple[Trial, ...]:
        """The finalists, of a proxy search, that came in one of `generations`."""
        if self._run.settings.fidelity != "proxy":
            return ()
        full = (trial for trial in self.trials if trial.evaluation.fidelity == "full")
        return tuple(trial for trial in full if trial.generation in generations)

    def reaches(self, generation: int) -> bool:
        """Return whether the search phase has trials of `generation` or a later one."""
        return any(trial.generation >= generation for trial in self.searched)

    def leads(self, trial: Trial) -> bool:
        """Return whether `trial`, which has not been added yet, is better than all that were."""
        among = (trial,) if self._leader is None else (self._leader, trial)
        return bool(trial.evaluation.folds) and leader(among, self._run.settings.metric) is trial

    def add(self, trial: Trial, seconds: float) -> None:
        """Write a trial and the seconds so far to the journal.

        It comes last, after the trial's weights and models: what the journal has is there, however the process ends.
        """
        trial = replace(trial, elapsed_s=round(seconds, 3))
        self._run.journal.append(trial)
        self._run.journal.set_fact("seconds", seconds)
        self._leader = trial if self.leads(trial) else self._leader
        self._trained |= {trial.architecture.key} if _is_trained(trial) else set()
        self._trials[trial.number] = trial
        self._generations.setdefault(trial.generation, []).append(trial.number)
        if trial.generation < self._told.generation:
            self._told = _Told()
        self._in_order = None
        self._run.log_trial(trial)

    def forget(self, numbers: Sequence[int]) -> None:
        """Take out trials that are to run again."""
        self._run.log_again(numbers)
        self._run.journal.remove(numbers)
        for number in numbers:
            del self._trials[number]
        self._look()

    def best(self, rounds: Collection[int] = (), samples: int = 1, proven: Collection[str] = ()) -> Trial:
        """Return the best trained trial: of the finalists, or where there are none of the search phase.

        Those of the generations `rounds` were trained alike, and count before others; what a smaller network may lose
        is the setting `prefer`'s, with folds of so many `samples`. RunError, with the most common reason, when none
        could be trained.
        """
        metric, prefer = self._run.settings.metric, self._run.settings.prefer
        alike = [trial for trial in self.finalists(rounds) if trial.evaluation.folds]
        best = leader(alike or self.trials, metric)
        if best is not None:
            full = best.evaluation.fidelity == "full"
            among = (alike or self.trials) if full else self.ranked()
            if alike and prefer == "accuracy":
                return unbeaten(among, best, proven, metric, samples, self.lengths(()).size_of)
            return preferred(among, metric, prefer, samples, best if full else among[0])
        errors = Counter(trial.evaluation.error for trial in self.trials if trial.evaluation.error)
        reason = f"the most common error is: {errors.most_common(1)[0][0]}" if errors else "there were no trials."
        raise RunError(f"No trial could be trained: {reason} See {self._run.folder / 'search.log'}.")

    def lengths(self, trials: Sequence[Trial]) -> EqualLength:
        """Return what the scores of `trials` are worth at one length of training."""
        settings = self._run.settings
        inherit = settings.inherit and settings.fidelity == "proxy"
        lengths = EqualLength(settings.metric, inherit, self._bonus, self._begun)
        for trial in trials:
            if trial.evaluation.folds:
                lengths.tell(trial)
        return lengths

    def ranked(self) -> list[Trial]:
        """Return the trained trials of the search phase, best first, each architecture by its highest rung.

        Trials of one rung are ranked by what their scores are worth at one length of training; those with the same
        score stand together, where the best of them stands, the one with the smaller arena first.
        """
        trained = [trial for trial in self.searched if trial.evaluation.folds]
        worth_of, worth = self.lengths(trained), dict[tuple[int, int, float], float]()
        for trial in trained:
            place = self._key(trial)[:3]  # training and score: trials with the same are a tie
            worth[place] = max(worth.get(place, worth_of(trial)), worth_of(trial))

        def key(trial: Trial) -> tuple[float, ...]:
            full, rung, score, arena, number = self._key(trial)
            return full, rung, -worth[full, rung, score], score, arena, number

        first: dict[str, Trial] = {}
        for trial in sorted(trained, key=key):
            first.setdefault(trial.architecture.key, trial)
        return list(first.values())

    def lasting(self, most: int) -> set[int]:
        """Return the numbers of the trials that are gone on from: the best `most` of each rung, and the finalists."""
        trained = [trial for trial in self.searched if trial.evaluation.folds]
        rungs: dict[int, list[Trial]] = {}
        for trial in sorted(trained, key=self.lengths(trained).key):
            rungs.setdefault(trial.evaluation.rung, []).append(trial)
        finalists = {trial.number for trial in self.trials} - {trial.number for trial in self.searched}
        return finalists | {trial.number for trials in rungs.values() for trial in trials[:most]}

    def stale(self, generation: int) -> int:
        """Return how many generations before `generation` have passed since the best one."""
        told = self._told_before(generation)
        return 0 if told.best is None else told.trials[-1].generation - told.best.generation


def count_trained(trials: Sequence[Trial]) -> int:
    """Return how many children of `trials` were given to training, whether or not it worked.

    What is trained on, as a promotion or a finalist, is no more than one.
    """
    return len(trained_keys(trials))


def trained_keys(trials: Sequence[Trial]) -> set[str]:
    """Return the keys of the children of `trials` that were given to training, whether or not it worked."""
    return {trial.architecture.key for trial in trials if _is_trained(trial)}


def _is_trained(trial: Trial) -> bool:
    return trial.evaluation.state is not State.INFEASIBLE

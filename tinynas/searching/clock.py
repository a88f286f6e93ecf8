"""How a time budget is shared out: for the search, for the finalists, and most for the final training."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import mean, median

from tinynas.runs import Settings, Trial
from tinynas.searching.costs import Costs, costs_of
from tinynas.training.schedule import Lengths, Schedule
from tinynas.words import counted, minutes, one_of

# The share of the budget after which no new child is trained. A network that is trained twice as long gains more than
# one that was searched for twice as long.
_SEARCH = 0.30
_FINALISTS = 0.08
_RESERVE = 0.03  # and some seconds more, for converting, the test set and the check in TFLM
_BUILDS, _LEAST_RESERVE_S, _MOST_RESERVE_S = 4, 4.0, 12.0  # as long as so many children are built, within these bounds

_QAT = 13 / 12  # the final training, fine-tuning included
_DOUBT = 1.25  # the final training may cost so much more than the trials say: it is not cut short for that
_GAIN = 0.5  # of each further thread of it, in samples a second
_OTHER = 1 / 3  # of it there is time for in any case, should not the leader win but a dearer one of the finalists
_GIVEN = 0.5  # the share of what the final training leaves that finalists may have beside their own

_REPEATS = 3  # so many cross-validations, each with other folds, at the most for finalists where samples are few

# A final training of so many epochs is long: what decides between two networks then shows in long trainings only. Of
# its time finalists get _COMPARED, and the winner goes on from the weights that it has by then. Where samples are many
# fewer epochs are enough (`Lengths.enough`), and what they leave is for more finalists, up to _MOST_PLACES.
_LONG = 150
_COMPARED = 0.3
_MOST_PLACES = 16
_GOES_ON = (
    0.5  # of these epochs are for the final training then: it goes on at a low rate, with the samples of all folds
)

# What is done however short the budget is: trials, at least so many seconds of the final training, its conversion and
# test, and the start of two processes with TensorFlow in them. Before any trial was trained each is taken for so long.
_LEAST_FINAL_S, _PROCESS_S, _UNKNOWN_S = 10.0, 5.0, 14.0
SURELY = 2  # trials of the first generation: there is something to choose from then

# Where there is no time for finalists on fresh weights they go on from those of their proxies, and the final training
# from those of the winner. Finalists get so much of its time, and each sees so many times the samples of the longest
# proxy at least.
_GOING_ON = 0.15
_LONGER = 1.5

_TRIALS = 60  # so many children are enough to choose from before proxies are made longer, up to _MOST_STRETCH times
_MOST_STRETCH = 5.0


@dataclass(frozen=True)
class _Shares:
    """Seconds: up to `search_s` for children, then for `finalists_s` finalists, and `reserve_s` for the very end.

    Finalists that go on from the weights of their proxies have `going_on_s` beside those of finalists.
    """

    search_s: float
    finalists_s: float
    reserve_s: float
    going_on_s: float = 0.0

    @classmethod
    def usual(cls, budget_s: float) -> "_Shares":
        """Return the shares where the final training can use all that it gets."""
        return cls(_SEARCH * budget_s, _FINALISTS * budget_s, _RESERVE * budget_s + _MOST_RESERVE_S)

    @classmethod
    def without_final(cls, budget_s: float) -> "_Shares":
        """Return the shares where there is no final training."""
        return cls((1 - _FINALISTS) * budget_s, _FINALISTS * budget_s, 0.0)


class Clock:
    """Wall seconds since the search began, those before a resume included."""

    def __init__(self, budget_s: float | None, before_s: float, workers: int, final: bool = True) -> None:
        """Start now, with `before_s` seconds used by an earlier part of the search; `final`: with a final training."""
        self._budget_s = budget_s
        self._final = final
        self._start = time.monotonic() - before_s
        self._workers = workers
        given = math.inf if budget_s is None else budget_s
        self._shares = _Shares.usual(given) if final else _Shares.without_final(given)
        self._final_epochs: int | None = None  # of a long final training
        self._is_cut = False  # whether it has fewer than there is time for
        self._latest_s = math.inf  # after which no finalist is started, since it would end too late
        self._grows = False  # whether there may be more finalists than usual
        self._twice = False

    def elapsed(self) -> float:
        """Return the seconds so far."""
        return time.monotonic() - self._start

    def allot(self, trials: Sequence[Trial], ranked: Sequence[Trial], lengths: Lengths, settings: Settings) -> None:
        """Share out the budget by what `trials` cost: what the final training cannot use is for search and finalists.

        `ranked` are the best trials, those that would be finalists now. Small data are trained in seconds for as long
        as makes sense; without this the rest of their budget would not be used.
        """
        costs = costs_of(trials, ranked)
        if self._budget_s is None or not costs.visit_s or not self._final:
            return
        budget_s, usual = self._budget_s, _Shares.usual(self._budget_s)
        reserve_s = usual.reserve_s - _MOST_RESERVE_S + _end_s(costs)
        visits = (settings.final_epochs or lengths.final(timed=True)) * lengths.samples * (_QAT if settings.qat else 1)
        if lengths.small_sets:  # older searches did not reckon with the threads of the final training
            visits /= 1 + _GAIN * (lengths.side_by_side - 1)
        leader = costs_of(trials, ranked[:1])
        final_s = max(_DOUBT * leader.seconds(visits), costs.seconds(_OTHER * visits))
        left_s = budget_s - usual.search_s - usual.finalists_s - reserve_s
        epochs = settings.final_epochs or lengths.final(timed=True)
        possible = min(1.0, _DOUBT * left_s / final_s) * epochs
        long = lengths.long_finals and not lengths.few and settings.fidelity == "proxy" and possible >= _LONG
        self._final_epochs = epochs if long else None
        self._grows = settings.n_finalists is None
        enough = lengths.enough(max((f.params for t in ranked if (f := t.evaluation.footprint) is not None), default=0))
        cut_s = _GOES_ON * enough / epochs * final_s
        compared_s = self._rounds(len(ranked)) * costs_of(trials, ranked, usual=True).seconds(
            enough * lengths.full().samples
        )
        holds = compared_s <= usual.finalists_s + left_s - cut_s  # else none would have learned what it can
        self._is_cut = long and not settings.final_epochs and enough < epochs and holds
        if self._is_cut:
            self._final_epochs, final_s = enough, cut_s
        self._twice = long and not self._is_cut and left_s > 3 * final_s
        spare_s = left_s - final_s * (2 if self._twice else 1)
        if spare_s <= 0:
            if long:
                self._shares = replace(usual, finalists_s=usual.finalists_s + _COMPARED * left_s)
            else:
                self._shares = replace(usual, going_on_s=_GOING_ON * left_s)
            return
        costs = costs_of(trials, ranked, usual=self._is_cut)
        most_s = usual.finalists_s + (1.0 if self._is_cut else _GIVEN) * spare_s
        n = self._places(most_s, ranked, costs, lengths)
        schedule = self._affordable(most_s, ranked, costs, lengths, n) if settings.fidelity == "proxy" else None
        each_s = 0.0 if schedule is None else costs.seconds(schedule.visits, schedule.folds)
        finalists_s = self._rounds(n) * each_s
        self._latest_s = budget_s - reserve_s - each_s if self._is_cut else math.inf
        search_s = usual.search_s + usual.finalists_s + spare_s - finalists_s
        if lengths.few:  # a child takes long, and what is begun is ended
            child = lengths.proxy()
            search_s -= costs.seconds(child.visits, child.folds)
        self._shares = _Shares(search_s, most_s, reserve_s)

    def told_short(self, trials: Sequence[Trial]) -> str | None:
        """Return a sentence for the beginning where the budget is shorter than what is done at the least, else None.

        `trials` are those of before, of a search that is given more.
        """
        if self._budget_s is None or not self._final:
            return None
        trained = [
            trial.evaluation.seconds for trial in trials if trial.evaluation.visits and not trial.evaluation.rung
        ]
        surely = 1 if trials else SURELY
        parts = {
            counted(surely, "trial"): surely * (median(trained) if trained else _UNKNOWN_S),
            "the final training": _LEAST_FINAL_S,
            "its conversion and test": _end_s(costs_of(trials, ())),
            "the start of their processes": 2 * _PROCESS_S,
        }
        least_s = sum(parts.values())
        if self._budget_s >= least_s:
            return None
        taken = one_of([f"{name} (about {seconds:.0f} s)" for name, seconds in parts.items()], "and")
        more = " more" if trials else ""
        return (
            f"A time budget of {self._budget_s:.0f} s{more} will be overrun: {taken} take about {minutes(least_s)}, "
            f"whatever the budget; give {'so much' if trials else 'a minute'} or more."
        )

    def share(self) -> float:
        """Return the share of the search phase that is used (0.0 without a budget)."""
        return 0.0 if self._budget_s is None else self.elapsed() / self._shares.search_s

    def search_is_over(self) -> bool:
        """Return whether the search phase has used its share."""
        return self.share() >= 1.0

    def search_deadline(self) -> float | None:
        """Return the time (of time.monotonic) after which no child is started, or None."""
        return None if self._budget_s is None else self._start + self._shares.search_s

    def finalists_deadline(self, going_on: bool = False) -> float | None:
        """Return the time (of time.monotonic) after which no finalist is started, or None.

        What is begun is ended. Of many none is begun that would end after the budget by what they should cost: those
        before it may have cost more.
        """
        if self._budget_s is None:
            return None
        return self._start + min(self._finalists_end_s(going_on), self._latest_s)

    def _finalists_end_s(self, going_on: bool) -> float:
        shares = self._shares
        return shares.search_s + shares.finalists_s + (shares.going_on_s if going_on else 0.0)

    def stretch(self, first: Sequence[Trial], settings: Settings) -> float:
        """Return how many times as long proxies are to be trained from now on, from what those of `first` cost.

        So long that the search phase holds some _TRIALS of them with their promotions, which all together cost as much
        again for each rung. The more trials a budget holds the less one more of them brings, and a longer proxy ranks
        better. 1.0 without a budget.
        """
        seconds = [trial.evaluation.seconds for trial in first if trial.evaluation.visits]
        if self._budget_s is None or not seconds:
            return 1.0
        held = self._shares.search_s * self._workers / (mean(seconds) * settings.n_rungs)
        return round(min(_MOST_STRETCH, max(1.0, held / _TRIALS)), 2)

    def finalists(self, trials: Sequence[Trial], ranked: Sequence[Trial], lengths: Lengths) -> Schedule | None:
        """Return how long the finalists `ranked` are trained; None when the time allows nothing of use.

        Without a budget that is full fidelity. With one, a fold gets at least the sample visits of the highest rung
        that a proxy reached: a shorter training from fresh weights would rank worse than the proxies did. For that
        folds are left out first, of which two at least are trained, and then epochs. What a visit costs is what it cost
        the proxies.
        """
        costs = costs_of(trials, ranked, usual=self._is_cut)
        if self._budget_s is None or not costs.visit_s:
            return lengths.full()
        return self._affordable(self._for_finalists_s(), ranked, costs, lengths, len(ranked))

    def places(self, trials: Sequence[Trial], ranked: Sequence[Trial], lengths: Lengths) -> int:
        """Return for how many finalists there is time: for more than `ranked` where each is trained long enough."""
        return self._places(self._for_finalists_s(), ranked, costs_of(trials, ranked, usual=True), lengths)

    def _for_finalists_s(self) -> float:
        given = math.inf if self._budget_s is None else self._budget_s - self.elapsed()
        return min(self._shares.finalists_s, given)

    def _places(self, seconds: float, ranked: Sequence[Trial], costs: Costs, lengths: Lengths) -> int:
        if not (self._is_cut and self._grows) or self._final_epochs is None:
            return len(ranked)
        rounds = int(seconds / costs.seconds(self._final_epochs * lengths.full().samples))
        return max(len(ranked), min(_MOST_PLACES, rounds * self._workers))

    def going_on(
        self, trials: Sequence[Trial], ranked: Sequence[Trial], lengths: Lengths, settings: Settings
    ) -> Schedule | None:
        """Return how long `ranked` are trained on from the weights of their proxies, which are those of one fold.

        None where they would not be compared by much more than the proxies were, or where there is no time budget.
        """
        costs, full = costs_of(trials, ranked), lengths.full()
        if self._budget_s is None or not costs.visit_s or not _may_go_on(lengths, settings):
            return None
        left_s = min(self._finalists_end_s(going_on=True), self._budget_s) - self.elapsed()
        visits = costs.visits(left_s / self._rounds(len(ranked)))
        epochs = min(lengths.final(timed=True), int(visits / full.samples))
        return Schedule(1, full.samples, epochs) if epochs * full.samples >= _LONGER * _longest(ranked) else None

    def _affordable(
        self, seconds: float, ranked: Sequence[Trial], costs: Costs, lengths: Lengths, n: int
    ) -> Schedule | None:
        """Return the longest schedule of use by which `n` trials such as `ranked` are trained in so many seconds."""
        full, each_s = lengths.full(), seconds / self._rounds(n)
        if self._final_epochs is not None:
            return self._at_length(each_s, ranked, costs, full, self._final_epochs)
        least = _longest(ranked)
        repeats = _REPEATS if lengths.few else 1
        for folds in (*range(repeats * full.folds, full.folds, -full.folds), *range(full.folds, 1, -1)):
            most = max(least, full.samples * full.epochs)
            visits = min(costs.visits(each_s / folds), most)
            if visits >= (most if folds > full.folds else least):
                epochs = math.ceil(visits / full.samples)
                return Schedule(folds, min(full.samples, int(visits / epochs)), epochs)
        return None

    def _at_length(
        self, each_s: float, ranked: Sequence[Trial], costs: Costs, full: Schedule, most: int
    ) -> Schedule | None:
        """Return a schedule of trainings of `most` epochs, as far as the seconds of each go; then of more folds."""
        epochs = costs.visits(each_s) / full.samples
        folds = max(1, min(full.folds, int(epochs / most)))
        each = min(most, int(epochs / folds))
        return Schedule(folds, full.samples, each) if each * full.samples >= max(map(_of_a_fold, ranked)) else None

    @property
    def compares_at_length(self) -> bool:
        """Whether finalists are trained as long as the final training, which goes on from the winner's weights."""
        return self._final_epochs is not None

    @property
    def enough_epochs(self) -> int | None:
        """The epochs after which the finalists have learned what they can, where they are trained so long, else None.

        The best score is the best then, however long the final training.
        """
        return self._final_epochs if self._is_cut else None

    @property
    def twice(self) -> bool:
        """Whether there is time for the final training to go on from the winner's weights and to start anew."""
        return self._twice

    def _rounds(self, n: int) -> int:
        """Return how many trainings a worker does, one after the other, until `n` are done."""
        return math.ceil(n / self._workers)

    def final_seconds(self) -> float | None:
        """Return the wall seconds that the final training may take, or None."""
        if self._budget_s is None:
            return None
        return max(_LEAST_FINAL_S, self._budget_s - self.elapsed() - self._shares.reserve_s)


def _end_s(costs: Costs) -> float:
    """Return the seconds for converting, the test set and the check in TFLM, by what building a child takes."""
    return min(_MOST_RESERVE_S, max(_LEAST_RESERVE_S, _BUILDS * costs.start_s)) if costs.start_s else _MOST_RESERVE_S


def _may_go_on(lengths: Lengths, settings: Settings) -> bool:
    """Return whether finalists may go on from the weights of their proxies: where samples are few there are none."""
    return lengths.long_finals and not lengths.few and settings.fidelity == "proxy"


def _longest(ranked: Sequence[Trial]) -> int:
    """Return the sample visits of a fold of the proxies of the highest rung."""
    rung = max(trial.evaluation.rung for trial in ranked)
    return max(_of_a_fold(trial) for trial in ranked if trial.evaluation.rung == rung)


def _of_a_fold(trial: Trial) -> int:
    """Return the sample visits of a fold of a proxy."""
    return trial.evaluation.visits // max(1, len(trial.evaluation.folds))

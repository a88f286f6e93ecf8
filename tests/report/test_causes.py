"""Why children were never trained."""

from tests.searching.conftest import footprint_of
from tinynas.architecture import SearchSpace
from tinynas.hardware import Limits
from tinynas.report.causes import Cause, failures, infeasible
from tinynas.runs import Evaluation, State, Trial

NET = SearchSpace.for_input((8, 8, 1), 3).handmade()[0]
FIGURES = footprint_of(NET)


def _over(number, limits, figures=FIGURES):
    evaluation = Evaluation(State.INFEASIBLE, figures, tuple(map(str, limits.violations(FIGURES))))
    return Trial(number, 0, None, NET, evaluation)


def test_each_limit_with_its_children_and_how_far_over_they_were():
    limits = Limits(flash_bytes=FIGURES.flash_bytes // 2, ram_bytes=FIGURES.arena_bytes - 1)
    trials = [_over(0, limits), _over(1, limits), Trial(2, 0, None, NET, Evaluation(State.COMPLETE, FIGURES))]
    found = {cause.limit: cause for cause in infeasible(trials, limits)}
    assert found["flash_bytes"] == Cause(
        "flash_bytes", "model file", 2, FIGURES.flash_bytes / (FIGURES.flash_bytes // 2)
    )
    assert found["ram_bytes"].label == "tensor arena"
    assert found["ram_bytes"].trials == 2


def test_without_figures_the_words_of_the_journal_count():
    limits = Limits(ram_bytes=10)
    assert infeasible([_over(0, limits, None)], limits) == (Cause("tensor arena", "tensor arena", 1, None),)
    latency = Limits(latency_ms=0.5)  # an estimate: its sentence has brackets
    assert infeasible([_over(0, latency)], Limits())[0].label == "latency"


def test_failures_are_counted_by_their_error():
    failed = [
        Trial(n, 0, None, NET, Evaluation(State.FAILED, error=text)) for n, text in enumerate(("a\nb", "a b", ""))
    ]
    assert failures(failed) == (("a b", 2), ("no reason was given", 1))
    assert failures([]) == ()

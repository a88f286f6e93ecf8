"""How many networks were trained, in how many trials: one way to count."""

import pytest

from tests.report.conftest import Story, make_run
from tinynas.report import read_facts
from tinynas.report.counts import Counts, counts_of


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (Counts(12, 12, 0, 0), "12 networks trained"),
        (Counts(1, 1, 0, 0), "1 network trained"),
        (Counts(12, 17, 3, 2), "12 networks trained (17 trials, 3 promotions and 2 finalists among them)"),
        (Counts(1200, 1201, 0, 1), "1,200 networks trained (1,201 trials, 1 finalist among them)"),
    ],
)
def test_promotions_and_finalists_are_told_apart_from_networks(counts, words):
    assert counts.words == words


def test_a_network_that_is_trained_again_is_one(tmp_path):
    trials = read_facts(make_run(tmp_path / "run", Story(trained=6, infeasible=2, failed=1, finalists=2))).trials
    found = counts_of(trials)
    assert (found.complete, found.finalists) == (sum(bool(trial.evaluation.folds) for trial in trials), 2)
    assert found.networks == len({trial.architecture.key for trial in trials if trial.evaluation.folds})
    assert counts_of(()) == Counts(0, 0, 0, 0)

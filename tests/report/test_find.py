"""Which trial of a run a person means."""

import pytest

from tests.report.conftest import Story, make_run
from tinynas.errors import RunError, UsageError
from tinynas.report import find_trial, read_facts

QUICK = Story(trained=2, infeasible=0, failed=0, finalists=0, real=False)


def test_a_trial_of_a_run(tmp_path):
    facts = read_facts(make_run(tmp_path / "run", QUICK))
    assert find_trial(facts, 1).number == 1
    assert find_trial(facts, None) == facts.best
    with pytest.raises(UsageError, match="no trial 99: it has 0 to 1"):
        find_trial(facts, 99)


def test_a_run_without_a_trained_trial_has_no_best(tmp_path):
    facts = read_facts(make_run(tmp_path / "run", Story(trained=0, infeasible=0, failed=0, ended=False)))
    with pytest.raises(RunError, match="no trained trial yet"):
        find_trial(facts, None)
    with pytest.raises(UsageError, match="it has none yet"):
        find_trial(facts, 0)

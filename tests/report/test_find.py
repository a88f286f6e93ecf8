"""Which run and which trial a person means."""

import pytest

from tests.report.conftest import Story, make_run
from tinynas.errors import RunError, UsageError
from tinynas.report import find_run, find_trial, read_facts, split_trial

QUICK = Story(trained=2, infeasible=0, failed=0, finalists=0, real=False)


def test_a_path_a_name_and_the_newest(tmp_path):
    root = tmp_path / "runs"
    first, second = make_run(root / "first", QUICK), make_run(root / "second", QUICK)
    assert find_run(str(first), root) == first
    assert find_run("first", root) == first
    for name in ("latest", "best"):
        assert find_run(name, root) == second
    assert find_run(str(root / "latest"), root) == second


def test_no_such_run_is_a_sentence_with_those_there_are(tmp_path):
    root = tmp_path / "runs"
    with pytest.raises(RunError, match=r"'x' is no run.*there is none"):
        find_run("x", root)
    with pytest.raises(RunError, match="no run in"):
        find_run("latest", root)
    for number in range(8):
        make_run(root / f"run{number}", QUICK)
    with pytest.raises(RunError, match=r"run2, .*run7 and 2 older ones") as error:
        find_run("x", root)
    assert "latest" not in str(error.value)
    with pytest.raises(RunError):
        find_run("", root)


def test_a_trial_of_a_run(tmp_path):
    assert split_trial("runs/x:12") == ("runs/x", 12)
    assert split_trial("best") == ("best", None)
    assert split_trial(":3") == (":3", None)
    assert split_trial("a:b") == ("a:b", None)
    odd = tmp_path / "a:7"
    odd.mkdir()
    assert split_trial(str(odd)) == (str(odd), None)
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

"""Runs side by side."""

import json

import pytest

from tests.report.conftest import Story, make_run
from tinynas.hardware import Limits
from tinynas.report import compare, read_facts

STOPPED = Story(trained=4, finalists=0, ended=False, limits=Limits(macs=10), settings=(("seed", 3), ("n_children", 2)))


@pytest.fixture(scope="module")
def found(tmp_path_factory, ended):
    other = make_run(tmp_path_factory.mktemp("other") / "run", STOPPED)
    return compare([read_facts(ended), read_facts(other)])


def test_only_settings_that_differ_are_told(found, ended):
    board = read_facts(ended).settings.limits
    assert found.settings == {
        "seed": (0, 3),
        "n_children": (8, 2),
        "limits.macs": (None, 10),
        **{
            f"limits.{name}": (getattr(board, name), None)
            for name in board.__dataclass_fields__
            if getattr(board, name)
        },
    }


def test_results_are_the_runs_own(found, ended):
    facts = read_facts(ended)
    for name, value in {
        "ended": True,
        "best_trial": facts.best.number,
        "validation_int8": facts.best.evaluation.mean(),
        "validation_folds": 5,
        "test_int8": 0.8765,
        "test_float": 0.8877,
        "arena_bytes": facts.footprint.arena_bytes,
        "trials_complete": 14,
        "trials_infeasible": 5,
        "trials_failed": 1,
        "seconds": 321.5,
    }.items():
        assert found.results[name][0] == value
    assert found.results["ended"][1] is False
    assert found.results["test_int8"][1] is None
    assert found.results["seconds"][1] == 2.5 * 10


def test_as_json_a_run_is_a_value(found):
    runs = json.loads(json.dumps(found.to_dict()))["runs"]
    assert [run["settings"]["seed"] for run in runs] == [0, 3]
    assert runs[0]["results"]["test_int8"] == 0.8765


def test_the_same_run_twice_differs_in_nothing(ended):
    assert compare([read_facts(ended), read_facts(ended)]).settings == {}


def test_runs_without_any_trained_trial(tmp_path):
    empty = read_facts(make_run(tmp_path / "run", Story(trained=0, infeasible=1, failed=0, ended=False)))
    results = compare([empty, empty]).results
    assert results["best_trial"] == (None, None)
    assert results["validation_int8"] == (None, None)

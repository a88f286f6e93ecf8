"""Runs side by side."""

import json
from dataclasses import replace

import pytest

from tests.report.conftest import Story, make_run
from tinynas.architecture import SearchSpace
from tinynas.hardware import Limits, Target
from tinynas.report import compare, read_facts
from tinynas.report.differences import differences
from tinynas.runs import DataSource, Extension, Settings

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


_A = "a: 1,200 training and 300 test samples"


def _settings(**given):
    board = Target.load("nucleo_f401")
    source = DataSource(
        kind="path", path="/data/a", digest="a" * 64, summary="a: 1,200 training and 300 test samples, image"
    )
    values = {
        "version": "1", "target": board, "data": source, "limits": board.limits,
        "space": SearchSpace.for_input((16, 16, 1), 3),
    }  # fmt: skip
    return Settings.create(**{**values, **given})


def test_what_differs_is_said_in_words():
    """No dict, no digest, no key of a file: what a person would compare."""
    first = _settings(time_budget_s=90.0, qat=True)
    more = (Extension(generation=4, age_s=90, max_trials=20), Extension(generation=9, age_s=90, time_budget_s=1800))
    limits = replace(first.limits, macs=2_000_000)
    second = _settings(time_budget_s=1200.0, qat=False, extensions=more, limits=limits, n_folds=3, final_threads=4)
    said = {name: tuple(map(_plain, row)) for name, row in differences([first, second]).items()}
    assert said == {
        "limit: MACs": ("-", "2,000,000"),
        "time budget": ("1 min 30 s", "20 min 00 s"),
        "folds": ("5", "3"),
        "qat": ("yes", "no"),
        "threads of the final training": ("1", "4"),
        "given more, when it had ended": ("-", "20 trials; then 30 min 00 s"),
    }
    assert differences([first, first]) == {}


def test_another_board_is_one_row_and_another_profile_of_it_its_facts():
    first, other = _settings(), Target.load("bluepill_f103")
    said = differences([first, _settings(target=other, limits=other.limits)])
    assert said == {"board": ("nucleo_f401", "bluepill_f103")}
    faster = first.target.model_copy(update={"clock_hz": 42_000_000})
    assert differences([first, _settings(target=faster, limits=faster.limits)]) == {
        "board: clock hz": ("84,000,000", "42,000,000")
    }


@pytest.mark.parametrize(
    ("other", "row"),
    [
        ({"summary": "b: 9 training and 3 test samples"}, (_A, "b: 9 training and 3 test samples")),
        ({"path": "/data/b"}, (f"{_A}, /data/a", f"{_A}, /data/b")),
        ({}, (f"{_A}, contents aaaaaaaa", f"{_A}, contents bbbbbbbb")),
    ],
)
def test_other_data_are_told_by_what_a_person_knows_of_them(other, row):
    first = _settings()
    second = _settings(data=first.data.model_copy(update={"digest": "b" * 64, **other}))
    assert differences([first, second]) == {"data": row}
    moved = _settings(data=first.data.model_copy(update={"path": "/elsewhere"}))
    assert differences([first, moved]) == {}  # the same data


def test_a_window_and_a_shape_are_readable():
    first = _settings()
    second = _settings(
        data=first.data.model_copy(update={"options": {"window": 50}}), space=SearchSpace.for_input((50, 1, 3), 3)
    )
    said = differences([first, second])
    assert said["window"] == ("-", "50")
    assert said["input"] == ("16 x 16 x 1", "50 x 1 x 3")
    assert not any("[" in text or "{" in text for row in said.values() for text in row)


def _plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_kernel_sizes_are_told_in_their_order_and_ends_by_the_name_of_their_option():
    spaces = [SearchSpace.for_input(shape, 3) for shape in ((8, 8, 1), (64, 1, 3))]
    base = _settings()
    rows = differences([base.model_copy(update={"space": space, "max_trials": n}) for n, space in enumerate(spaces, 1)])
    sizes = rows["search space: kernel sizes"]
    assert all(text == ", ".join(sorted(text.split(", "), key=int)) for text in sizes), sizes
    assert rows["trials"] == ("1", "2")
    assert "max trials" not in rows

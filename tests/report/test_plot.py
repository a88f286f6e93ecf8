"""The Pareto front by matplotlib, and the trials as rows."""

import pytest

from tests.report.conftest import Story, make_run
from tinynas.errors import UsageError
from tinynas.report import plot_front, read_facts, trial_row
from tinynas.report.front import front_line, groups
from tinynas.searching.result import SearchResult


@pytest.fixture
def result(ended):
    facts = read_facts(ended)
    return SearchResult(facts.best, facts.trials, {"best": None}, ended)


@pytest.mark.parametrize("cost", ["ram", "flash", "latency"])
def test_every_trained_trial_is_a_mark_and_every_front_a_line(ended, result, cost):
    axes = result.plot_front(cost=cost).axes[0]
    facts = read_facts(ended)
    drawn = groups(facts.trials, "proxy")
    marks = [line for line in axes.lines if line.get_linestyle() == "None" and line.get_marker() != "*"]
    fronts = [line for line in axes.lines if line.get_linestyle() != "None"]
    assert [len(line.get_xdata()) for line in marks] == [len(group.trials) for group in drawn]
    assert [len(line.get_xdata()) for line in fronts] == [
        len(front_line(group.trials, "accuracy", cost)) for group in drawn
    ]
    scale = 1 if cost == "latency" else 1024
    costs = {"ram": "arena_bytes", "flash": "flash_bytes", "latency": "latency_ms"}
    rows = [trial_row(trial) for group in drawn for trial in group.trials]
    xs = [x for line in marks for x in line.get_xdata()]
    assert xs == pytest.approx([row[costs[cost]] / scale for row in rows])
    ys = [y for line in marks for y in line.get_ydata()]
    assert ys == pytest.approx([100 * row["accuracy_int8"] for row in rows])


def test_it_is_written_too_and_what_cannot_be_is_a_sentence(result, tmp_path):
    result.plot_front(tmp_path / "front.png")
    assert (tmp_path / "front.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(UsageError, match="give the file one of these endings"):
        result.plot_front(tmp_path / "front.txt")
    with pytest.raises(UsageError, match="cannot be written"):
        result.plot_front(tmp_path / "nowhere" / "front.svg")
    with pytest.raises(UsageError, match="cost is 'macs'; choose ram, flash or latency"):
        result.plot_front(cost="macs")


def test_nothing_to_draw_is_a_sentence(tmp_path):
    facts = read_facts(make_run(tmp_path / "run", Story(trained=0, infeasible=2, failed=0)))
    with pytest.raises(UsageError, match="no front to draw"):
        plot_front(facts.trials, None)


def test_rows_are_plain_values_of_one_kind_a_column(result):
    rows = result.rows()
    assert len(rows) == len(result.trials)
    assert all(list(row) == list(rows[0]) for row in rows)
    assert {type(value) for row in rows for value in row.values()} <= {int, float, str, type(None)}
    assert [row["number"] for row in rows] == [trial.number for trial in result.trials]

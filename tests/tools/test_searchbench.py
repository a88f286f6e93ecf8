"""What the search benchmark is made of: curves by hand, drives and replays on made-up scores."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import record_table
from scipy.stats import kendalltau
from searchbench.curves import Curve, markdown, paired
from searchbench.drive import BudgetUsedError, Meter, drive, steered
from searchbench.real import Setting, parse_label
from searchbench.table import Row, StandIn, Table, encode, replay

from tests.searching.conftest import evaluate, footprint_of, score_of
from tinynas.hardware import Limits, Target
from tinynas.screening import screen
from tinynas.searching import RandomSearch, with_limits

TOOLS = Path(__file__).parents[2] / "tools"


def _curve(strategy="a", seed=0, points=((10.0, 0.5), (30.0, 0.4), (50.0, 0.9), (110.0, 1.0)), **given):
    return Curve(
        **{"data": "d", "strategy": strategy, "seed": seed, "budget_s": 100.0, "floor": 0.1, "points": points, **given}
    )


def test_the_best_and_the_area_by_hand():
    curve = _curve()
    assert [curve.best(at) for at in (5, 10, 40, 50, 200)] == [0.1, 0.5, 0.5, 0.9, 0.9]
    assert curve.best() == 0.9
    assert curve.area() == pytest.approx((10 * 0.1 + 40 * 0.5 + 50 * 0.9) / 100)
    assert curve.trials() == 3
    assert _curve(points=()).area() == pytest.approx(0.1)
    assert Curve.from_dict(json.loads(json.dumps(curve.to_dict()))) == curve


def test_paired_differences_are_over_what_both_ran():
    ours = [_curve("a", seed, ((1.0, score),)) for seed, score in enumerate((0.5, 0.7, 0.9))]
    theirs = [_curve("b", seed, ((1.0, score),)) for seed, score in enumerate((0.4, 0.8))]
    found = paired(ours, theirs, "best")
    assert (found.n, found.wins) == (2, 1)
    assert found.mean == pytest.approx(0.0)
    assert found.error == pytest.approx(0.1)
    with pytest.raises(ValueError, match="share no"):
        paired(ours, [_curve("b", 9)], "best")
    text = markdown([*ours, *theirs])
    assert "| a | 3 | 1.0 |" in text
    assert "| b | 2 | -0.00 +/- 10.00 | 1/2 | +0.00 +/- 9.90 | 1/2 |" in text


def test_a_label_carries_settings():
    assert parse_label("surrogate") == ("surrogate", {})
    assert parse_label("a:n_rungs=1:inherit=false:start=random") == (
        "a",
        {"n_rungs": 1, "inherit": False, "start": "random"},
    )


def test_a_drive_ends_with_its_budget_and_trains_what_fits(space, limits):
    clock = [0.0]
    meter = Meter(10.0, lambda: clock[0])

    def train(number, architecture, footprint):
        assert not limits.violations(footprint)
        clock[0] += 1.5
        return replace(evaluate(architecture), footprint=footprint)

    trials = drive(RandomSearch(space), space, footprint_of, limits, train, meter, seed=3, n_children=4)
    assert [at for at, _ in meter.points] == pytest.approx([1.5 * (n + 1) for n in range(7)])
    trained = [trial for trial in trials if trial.evaluation.folds]
    assert [score for _, score in meter.points] == [score_of(trial.architecture) for trial in trained]
    assert [trial.number for trial in trials] == list(range(len(trials)))


def test_credit_is_not_spent():
    clock = [0.0]
    meter = Meter(10.0, lambda: clock[0])
    clock[0], meter.credit = 14.0, 5.0
    meter.note(0.5)
    clock[0] = 15.0
    with pytest.raises(BudgetUsedError):
        meter.note(0.6)
    assert meter.points == [(9.0, 0.5), (10.0, 0.6)]


def test_steered_fits_or_is_none(space, limits):
    rng = np.random.default_rng(0)
    for _ in range(20):
        architecture, footprint = steered(space.random_architecture(rng), space, footprint_of, limits, rng)
        assert footprint == footprint_of(architecture)
        assert not limits.violations(footprint)
    assert steered(space.random_architecture(rng), space, footprint_of, Limits(flash_bytes=1), rng) is None


@pytest.mark.slow  # importing keras-tuner takes some seconds
@pytest.mark.parametrize("name", ["kt-random", "kt-hyperband"])
def test_keras_tuner_chooses_from_the_space(name):
    command = [sys.executable, "-m", "tests.tools.tuner_run", name]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=TOOLS.parent)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["sound"]
    assert found["points"][-1][0] >= 60.0 > found["points"][-2][0]
    assert len(set(found["keys"])) > 5
    if name == "kt-hyperband":
        assert {1, 3, 9} >= set(found["epochs"]) > {1}
        assert found["seconds"] > found["points"][-1][0]  # a promotion pays for what it had not had


def _table(n=80):
    target = Target.load("nucleo_f401")
    from tinynas.architecture import SearchSpace

    space = SearchSpace.for_input((8, 8, 1), 3)
    rng = np.random.default_rng(0)
    drawn = {a.key: a for a in (space.random_architecture(rng) for _ in range(n))}
    rows = tuple(
        Row(a, screen(a, target), "random", 0, score_of(a) * 0.9, 2.0 + len(a.blocks), score_of(a), 20.0)
        for a in drawn.values()
    )
    return Table("made_up", target, with_limits(target, flash_bytes=20_000), space, rows, {"version": "0"})


def test_a_table_comes_back_as_it_was(tmp_path):
    table = _table(5)
    table.write(tmp_path / "t.json.gz")
    assert Table.read(tmp_path / "t.json.gz") == table


@pytest.fixture(scope="module")
def made_up():
    """A table, and the stand-in that is fitted to it."""
    table = _table()
    return table, StandIn(table)


def test_the_stand_in_knows_the_table_and_guesses_the_rest_with_its_noise(made_up):
    table, stand_in = made_up
    for row in table.rows[:5]:
        assert stand_in(row.architecture, row.footprint) == (row.proxy, row.full, row.proxy_s)
    rng = np.random.default_rng(9)
    new = [table.space.random_architecture(rng) for _ in range(60)]
    values = np.array([stand_in(a, screen(a, table.target)) for a in new])
    again = np.array([stand_in(a, screen(a, table.target)) for a in new])
    np.testing.assert_array_equal(values, again)
    x = np.array([encode(a, screen(a, table.target), table.space) for a in new])
    tau = kendalltau(stand_in._models["full"].predict(x), [score_of(a) for a in new])[0]
    assert tau > 0.3  # before the noise
    assert ((values[:, :2] >= 0) & (values[:, :2] < 1)).all()
    assert stand_in.tau["full"] > 0.25
    assert stand_in.tau["proxy against full"] == pytest.approx(1.0)


def test_genes_of_every_network_have_one_width():
    table = _table(10)
    widths = {encode(row.architecture, row.footprint, table.space).shape for row in table.rows}
    assert len(widths) == 1
    different = {encode(row.architecture, row.footprint, table.space).tobytes() for row in table.rows}
    assert len(different) == len(table.rows)


@pytest.mark.parametrize("label", ["random", "evolution:n_parents=2", "unas"])
def test_a_replay_is_the_same_again_and_ends_in_time(made_up, label):
    table, stand_in = made_up
    curve = replay(table, label, 1, 60.0, stand_in)
    assert curve == replay(table, label, 1, 60.0, stand_in)
    assert curve.points != replay(table, label, 2, 60.0, stand_in).points
    assert curve.points[-1][0] >= 60.0 > curve.points[-2][0]
    assert 0 < curve.about["full_of_best"] < 1


def test_rows_follow_from_the_seed_and_the_blocks_before(stripes):
    table = _table(30)
    setting = Setting("d", stripes, table.target, table.limits, table.space, 1.0)
    rows = tuple(replace(row, block=at % 2) for at, row in enumerate(table.rows))
    first = record_table.propose_block(setting, rows, 40, 12, seed=0)
    assert first == record_table.propose_block(setting, rows[::-1], 40, 12, seed=0)
    assert first != record_table.propose_block(setting, rows, 60, 12, seed=0)
    late = tuple(replace(row, block=2) for row in rows)
    assert {origin for origin, _ in first} == {"random", "mutant"}
    assert {origin for origin, _ in record_table.propose_block(setting, late, 40, 12, seed=0)} == {"random"}
    assert not any(table.limits.violations(screen(a, table.target)) for _, a in first)


@pytest.mark.slow
def test_the_command_line_goes_on_where_it_stopped(tmp_path):
    _table().write(tmp_path / "t.json.gz")
    command = [sys.executable, TOOLS / "bench_search.py", "--table", tmp_path / "t.json.gz", "--cpu-minutes", "0.5"]
    command += ["--strategies", "surrogate,random", "--out", tmp_path / "o.json", "--seeds"]
    for seeds in ("1", "2"):
        done = subprocess.run([*command, seeds], capture_output=True, text=True, check=True)
    assert done.stdout.count("trainings") == 2 + 1  # the second seed of each, and the head of the table
    summary = subprocess.run(
        [sys.executable, TOOLS / "bench_search.py", "--summary", tmp_path / "o.json"], capture_output=True, text=True
    )
    assert "| surrogate | 2 |" in summary.stdout
    assert "| random | 2 |" in summary.stdout


@pytest.mark.slow
@pytest.mark.parametrize("label", ["random:n_children=2", "unas"])
def test_a_real_run_counts_cpu_seconds(stripes, tensorflow, label):
    from searchbench.real import run, setting_for

    curve = run(setting_for("stripes", stripes, "nucleo_f401", {"flash_bytes": 20_000}, 4.0), label, 0)
    assert curve.points[-1][0] >= 4.0
    assert curve.floor == pytest.approx(1 / 3)
    assert all(later[0] > sooner[0] for sooner, later in zip(curve.points, curve.points[1:], strict=False))

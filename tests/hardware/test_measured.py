"""What was measured of a board: kept beside its profile, and what its latency rests on from then on."""

import json
from dataclasses import replace
from math import hypot, sqrt
from pathlib import Path

import pytest

from tests.hardware.test_target import BOARD
from tests.tflite.models import fixture
from tinynas import analyze
from tinynas.errors import TargetError
from tinynas.hardware import FIGURES, Target
from tinynas.hardware.measured import COUNTED_ERROR, Record, Timed, add_record, measured, path_for, read_records

OPERATORS = (Timed("conv", 1300, 1000), Timed("dense", 110, 100), Timed("softmax", 40, 10))
ONE = Record(
    "a" * 64, "run", "tflm", "-O2", 1450, 1110, 0.19, "Cortex-M4F", 168_000_000, "cmsis_nn", FIGURES, "2026-11-26",
    operators=OPERATORS,
)  # fmt: skip


def test_one_model_scales_the_estimate_and_its_operators_say_how_sure_that_is():
    found = measured([ONE])
    assert found.ratio == pytest.approx(1450 / 1110)
    # conv has 90 % of the estimated time and is 0.5 % off the ratio, dense is 16 % off it and has 9 %
    assert found.error == COUNTED_ERROR
    even = replace(ONE, operators=(Timed("conv", 1300, 500), Timed("dense", 150, 610)))
    assert measured([even]).error == pytest.approx(1300 / 500 / (1450 / 1110) - 1, abs=1e-3)


def test_without_times_of_operators_the_error_is_as_before():
    assert measured([replace(ONE, operators=())]).error == 0.19


def test_several_models_have_one_vote_each_and_are_held_against_the_others():
    two = [ONE, replace(ONE, model="b" * 64, us=2000, estimated_us=1000, operators=())]
    one, other = 1450 / 1110, 2.0
    found = measured(two)
    assert found.ratio == pytest.approx(sqrt(one * other))
    assert found.error == pytest.approx(other / one - 1, abs=1e-3)
    assert found.source.startswith("2 models measured with TFLM")


def test_the_engine_counts_where_tflm_was_not_measured_with_the_cores_error():
    engine = replace(ONE, runtime="engine", us=2220)
    found = measured([replace(engine, operators=())])
    assert (found.ratio, found.error) == (2.0, pytest.approx(hypot(0.19, 0.19), abs=1e-3))
    assert measured([engine, ONE]) == measured([ONE])


def test_nothing_measured_is_nothing_known():
    assert measured([]) is None


def test_latency_rests_on_it_from_then_on(tmp_path):
    profile = tmp_path / "mine.json"
    profile.write_text(json.dumps(BOARD))
    model = fixture("mn_tiny_c4_b1")
    before = analyze(model, Target.load(profile)).latency
    add_record(path_for("mine", profile), ONE)
    board = Target.load(profile)
    after = analyze(model, board)
    assert after.latency.value == pytest.approx(before.value * 1450 / 1110)
    assert after.latency.error == COUNTED_ERROR
    assert after.latency.source == "1 model measured with TFLM: 1.31 of what is estimated without"
    assert sum(each.latency_ms for each in after.operators) == pytest.approx(after.latency.value)
    assert analyze(model, board.without_measurements()).latency == before
    assert (
        analyze(model, board, kernels="reference").latency
        == analyze(model, board.without_measurements(), kernels="reference").latency
    )
    assert board.is_same_board(board.without_measurements())


def test_a_shipped_board_is_kept_in_the_users_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    record = replace(ONE, clock_hz=Target.load("nucleo_f401").clock_hz)
    add_record(path_for("nucleo_f401", None), record)
    assert (tmp_path / "tinynas" / "nucleo_f401.measured.json").exists()
    assert Target.load("nucleo_f401").measured == measured([record])
    assert Target.load("nucleo_f411").measured is None
    monkeypatch.setenv("XDG_DATA_HOME", "relative/is/ignored")
    assert path_for("x", None) == Path.home() / ".local" / "share" / "tinynas" / "x.measured.json"


@pytest.mark.parametrize("change", [{"clock_hz": 84_000_000}, {"core": "Cortex-M7"}, {"figures": FIGURES - 1}])
def test_a_board_whose_profile_has_changed_was_not_measured(change, tmp_path):
    profile = tmp_path / "mine.json"
    profile.write_text(json.dumps(BOARD))
    add_record(path_for("mine", profile), replace(ONE, **change))
    assert Target.load(profile).measured is None


def test_a_newer_record_of_the_same_replaces_the_older(tmp_path):
    path = tmp_path / "new" / "mine.measured.json"
    add_record(path, ONE)
    add_record(path, replace(ONE, model="b" * 64))
    records = add_record(path, replace(ONE, us=1500))
    assert [(each.model[0], each.us) for each in records] == [("b", 1450), ("a", 1500)]
    assert read_records(path) == records
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", "\xff", '{"records": [1]}', '{"records": [{"operators": []}]}',
        json.dumps({"records": [{**ONE.__dict__, "operators": [], "us": 0}]}),
        json.dumps({"records": [{**ONE.__dict__, "operators": [], "us": "x"}]}),
        json.dumps({"records": [{**ONE.__dict__, "operators": [], "runtime": "magic"}]}),
    ],
)  # fmt: skip
def test_a_damaged_file_is_one_sentence(text, tmp_path):
    profile = tmp_path / "mine.json"
    profile.write_text(json.dumps(BOARD))
    path_for("mine", profile).write_bytes(text.encode("latin-1"))
    with pytest.raises(TargetError, match="remove it and measure again") as error:
        Target.load(profile)
    assert "\n" not in str(error.value)


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TargetError, match="cannot be"):
        add_record(tmp_path / "file" / "mine.measured.json", ONE)

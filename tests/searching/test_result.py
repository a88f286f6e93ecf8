"""What a search gives back, beside what its folder says."""

import json

import pytest

from tests.searching.conftest import evaluate, footprint_of
from tinynas import search
from tinynas.hardware import Footprint
from tinynas.runs import Evaluation, State


@pytest.fixture
def made_up(stripes, target, space, limits, tmp_path):
    def run(**given):
        usual = {"space": space, "limits": limits, "evaluate": evaluate, "screen": footprint_of, "n_generations": 2}
        usual["strategy"] = "random"
        return search(stripes, target, out=tmp_path / "run", **{**usual, **given})

    return run


def test_it_says_what_the_final_model_is(small_run):
    best = json.loads((small_run.folder / "summary.json").read_text())["best"]
    assert small_run.accuracy == best["test"]["int8"]["accuracy"]
    assert small_run.architecture.to_dict() == best["architecture"]
    assert small_run.tflite == (small_run.folder / "best" / "model.tflite").read_bytes()
    assert small_run.footprint == Footprint.from_dict(best["footprint"])
    assert len(small_run.tflite) == small_run.footprint.flash_bytes
    page = small_run.report()
    assert page == small_run.folder / "report.html"
    assert "<html" in page.read_text()


def test_its_repr_is_a_line(small_run):
    text = repr(small_run)
    assert "\n" not in text
    assert len(text) < 200
    for part in (
        f"{100 * small_run.accuracy:.2f}% on the test set",
        f"file {small_run.footprint.flash_bytes:,} B",
        f"arena {small_run.footprint.arena_bytes:,} B",
        str(small_run.folder),
    ):
        assert part in text


def test_without_a_model_the_scores_are_those_of_the_best_trial(made_up):
    result = made_up()
    assert result.accuracy == result.best.evaluation.mean()
    assert result.footprint == footprint_of(result.architecture)
    assert result.tflite is None
    assert "in validation" in repr(result)


def test_where_nothing_was_trained_there_is_nothing_to_say(made_up):
    result = made_up(fidelity="none", evaluate=lambda architecture: Evaluation(State.COMPLETE))
    assert (result.best, result.accuracy, result.architecture, result.footprint, result.tflite) == (None,) * 5
    assert "nothing was trained" in repr(result)

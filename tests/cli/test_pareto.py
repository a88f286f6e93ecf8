"""tinynas pareto: what is printed, what is JSON, what is refused."""

import json
import shutil
from types import SimpleNamespace

import pytest

from tests.searching.conftest import evaluate, footprint_of
from tinynas.architecture import SearchSpace
from tinynas.cli import main
from tinynas.cli.formats import parse_names
from tinynas.cli.pareto import _why_not
from tinynas.runs import front
from tinynas.searching import search

_FIGURES = ("arena_bytes", "flash_bytes", "latency_ms", "macs", "params")


@pytest.fixture
def call(capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return end.value.code or 0, out, err

    return run


@pytest.fixture
def made_up(stripes, tmp_path):
    space = SearchSpace.for_input((8, 8, 1), 3)
    return search(
        stripes,
        "nucleo_f401",
        out=tmp_path / "run",
        space=space,
        evaluate=evaluate,
        screen=footprint_of,
        objectives=("accuracy", "flash"),
        n_generations=4,
    )


def test_it_lists_the_front_in_the_objectives_of_the_search(call, made_up):
    members = front(made_up.trials, ("accuracy", "flash"))
    code, out, _ = call("pareto", made_up.folder, "--json")
    assert code == 0
    found = json.loads(out)
    assert found["objectives"] == ["accuracy", "flash"]
    assert [row["trial"] for row in found["front"]] == [trial.number for trial in members]
    for row, trial in zip(found["front"], members, strict=True):
        footprint = trial.evaluation.footprint
        assert row["accuracy"] == trial.evaluation.mean()
        assert (row["arena_bytes"], row["flash_bytes"]) == (footprint.arena_bytes, footprint.flash_bytes)
        assert row["model_kept"] is False
    code, out, _ = call("pareto", made_up.folder)
    assert code == 0
    for trial in members:
        assert f"{trial.evaluation.footprint.flash_bytes:,}" in out
    assert "convert best" in out


def test_other_objectives_can_be_asked_for(call, made_up):
    _, out, _ = call("pareto", made_up.folder, "--objectives", "accuracy, macs,params", "--json")
    expected = front(made_up.trials, ("accuracy", "macs", "params"))
    assert [row["trial"] for row in json.loads(out)["front"]] == [trial.number for trial in expected]


def test_a_real_run_names_a_model_that_can_be_converted(call, small_run):
    code, out, _ = call("pareto", small_run.folder, "--json")
    rows = json.loads(out)["front"]
    assert code == 0
    assert rows
    assert all(row["model_kept"] for row in rows)
    _, out, _ = call("pareto", small_run.folder)
    said, best = " ".join(out.split()), small_run.best.number
    if best in {row["trial"] for row in rows}:
        assert f"convertbest--run{small_run.folder}" in "".join(out.split())
    else:
        assert f"The best, #{best}, is" in said


def _best(number, score, folds, architecture="conv8k3 bn relu > gap > dense3"):
    evaluation = SimpleNamespace(
        mean=lambda metric: score, folds=(None,) * folds, footprint=SimpleNamespace(**dict.fromkeys(_FIGURES, 1)),
        fidelity="full", rung=0,
    )  # fmt: skip
    return SimpleNamespace(number=number, evaluation=evaluation, architecture=architecture)


def test_the_best_that_is_not_on_the_front_is_told_why():
    best, names = _best(7, 0.9, 5), ("accuracy", "ram")
    same = [{"trial": 3, "architecture": best.architecture}]
    assert _why_not(best, "accuracy", names, same) == (
        "The best, #7, is the network of #3, which stands here with its longest training."
    )
    other = [{"trial": 2, "architecture": "another"}]
    said = _why_not(best, "accuracy", names, other)
    assert said.startswith(
        "The best, #7, is not among them: another has no less accuracy (90.00 % of #7 is over 5 folds)"
    )
    assert "no worse in accuracy, ram" in said


def test_the_best_that_another_outscores_is_told_why(call, small_run, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(small_run.folder, run)
    summary = json.loads((run / "summary.json").read_text())
    summary["best"]["chosen"] = "a hand-made start, since #9 is better by less than a standard error"
    (run / "summary.json").write_text(json.dumps(summary))
    _, out, _ = call("pareto", run)
    said = (
        f"The best is #{summary['best']['trial']}, a hand-made start, since #9 is better by less than a standard error."
    )
    assert said in " ".join(out.split())


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["pareto", "nowhere"], 1, "'nowhere' is no run"),
        (["pareto"], 1, "no run in"),
        (["search", "--target", "nucleo_f401", "--objectives", "accuracy,cost", "--trials", "1"], 2, "'cost'"),
        (["search", "--target", "nucleo_f401", "--objectives", "ram", "--trials", "1"], 2, "leave out accuracy"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_is_wrong_is_one_sentence(call, tmp_path, monkeypatch, arguments, code, said):
    monkeypatch.chdir(tmp_path)
    found, _, err = call(*arguments)
    assert found == code
    assert err.startswith("tinynas: ")
    assert err.count("\n") == 1
    assert said in err


def test_names_of_a_list():
    assert parse_names("accuracy, ram,flash") == ("accuracy", "ram", "flash")

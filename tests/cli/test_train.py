"""`tinynas train`: what is printed, what is JSON, what is refused, what a Ctrl-C leaves."""

import json
import shutil
from functools import partial

import numpy as np
import pytest

import tinynas.searching
from tests.searching.conftest import footprint_of
from tests.searching.finals import Made
from tinynas.cli import main
from tinynas.data import Dataset
from tinynas.runs import DataSource, read_settings, trained
from tinynas.searching import search


@pytest.fixture
def call(capsys, monkeypatch):
    """Run the command line in this process, with made-up trainings: exit code, standard output, standard error."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(tinynas.searching, "train", partial(tinynas.searching.train, executor=lambda *_: Made()))

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return end.value.code or 0, out, err

    return run


@pytest.fixture(scope="module")
def ended(stripes, tmp_path_factory):
    """A search with made-up scores of data in a file, its best and another trial that was trained."""
    folder = tmp_path_factory.mktemp("train")
    np.savez(folder / "stripes.npz", x=stripes.x[..., 0], y=stripes.y)
    source = DataSource(kind="path", path=str(folder / "stripes.npz"))
    data = Dataset.load(folder / "stripes.npz")
    result = search(
        data, "nucleo_f401", out=folder / "run", source=source.of(data), executor=lambda *_: Made(),
        screen=footprint_of, strategy="evolution", n_generations=2,
    )  # fmt: skip
    return result, next(
        t.number for t in result.trials if t.evaluation.folds and t.architecture != result.best.architecture
    )


def test_it_says_what_came_of_it_beside_the_best(call, ended):
    result, number = ended
    code, out, _ = call("train", f"{result.folder}:{number}")
    assert code == 0
    assert "Data: stripes" in out
    assert "75.00 % int8, 80.00 % float" in out
    assert f"#{result.best.number}: 75.00 % int8 on the test set" in out
    assert f"Next: tinynas convert {result.folder}:{number}" in out
    assert trained(result.folder) == (number,)
    assert f"trained/{number}" not in call("show", f"{result.folder}:{number}")[1]  # it is no other's
    assert "75.00 % int8, 80.00 % float" in call("show", f"{result.folder}:{number}")[1]
    assert f"{result.folder}:{number}" in call("compare", result.folder, f"{result.folder}:{number}")[1]
    assert "Final trainings" in (result.folder / "report.html").read_text()


def test_as_json_it_is_the_summary(call, ended):
    result, number = ended
    code, out, err = call("train", f"{result.folder}:{number}", "--json", "--time-budget", "90s")
    assert code == 0
    assert json.loads(out) == json.loads((result.folder / "trained" / str(number) / "summary.json").read_text())
    assert "Final model: test accuracy" in err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["{run}"], 2, "is a run, and train takes a trial of it"),
        (["{run}:999"], 2, "has no trial 999"),
        (["nowhere:3"], 1, "'nowhere' is no run"),
        (["{run}:0", "--time-budget", "soon"], 2, "'soon' is not a time"),
    ],
)
def test_what_is_wrong_is_one_sentence(call, ended, arguments, code, said):
    found, _, err = call("train", *(argument.format(run=ended[0].folder) for argument in arguments))
    assert (found, err.count("\n"), err[:9]) == (code, 1, "tinynas: ")
    assert said in err


def test_ctrl_c_says_how_to_start_again(call, ended, monkeypatch):
    result, number = ended

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Made, "final", stop)
    code, _, err = call("train", f"{result.folder}:{number}")
    assert code == 1
    assert err == (
        f"tinynas: Stopped. Nothing was written; start it again with: tinynas train {result.folder}:{number}\n"
    )


def test_a_search_that_has_ended_is_given_more(call, ended, monkeypatch, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(ended[0].folder, folder)
    more = partial(tinynas.searching.resume, executor=lambda *_: Made(), screen=footprint_of)
    monkeypatch.setattr(tinynas.searching, "resume", more)
    code, out, _ = call("search", "--resume", folder, "--trials", "+3", "--generations", "+9", "--time-budget", "+10m")
    assert code == 0
    assert "3 more trials were asked for" in out
    extension = read_settings(folder).extensions[0]
    assert (extension.max_trials, extension.n_generations, extension.time_budget_s) == (3, 9, 600)
    assert "--time-budget +600s --trials +3 --generations +9" in (folder / "report.html").read_text()


def test_the_smaller_network_is_named_at_the_end_and_in_the_report(call, ended, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(ended[0].folder, folder)
    summary = json.loads((folder / "summary.json").read_text())
    best = summary["best"]
    found = {"trial": 1, "fidelity": "full", "points": 0.25, "standard_error": 0.3}
    found |= {"flash_bytes": best["flash_bytes"] // 4, "arena_bytes": best["arena_bytes"] // 2}
    (folder / "summary.json").write_text(json.dumps({**summary, "smaller": found}))
    said = f"#1: 0.2 points less, 25 % of the model file, 50 % of the arena: tinynas train {folder}:1"
    assert f"Smaller: {said}" in call("search", "--resume", folder)[1]
    call("report", folder)
    assert said in " ".join((folder / "report.html").read_text().split())

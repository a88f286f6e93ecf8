"""A final training for any trial of a run: what is kept, what stays as it was, what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.searching.conftest import evaluate, footprint_of
from tests.searching.finals import Made
from tinynas import convert, train
from tinynas.data import Dataset
from tinynas.errors import ModelError, RunError, UsageError
from tinynas.report import compare, read_facts
from tinynas.runs import Best, Evaluation, State, kept, read_trained, trained
from tinynas.searching import Note, resume, search
from tinynas.searching.executor import Calls


@pytest.fixture(scope="module")
def made(stripes, tmp_path_factory):
    """A search with made-up scores and models, and its executor."""
    return _searched(stripes, tmp_path_factory.mktemp("made") / "run")


def _searched(stripes, folder, score=evaluate, **given):
    executor = Made(score)
    usual = {"n_generations": 4, "strategy": "evolution", "screen": footprint_of, "n_children": 6}
    result = search(stripes, "nucleo_f401", out=folder, executor=lambda *_: executor, **{**usual, **given})
    return result, executor


def _measured(architecture):
    return Evaluation(State.COMPLETE)


def _other(result):
    """A trained trial that is not the best, nor of its architecture, and of which the run keeps no model."""
    return next(
        trial
        for trial in result.trials
        if trial.evaluation.folds
        and trial.architecture != result.best.architecture
        and trial.number not in kept(result.folder)
    )


def _files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_trial_gets_what_the_best_had_and_the_best_stays(made, stripes):
    result, executor = made
    before, summary = _files(result.folder / "best"), (result.folder / "summary.json").read_bytes()
    trial = _other(result)
    with pytest.raises(RunError, match=rf"tinynas train .*:{trial.number} gives this one its final training"):
        Best(result.folder, trial.number)
    notes = []
    found = train(f"{result.folder}:{trial.number}", stripes, executor=lambda *_: executor, watch=notes.append)
    of_best, of_trial = executor.finals[0], executor.finals[-1]
    assert of_trial == replace(of_best, architecture=trial.architecture, seed=of_trial.seed)
    assert of_trial.seed != of_best.seed
    assert any("Final model: test accuracy" in note.text for note in notes if isinstance(note, Note))
    assert (_files(result.folder / "best"), (result.folder / "summary.json").read_bytes()) == (before, summary)
    assert trained(result.folder) == (trial.number,)
    assert (found.best, found.number, found.accuracy) == (trial, trial.number, 0.75)
    assert found.tflite == Best(result.folder, trial.number).tflite == trial.architecture.key.encode()
    assert Best(result.folder, trial.number).about["stage"] == "final"
    assert found.summary == read_trained(result.folder, trial.number)
    assert found.summary["best"]["trial"] == trial.number
    assert f"Final training of #{trial.number}" in (result.folder / "search.log").read_text()


def test_the_best_trained_again_is_the_best(made, stripes):
    result, executor = made
    train(f"{result.folder}:{result.best.number}", stripes, executor=lambda *_: executor)
    assert executor.finals[-1] == executor.finals[0]


def test_a_time_budget_is_for_everything(made, stripes):
    result, executor = made
    train(f"{result.folder}:{_other(result).number}", stripes, time_budget_s=1000, executor=lambda *_: executor)
    job = executor.finals[-1]
    assert 900 < job.time_budget_s < 1000
    assert not job.until_flat


def test_after_a_time_budget_others_have_as_many_epochs_as_the_best(stripes, tmp_path):
    result, executor = _searched(stripes, tmp_path / "run", time_budget_s=3600, n_generations=2)
    assert executor.finals[0].time_budget_s is not None
    train(f"{result.folder}:{_other(result).number}", stripes, executor=lambda *_: executor)
    job = executor.finals[-1]
    assert (job.epochs, job.time_budget_s, job.until_flat) == (result.summary["best"]["epochs"], None, False)


def test_a_trial_of_a_search_that_only_measures_is_trained(stripes, tmp_path):
    result, executor = _searched(stripes, tmp_path / "run", _measured, fidelity="none", n_generations=1)
    number = next(t.number for t in result.trials if t.evaluation.state is State.COMPLETE)
    found = train(f"{result.folder}:{number}", stripes, executor=lambda *_: executor)
    assert found.accuracy == 0.75
    assert found.summary["best"]["validation"]["accuracy"] == {"mean": None, "std": None}
    assert read_trained(result.folder, number) == found.summary


def test_it_stays_when_the_run_is_resumed_and_stands_beside_the_best(made, stripes):
    result, executor = made
    trial = _other(result)
    train(f"{result.folder}:{trial.number}", stripes, executor=lambda *_: executor)
    resume(result.folder, stripes)
    facts = read_facts(result.folder, trial.number)
    assert (facts.name, facts.best, facts.ended) == (f"{result.folder}:{trial.number}", trial, True)
    assert facts.final["test"]["int8"]["accuracy"] == 0.75
    assert trial.number in read_facts(result.folder).trained
    both = compare([read_facts(result.folder), facts])
    assert both.runs == (str(result.folder), f"{result.folder}:{trial.number}")
    assert both.results["best_trial"] == (result.best.number, trial.number)
    assert both.results["test_int8"] == (0.75, 0.75)


@pytest.mark.parametrize("moment", ["training", "saving"])
def test_killed_it_leaves_nothing_or_what_was_there(made, stripes, monkeypatch, moment):
    result, executor = made
    number = _other(result).number
    source = f"{result.folder}:{number}"
    train(source, stripes, executor=lambda *_: executor)
    before = _files(result.folder / "trained" / str(number))

    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(*((Made, "final") if moment == "training" else (np, "save")), killed)
        with pytest.raises(KeyboardInterrupt):
            train(source, stripes, executor=lambda *_: executor)
    assert Best(result.folder, number).tflite == before["model.tflite"]
    train(source, stripes, executor=lambda *_: executor)
    assert {path.name for path in (result.folder / "trained").iterdir()} <= {str(n) for n in trained(result.folder)}


@pytest.mark.parametrize(
    ("given", "kind", "said"),
    [
        ({"source": "{run}"}, UsageError, "is a run, and train takes a trial of it, such as .*:4"),
        ({"source": "{run}:999"}, UsageError, "has no trial 999: it has 0 to"),
        ({"source": "{run}:{infeasible}"}, RunError, "does not fit, so it is not trained: model file"),
        ({"source": "nowhere:1"}, RunError, "'nowhere' is no run"),
        ({"source": 5}, UsageError, "source must be a trial of a run"),
        ({"time_budget_s": 0}, UsageError, "time_budget_s is 0; wanted"),
        ({"time_budget_s": "5m"}, UsageError, "time_budget_s is '5m'; wanted"),
        ({"dataset": "digits"}, UsageError, "needs a Dataset"),
        ({"dataset": None}, UsageError, "began from arrays in Python"),
        ({"executor": lambda *_: Calls(evaluate)}, UsageError, "no final training"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_cannot_be_trained_is_one_sentence(stripes, tight, given, kind, said):
    infeasible = next(t.number for t in tight.trials if t.evaluation.state is State.INFEASIBLE)
    source = given.get("source", "{run}:{trained}")
    if isinstance(source, str):
        source = source.format(run=tight.folder, infeasible=infeasible, trained=_number(tight))
    usual = {"dataset": stripes, "executor": lambda *_: Made()}
    with pytest.raises(kind, match=said) as error:
        train(source, **{**usual, **_without(given, "source")})
    assert "\n" not in str(error.value)
    assert trained(tight.folder) == ()


def _number(result):
    return next(trial.number for trial in result.trials if trial.evaluation.folds)


def _without(given, name):
    return {key: value for key, value in given.items() if key != name}


@pytest.fixture(scope="module")
def tight(stripes, tmp_path_factory):
    """A search in which much did not fit."""
    from tinynas.hardware import Limits

    folder = tmp_path_factory.mktemp("tight") / "run"
    return _searched(stripes, folder, limits=Limits(flash_bytes=3000), n_generations=2)[0]


def test_other_data_are_refused(tight, stripes):
    other = Dataset.from_arrays(1 - stripes.x, stripes.y, name="other")
    with pytest.raises(RunError, match="began with other data"):
        train(f"{tight.folder}:{_number(tight)}", other)


def test_a_file_over_the_limits_is_refused(tight, stripes):
    executor = Made(flash_bytes=10_000)
    with pytest.raises(RunError, match="final file does not fit: model file 10,000 B"):
        train(f"{tight.folder}:{_number(tight)}", stripes, executor=lambda *_: executor)
    assert trained(tight.folder) == ()


def test_convert_takes_the_result_of_the_trial_and_not_the_best(made, stripes):
    result, executor = made
    trial = _other(result)
    found = train(f"{result.folder}:{trial.number}", stripes, executor=lambda *_: executor)
    with pytest.raises(ModelError, match=f"trial {trial.number} of"):  # a made-up file is no model
        convert(found)
    assert json.loads((result.folder / "trained" / str(trial.number) / "architecture.json").read_text())["trial"] == (
        trial.number
    )

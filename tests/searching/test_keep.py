"""A search keeps the models of its front, and of nothing else; and the objectives choose the strategy."""

import numpy as np
import pytest

from tests.searching.conftest import evaluate, footprint_of
from tinynas.errors import UsageError
from tinynas.runs import Best, front, kept, read_settings
from tinynas.searching import search
from tinynas.searching.executor import Calls
from tinynas.searching.jobs import Outcome


@pytest.fixture
def run(stripes, target, space, limits, tmp_path, monkeypatch, small_pool):
    """Search with made-up scores and, where wanted, made-up models."""

    def start(models=True, **given):
        made = Calls.evaluate

        def with_models(self, jobs, deadline):
            for job, outcome in made(self, jobs, deadline):
                samples = np.zeros((2, 8, 8, 1), np.int8)
                yield job, Outcome(outcome.evaluation, b"keras", job.architecture.key.encode(), samples)

        if models:
            monkeypatch.setattr(Calls, "evaluate", with_models)
        usual = {"space": space, "limits": limits, "evaluate": evaluate, "screen": footprint_of, "n_generations": 5}
        return search(stripes, target, out=tmp_path / "run", **{**usual, **given})

    return start


def test_the_models_of_the_front_are_kept(run):
    objectives = ("accuracy", "flash")
    result = run(objectives=objectives, fidelity="full")
    members = front(result.trials, objectives)
    assert read_settings(result.folder).strategy == "nsga2"
    assert len(members) > 1
    assert set(kept(result.folder)) == {trial.number for trial in members}
    for trial in members:
        model = Best(result.folder, trial.number)
        assert model.tflite == trial.architecture.key.encode()
        assert model.about["trial"] == trial.number
        assert model.about["stage"] == "full"


def test_with_one_objective_the_front_is_of_accuracy_arena_and_file(run):
    result = run()
    assert set(kept(result.folder)) == {trial.number for trial in front(result.trials)}
    assert read_settings(result.folder).strategy == "surrogate"


def test_without_models_there_is_nothing_to_keep(run):
    assert kept(run(models=False).folder) == ()


def test_a_strategy_that_is_named_stays_with_objectives(run):
    result = run(objectives=("accuracy", "macs"), strategy="random", n_generations=1)
    assert read_settings(result.folder).strategy == "random"


def test_objectives_that_make_no_sense_are_refused_before_there_is_a_folder(run, tmp_path):
    with pytest.raises(UsageError, match="no objective 'cost'"):
        run(objectives=("accuracy", "cost"))

    def timeless(architecture):
        from dataclasses import replace

        return replace(footprint_of(architecture), latency_ms=None)

    with pytest.raises(UsageError, match="latency on nucleo_f401 is not known"):
        run(objectives=("accuracy", "latency"), screen=timeless)
    assert not (tmp_path / "run").exists()

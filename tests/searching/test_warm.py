"""A search that begins with the best of an earlier run: made to fit, with its weights, the same after a kill."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from tests.searching.conftest import evaluate, footprint_of
from tests.searching.finals import Made, many_samples
from tinynas.data import Dataset
from tinynas.errors import RunError, UsageError
from tinynas.hardware import Limits
from tinynas.report.command import command_of
from tinynas.runs import Evaluation, State, read_settings, read_trials
from tinynas.searching import resume, search
from tinynas.searching.equal_length import EqualLength
from tinynas.searching.worker import _weights

USUAL = {"n_generations": 2, "n_children": 6, "strategy": "evolution", "screen": footprint_of, "workers": 1}


def _search(data, folder, executor=None, **given):
    executor = executor or Made()
    return search(data, "nucleo_f401", out=folder, executor=lambda *_: executor, **{**USUAL, **given})


@pytest.fixture(scope="module")
def noise():
    """So many samples that a child is trained on one fold, and starts from weights."""
    return many_samples()


@pytest.fixture(scope="module")
def earlier(noise, tmp_path_factory):
    return _search(noise, tmp_path_factory.mktemp("earlier") / "run", n_generations=4)


def test_it_begins_with_the_best_on_other_data(earlier, tmp_path):
    executor = Made()
    data = many_samples(side=12, classes=4, channels=2)
    result = _search(data, tmp_path / "run", executor, warm_start=earlier.folder)
    begun = executor.jobs[:3]
    assert all(job.generation == 0 and job.start is not None for job in begun)
    assert begun[0].start.architecture == earlier.best.architecture
    assert begun[0].architecture.blocks[0].filters == earlier.best.architecture.blocks[0].filters
    assert {(job.architecture.input_shape, job.architecture.n_classes) for job in executor.jobs} == {((12, 12, 2), 4)}
    assert not any(job.start.head for job in begun)  # other classes
    assert all(job.start is None for job in executor.jobs if job.generation == 0 and job not in begun)
    settings = read_settings(result.folder)
    assert settings.warm_start == str(earlier.folder)
    assert f"--warm-start {earlier.folder}" in command_of(settings)[0]


def test_on_another_board_of_less_memory_they_are_shrunk(earlier, noise, tmp_path):
    executor = Made()
    limits = Limits(flash_bytes=4000, ram_bytes=2300)
    assert limits.violations(footprint_of(earlier.best.architecture))
    _search(noise, tmp_path / "run", executor, warm_start=earlier.folder, limits=limits)
    begun = [job for job in executor.jobs if job.start is not None and job.generation == 0]
    assert len(begun) == 3
    assert all(not limits.violations(footprint_of(job.architecture)) for job in begun)
    assert all(job.start.head for job in begun)


def test_what_they_have_seen_of_the_same_data_counts(noise, tmp_path):
    """A network that has seen these samples before is compared as one that has."""

    def trained(architecture):
        return replace(evaluate(architecture), visits=1000)

    first = _search(noise, tmp_path / "first", Made(trained))
    _search(noise, tmp_path / "run", Made(trained), warm_start=first.folder)
    kept = json.loads((tmp_path / "run" / "warm" / "networks.json").read_text())
    assert all(each["visits"] >= 1000 for each in kept)
    _search(many_samples(seed=1), tmp_path / "other", Made(trained), warm_start=first.folder)
    assert all(not each["visits"] for each in json.loads((tmp_path / "other" / "warm" / "networks.json").read_text()))
    trial = first.trials[0]
    plain, begun = (EqualLength("accuracy", True, begun=seen) for seen in ({}, {trial.architecture.key: 5000}))
    plain.tell(trial)
    begun.tell(trial)
    assert (plain.seen(trial), begun.seen(trial)) == (1000, 6000)


def test_other_folds_of_the_same_data_inherit_no_weights(earlier, noise, tmp_path):
    executor = Made()
    _search(noise, tmp_path / "run", executor, warm_start=earlier.folder, n_folds=3)
    assert executor.jobs[0].architecture == earlier.best.architecture
    assert all(job.start is None for job in executor.jobs if job.generation == 0)


@pytest.mark.parametrize("given", [{"inherit": False}, {"fidelity": "full"}])
def test_where_nothing_is_inherited_only_the_networks_are_taken(earlier, noise, tmp_path, given):
    executor = Made()
    _search(noise, tmp_path / "run", executor, warm_start=earlier.folder, **given)
    assert executor.jobs[0].architecture == earlier.best.architecture
    assert all(job.start is None for job in executor.jobs if job.rung == 0)


@pytest.mark.parametrize("strategy", ["evolution", "surrogate", "random"])
def test_killed_it_goes_on_to_the_same_end_without_the_earlier_run(earlier, noise, tmp_path, small_pool, strategy):
    given = {"strategy": strategy, "seed": 3}
    shutil.copytree(earlier.folder, tmp_path / "earlier")
    whole = _search(noise, tmp_path / "whole", warm_start=tmp_path / "earlier", **given)
    calls = 0

    def dies(architecture):
        nonlocal calls
        calls += 1
        if calls > 2:
            raise KeyboardInterrupt
        return evaluate(architecture)

    with pytest.raises(KeyboardInterrupt):
        _search(noise, tmp_path / "killed", Made(dies), warm_start=tmp_path / "earlier", **given)
    shutil.rmtree(tmp_path / "earlier")
    resume(tmp_path / "killed", noise, executor=lambda *_: Made(), screen=footprint_of, workers=1)
    assert _journal(tmp_path / "killed") == _journal(whole.folder)


def _journal(folder):
    return [(t.number, t.parent, t.architecture.key) for t in read_trials(folder / "journal.sqlite")]


def test_killed_before_they_were_kept_they_are_found_anew(earlier, noise, tmp_path, monkeypatch):
    whole = _search(noise, tmp_path / "whole", warm_start=earlier.folder)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("tinynas.searching.api.keep_networks", killed)
        with pytest.raises(KeyboardInterrupt):
            _search(noise, tmp_path / "killed", warm_start=earlier.folder)
    resume(tmp_path / "killed", noise, executor=lambda *_: Made(), screen=footprint_of, workers=1)
    assert _journal(tmp_path / "killed") == _journal(whole.folder)


def test_a_damaged_list_is_one_sentence(earlier, noise, tmp_path):
    result = _search(noise, tmp_path / "run", warm_start=earlier.folder)
    (result.folder / "summary.json").unlink()
    (result.folder / "warm" / "networks.json").write_text("[1]")
    with pytest.raises(RunError, match=r"networks.json, what the search began with, cannot be read"):
        resume(result.folder, noise, executor=lambda *_: Made(), screen=footprint_of, workers=1)


def test_the_classes_are_left_out_where_they_are_others(tmp_path, earlier):
    from tinynas.architecture import walk
    from tinynas.runs.weights import write_weights
    from tinynas.searching import StartFile

    last = walk(earlier.best.architecture)[-1].name
    write_weights(tmp_path / "0.npz", {"block0_conv": [np.zeros(3)], last: [np.zeros((3, 3)), np.zeros(3)]})
    for head, names in ((True, {"block0_conv", last}), (False, {"block0_conv"})):
        assert set(_weights(StartFile(tmp_path / "0.npz", earlier.best.architecture, head))) == names


def test_a_keras_model_gives_its_weights(tmp_path, earlier, seeded):
    from tinynas.searching import StartFile
    from tinynas.training.build import build
    from tinynas.training.keras import layer_weights

    model = build(earlier.best.architecture)
    model.save(tmp_path / "0.keras")
    found = _weights(StartFile(tmp_path / "0.keras", earlier.best.architecture))
    wanted = layer_weights(model)
    assert found.keys() == wanted.keys()
    for name, arrays in wanted.items():
        for ours, theirs in zip(found[name], arrays, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_nonsense_is_refused_in_one_sentence_and_leaves_no_folder(earlier, noise, tmp_path):
    series = Dataset.from_arrays(np.random.default_rng(0).random((60, 40)), np.arange(60) % 3, layout="series")
    measured = _search(
        noise, tmp_path / "measured", Made(lambda _: Evaluation(State.COMPLETE)), fidelity="none", n_generations=1
    )
    for kind, said, given in (
        (UsageError, "searched on pictures, and these data are a series", {"dataset": series}),
        (RunError, "has no trained trial, so there is nothing", {"warm_start": measured.folder}),
        (UsageError, "can be made small enough for these limits", {"limits": Limits(flash_bytes=900)}),
        (RunError, "'nowhere' is no run", {"warm_start": "nowhere"}),
        (UsageError, "is a trial, where a whole run is wanted", {"warm_start": f"{earlier.folder}:3"}),
        (UsageError, "warm_start must be the name or the path", {"warm_start": 5}),
    ):
        data, given = given.pop("dataset", noise), {"warm_start": earlier.folder, **given}
        with pytest.raises(kind, match=said):
            _search(data, tmp_path / "run", **given)
        assert not (tmp_path / "run").exists()

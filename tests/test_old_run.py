"""Runs of version 0.1.0 are read, keep their keys, and go on as that version went on with them."""

import json
import shutil
import sqlite3
from contextlib import closing

import numpy as np
import pytest

from tests import old_run
from tests.old_run import FOLDER, STRATEGIES
from tinynas.architecture import Architecture, SearchSpace
from tinynas.runs import Best, read_settings, read_trials
from tinynas.runs.weights import read_weights
from tinynas.searching import resume

JOURNALS = ("surrogate", "killed", "trained")


def _expected(name):
    return json.loads((FOLDER / name / "trials.json").read_text())


def _copy(name, tmp_path):
    """A run folder without its summary: one that can go on."""
    shutil.copytree(FOLDER / name, tmp_path / name)
    (tmp_path / name / "summary.json").unlink(missing_ok=True)
    return tmp_path / name


def _cut(folder, n_trials):
    with closing(sqlite3.connect(folder / "journal.sqlite")) as connection:
        connection.execute("DELETE FROM trials WHERE number >= ?", (n_trials,))
        connection.execute("DELETE FROM facts WHERE name = 'finalists'")
        connection.commit()


@pytest.mark.parametrize("name", JOURNALS)
def test_a_journal_gives_the_keys_that_it_had(name, tmp_path) -> None:
    journal = _copy(name, tmp_path) / "journal.sqlite"  # SQLite writes to a file that it only reads
    trials = list(read_trials(journal))
    with closing(sqlite3.connect(journal)) as connection:
        kept = connection.execute("SELECT key, architecture FROM trials ORDER BY number").fetchall()
    assert [trial.architecture.key for trial in trials] == [key for key, _ in kept]
    for trial, (_, genes) in zip(trials, kept, strict=True):
        assert trial.architecture.to_dict() == json.loads(genes)
    wanted = _expected("trained" if name == "killed" else name)[: len(trials)]
    assert [str(trial.architecture) for trial in trials] == [row["text"] for row in wanted]


@pytest.mark.parametrize("name", STRATEGIES)
def test_settings_are_read_and_draw_no_kind_that_they_do_not_name(name) -> None:
    space, written = read_settings(FOLDER / name).space, json.loads((FOLDER / name / "settings.json").read_text())
    assert space.kinds == tuple(written["space"]["kinds"]) == ("conv", "depthwise", "separable")
    rng = np.random.default_rng(1)
    assert {b.kind for _ in range(200) for b in space.random_architecture(rng).blocks} == set(space.kinds)


DRAWS = json.loads((FOLDER / "draws.json").read_text())
every_shape = pytest.mark.parametrize("row", DRAWS, ids=lambda row: "x".join(map(str, row["space"]["input_shape"])))


@every_shape
def test_draws_and_files_are_those_of_the_old_version(row) -> None:
    space = SearchSpace.from_dict(row["space"])
    drawn = [(how, a.key, old_run.file_digest(a)) for how, a in old_run.draws(space.input_shape, space)]
    assert drawn == [(how, key, file) for how, key, file, _ in row["networks"]]


@every_shape
def test_models_are_those_of_the_old_version(row, seeded) -> None:
    space = SearchSpace.from_dict(row["space"])
    for (_, architecture), (*_, model) in zip(old_run.draws(space.input_shape, space), row["networks"], strict=True):
        assert model is None or old_run.model_digest(architecture) == model


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_proposes_what_it_proposed(name, tmp_path) -> None:
    folder = _copy(name, tmp_path)
    resume(folder, old_run.stripes(), evaluate=old_run.evaluate, workers=1)
    assert old_run.rows(folder / "journal.sqlite") == _expected(name)


def test_a_journal_goes_on_as_it_did(tmp_path) -> None:
    folder = _copy("surrogate", tmp_path)
    _cut(folder, 40)
    resume(folder, old_run.stripes(), evaluate=old_run.evaluate, workers=1)
    assert old_run.rows(folder / "journal.sqlite") == _expected("surrogate")
    whole = _copy("surrogate", tmp_path / "whole")
    for ours, theirs in zip(read_trials(folder / "journal.sqlite"), read_trials(whole / "journal.sqlite"), strict=True):
        assert ours.evaluation.footprint == theirs.evaluation.footprint


@pytest.mark.slow
def test_a_killed_run_trains_on(tmp_path) -> None:
    """The children of the generation that was begun follow from the journal alone, later ones from new scores."""
    folder = _copy("killed", tmp_path)
    before = old_run.rows(folder / "journal.sqlite")
    result = resume(folder, old_run.stripes(), workers=1)
    after, wanted = old_run.rows(folder / "journal.sqlite"), _expected("trained")
    assert after[: len(before)] == before == wanted[: len(before)]
    begun = [row for row in wanted if row["generation"] <= 1]
    known = ("number", "generation", "parent", "key", "state", "fidelity", "rung", "visits")
    assert [{k: row[k] for k in known} for row in after[: len(begun)]] == [{k: row[k] for k in known} for row in begun]
    assert result.best is not None


def test_kept_weights_fit_the_model_of_the_genome(seeded) -> None:
    from tinynas.training.build import build

    about = Best(FOLDER / "trained").about
    architecture = Architecture.from_dict(about["architecture"])
    model = build(architecture, read_weights(FOLDER / "trained" / "best_weights.npz"))
    outputs = model(old_run.stripes().x_test, training=False).numpy()
    np.testing.assert_allclose(outputs, np.load(FOLDER / "trained" / "best_outputs.npy"), atol=1e-5)

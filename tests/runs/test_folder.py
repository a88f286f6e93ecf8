import json
import os
from unittest.mock import Mock

import numpy as np
import pytest

from tinynas.architecture import SearchSpace
from tinynas.errors import RunError
from tinynas.hardware import Target
from tinynas.runs import Best, DataSource, Journal, Run, Settings, folder, latest_run, read_settings
from tinynas.runs.folder import SINCE

ABOUT = {"stage": "proxy", "class_names": [], "layout": "image", "normalization": {}, "footprint": {}}
SAMPLES = np.arange(12, dtype=np.int8).reshape(3, 2, 2, 1)


@pytest.fixture
def settings():
    target = Target.load("nucleo_f401")
    source = DataSource(kind="digits", digest="d", summary="digits")
    space = SearchSpace.for_input((8, 8, 1), 10)
    return Settings(version="0", target=target, data=source, space=space, limits=target.limits)


@pytest.fixture
def create(tmp_path, settings):
    """Make runs below the test's folder; they are closed at its end."""
    made = []

    def make(name="run"):
        made.append(Run.create(tmp_path / name, settings))
        return made[-1]

    yield make
    for run in made:
        run.close()


def _save(run, tflite=b"model"):
    run.save_best(ABOUT, b"keras", tflite, SAMPLES)


def test_settings_come_back_as_they_were(tmp_path, settings):
    Run.create(tmp_path / "run", settings).close()
    assert read_settings(tmp_path / "run") == settings


def test_a_search_that_was_killed_when_it_had_its_settings_is_a_new_one(tmp_path, create):
    """Its journal says how it is led; without that it would go on as one that an earlier version began."""
    create("cut").close()
    (tmp_path / "cut" / "journal.sqlite").rename(tmp_path / "cut" / ".journal.sqlite")
    run = Run.open(tmp_path / "cut")
    assert {fact: run.journal.fact(fact) for fact in SINCE} == SINCE
    run.close()
    assert not (tmp_path / "cut" / ".journal.sqlite").exists()


def test_a_search_that_was_killed_before_its_settings_may_begin_anew(tmp_path, create):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".journal.sqlite").write_bytes(b"half")
    run = create()
    assert {fact: run.journal.fact(fact) for fact in SINCE} == SINCE


def test_what_an_earlier_version_began_is_given_no_facts(tmp_path, create):
    run = create()
    for path in run.folder.glob("journal.sqlite*"):
        path.unlink()
    run.close()
    journal = Journal(run.folder / "journal.sqlite")
    journal.set_fact("seconds", 1.0)
    journal.close()
    again = Run.open(run.folder)
    assert {again.journal.fact(fact) for fact in SINCE} == {None}
    again.close()


def test_best_is_replaced_whole(create):
    run = create()
    with pytest.raises(RunError, match="no best model yet"):
        Best(run.folder)
    for tflite in (b"first", b"second"):
        _save(run, tflite)
        best = Best(run.folder)
        assert best.tflite == tflite
        assert best.about["stage"] == "proxy"
        np.testing.assert_array_equal(best.samples, SAMPLES)
    assert sorted(path.name for path in run.folder.iterdir() if not path.name.startswith(".")) == [
        "best",
        "journal.sqlite",
        *(["journal.sqlite-shm", "journal.sqlite-wal"]),
        "settings.json",
    ]


def test_a_kill_between_the_two_renames_leaves_the_old_model(create):
    run = create()
    _save(run, b"old")
    (run.folder / "best").rename(run.folder / "best.old")
    assert Best(run.folder).tflite == b"old"
    _save(run, b"new")
    assert Best(run.folder).tflite == b"new"


def test_latest_is_the_newest_run_that_has_a_model(tmp_path, create):
    with pytest.raises(RunError, match="no run in"):
        latest_run(tmp_path)
    first, second = create("first"), create("second")
    _save(first)
    assert latest_run(tmp_path) == first.folder
    _save(second)
    assert latest_run(tmp_path) == second.folder


def test_a_run_can_be_opened_by_the_link_and_the_link_stays(tmp_path, create):
    run = create()
    _save(run)
    run.close()
    again = Run.open(tmp_path / "latest")
    _save(again)
    assert again.folder == tmp_path / "run"
    again.close()
    assert os.readlink(tmp_path / "latest") == "run"


def test_a_file_of_one_s_own_called_latest_stays(tmp_path, create):
    (tmp_path / "latest").write_text("mine")
    _save(create())
    assert (tmp_path / "latest").read_text() == "mine"


def test_two_processes_cannot_have_one_run(tmp_path, create):
    run = create()
    with pytest.raises(RunError, match="in use by another"):
        Run.open(tmp_path / "run")
    run.close()
    Run.open(tmp_path / "run").close()


def test_what_is_in_the_way_is_said(tmp_path, settings):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be written"):
        Run.create(tmp_path / "file", settings)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("")
    with pytest.raises(RunError, match="is not empty"):
        Run.create(tmp_path / "full", settings)
    with pytest.raises(RunError, match="is not a run folder"):
        Run.open(tmp_path / "nowhere")


def test_a_folder_that_a_kill_left_before_its_settings_can_be_used(tmp_path, settings):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".lock").write_text("")
    Run.create(tmp_path / "run", settings).close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s.update(colour="red"), "colour"),
        (lambda s: s.update(n_children="many"), "n_children"),
        (lambda s: s.pop("target"), "target"),
    ],
)
def test_damaged_settings_are_one_sentence(tmp_path, settings, change, said):
    Run.create(tmp_path / "run", settings).close()
    path = tmp_path / "run" / "settings.json"
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))
    with pytest.raises(RunError, match=said):
        read_settings(tmp_path / "run")


def test_discard_frees_the_name(tmp_path, settings):
    Run.create(tmp_path / "run", settings).discard()
    assert not (tmp_path / "run").exists()


def test_a_run_that_could_not_be_made_lets_go_of_its_lock(tmp_path, settings, monkeypatch):
    kept = []
    lock = folder._lock
    monkeypatch.setattr(folder, "_lock", lambda path: kept.append(lock(path)) or kept[-1])
    with monkeypatch.context() as patch:
        patch.setattr(folder, "_prepare_journal", Mock(side_effect=OSError(28, "No space left on device")))
        with pytest.raises(RunError, match=r"No space left on device.*choose another --out"):
            Run.create(tmp_path / "run", settings)
    assert [each.closed for each in kept] == [True]
    Run.create(tmp_path / "run", settings).close()

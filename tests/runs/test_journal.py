import sqlite3

import pytest

from tests.searching.conftest import evaluate, footprint_of
from tinynas.architecture import SearchSpace
from tinynas.errors import RunError
from tinynas.runs import Evaluation, Journal, State, Trial, ranking, read_trials

ARCHITECTURE = SearchSpace.for_input((8, 8, 1), 3).handmade()[0]


def _trial(number, evaluation):
    return Trial(number, 0, None, ARCHITECTURE, evaluation)


TRIALS = (
    _trial(0, evaluate(ARCHITECTURE)),
    _trial(1, Evaluation(State.INFEASIBLE, footprint_of(ARCHITECTURE), ("arena 5 B, limit 4 B",))),
    _trial(2, Evaluation(State.FAILED, error='it said "no"\nand meant it', seconds=1.25)),
)


def test_what_is_written_is_read_back(tmp_path):
    journal = Journal(tmp_path / "j")
    for trial in reversed(TRIALS):
        journal.append(trial)
    journal.set_fact("seconds", 1.5)
    journal.set_fact("seconds", 2.5)
    journal.close()
    assert tuple(read_trials(tmp_path / "j")) == TRIALS
    again = Journal(tmp_path / "j")
    assert again.fact("seconds") == 2.5
    assert again.fact("nothing", "default") == "default"


def test_every_trial_is_on_disk_at_once(tmp_path):
    journal = Journal(tmp_path / "j")
    for count, trial in enumerate(TRIALS, 1):
        journal.append(trial)
        with sqlite3.connect(tmp_path / "j") as other:
            assert other.execute("SELECT count(*) FROM trials").fetchone() == (count,)
        other.close()
    journal.close()


def test_a_number_is_used_once(tmp_path):
    journal = Journal(tmp_path / "j")
    journal.append(TRIALS[0])
    with pytest.raises(RunError, match=r"could not be used.*UNIQUE"):
        journal.append(TRIALS[0])
    journal.close()


def test_another_file_is_no_journal(tmp_path):
    (tmp_path / "j").write_bytes(b"not a database, but long enough to look like a file" * 10)
    with pytest.raises(RunError, match="is this a run folder"):
        Journal(tmp_path / "j")


def test_ranking_prefers_score_then_arena_then_age():
    key = ranking("accuracy")
    first = _trial(5, Evaluation(State.COMPLETE, footprint_of(ARCHITECTURE), folds=evaluate(ARCHITECTURE).folds))
    older = _trial(4, first.evaluation)
    assert sorted([first, older], key=key) == [older, first]


def test_a_trial_is_one_line():
    for trial in TRIALS:
        assert str(trial).startswith(f"#{trial.number} ")
        assert "\n" not in str(trial)
    assert "arena 5 B, limit 4 B" in str(TRIALS[1])


def test_errors_of_the_data_base_that_hold_other_bytes_are_one_sentence(tmp_path):
    """It puts a piece of the file into what it says, whatever that is."""
    Journal(tmp_path / "j").close()
    data = (tmp_path / "j").read_bytes()
    for found, damaged in ((b"trialstrials", b"tri\xfblstrials"), (b"CREATE TABLE trials", b"CREATF TABLE trials")):
        assert found in data
        data = data.replace(found, damaged)
    (tmp_path / "j").write_bytes(data)
    with pytest.raises(RunError, match=r"cannot be opened as a journal .*codec"):
        Journal(tmp_path / "j")

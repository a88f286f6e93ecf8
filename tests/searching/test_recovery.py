"""What a resumed search does before it goes on: it tells of losses, tries failed trials again, and mends its end."""

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from tests.searching.conftest import evaluate, footprint_of
from tinynas.data import FoldScores, Scores
from tinynas.errors import RunError, UsageError
from tinynas.runs import Evaluation, State, Trial, read_trials
from tinynas.searching import Calls, Final, Note, Outcome, resume, search
from tinynas.searching.streak import Streak

SCORES = FoldScores(Scores(0.9, 0.9, 0.9, 0.9), Scores(0.9, 0.9, 0.9, 0.9))


class Models(Calls):
    """Made-up scores with made-up models, and a final one."""

    finals = 0

    def evaluate(self, jobs, deadline):
        for job, outcome in super().evaluate(jobs, deadline):
            if outcome.evaluation.state is State.COMPLETE:
                outcome = Outcome(outcome.evaluation, b"keras", b"tflite", np.zeros((2, 8, 8, 1), np.int8))
            yield job, outcome

    def final(self, job, report):
        Models.finals += 1
        samples = np.zeros((2, 8, 8, 1), np.int8)
        return Final(SCORES, b"keras", b"the final one", samples, 3, footprint_of(job.architecture), 0)


def models(dataset, settings):
    return Models(evaluate)


@pytest.fixture
def usual(space, limits):
    return {"space": space, "limits": limits, "screen": footprint_of, "strategy": "evolution", "seed": 1}


@pytest.fixture
def run(stripes, target, usual, tmp_path):
    """A search that stopped, or ended: keywords replace the usual ones."""

    def start(**given):
        small = {"n_generations": 3, "n_children": 4, "n_finalists": 2}
        return search(stripes, target, out=tmp_path / "run", **{**usual, **small, **given})

    return start


def _rows(folder):
    return [(t.number, t.architecture.key, t.evaluation.state) for t in read_trials(folder / "journal.sqlite")]


def _notes(events):
    return " ".join(event.text for event in events if isinstance(event, Note))


def test_failed_trials_of_the_end_are_tried_again_and_all_is_as_if_they_never_failed(run, stripes, tmp_path):
    whole = run(evaluate=evaluate)
    rows = _rows(whole.folder)
    shutil.move(whole.folder, tmp_path / "whole")
    calls = 0

    def breaks(architecture):
        nonlocal calls
        calls += 1
        if calls > 7:
            raise MemoryError("no more")
        return evaluate(architecture)

    with pytest.raises(RunError, match="5 trials in a row failed in the same way, the last with: MemoryError"):
        run(evaluate=breaks)
    failed = [row for row in _rows(tmp_path / "run") if row[2] is State.FAILED]
    assert len(failed) == 5
    events = []
    resume(tmp_path / "run", stripes, evaluate=evaluate, screen=footprint_of, watch=events.append)
    assert "that nothing is built on will be tried again" in _notes(events)
    newest = max(t.generation for t in read_trials(tmp_path / "run" / "journal.sqlite"))
    assert newest == 3  # the finalists: it went on to its end
    assert len(_rows(tmp_path / "run")) == len(rows)
    assert [row[2] for row in _rows(tmp_path / "run")].count(State.FAILED) <= 3  # those that a generation was built on


def test_without_finalists_the_best_of_the_search_phase_wins(run):
    seen = {}

    def finalists_fail(architecture):
        seen[architecture.key] = seen.get(architecture.key, 0) + 1
        if seen[architecture.key] > 1:
            raise MemoryError("no more")
        return evaluate(architecture)

    events = []
    result = run(evaluate=finalists_fail, n_rungs=1, watch=events.append)
    assert "No finalist could be trained (MemoryError: no more): the best of the search phase wins." in _notes(events)
    assert result.best.evaluation.fidelity == "proxy"


def test_a_best_model_that_is_gone_or_damaged_is_made_again(run, stripes):
    result = run(executor=models)
    whole = {path.name: path.read_bytes() for path in (result.folder / "best").iterdir()}
    rows, finals = _rows(result.folder), Models.finals

    def damaged(how):
        how()
        events = []
        again = resume(result.folder, stripes, executor=models, screen=footprint_of, watch=events.append)
        assert "The final training runs again" in _notes(events)
        assert {path.name: path.read_bytes() for path in (result.folder / "best").iterdir()} == whole
        assert {**again.summary, "seconds": 0} == {**result.summary, "seconds": 0}

    damaged(lambda: shutil.rmtree(result.folder / "best"))
    damaged(lambda: (result.folder / "best" / "model.tflite").write_bytes(b"other"))
    damaged(lambda: (result.folder / "best" / "architecture.json").write_text("{"))
    assert Models.finals == finals + 3
    assert _rows(result.folder) == rows
    shutil.rmtree(result.folder / "best")
    with pytest.raises(UsageError, match="screen"):  # what the search began with is needed, as for any resume
        resume(result.folder, stripes)


def test_what_is_whole_is_not_trained_again(run, stripes):
    result = run(executor=models)
    finals = Models.finals
    assert resume(result.folder).summary == result.summary
    assert Models.finals == finals


def test_trials_that_the_log_knows_and_the_journal_does_not_are_told_and_trained_again(run, stripes, tmp_path):
    whole = run(evaluate=evaluate)
    rows = _rows(whole.folder)
    (whole.folder / "summary.json").unlink()
    with closing(sqlite3.connect(whole.folder / "journal.sqlite")) as connection:  # as without the file -wal
        connection.execute("DELETE FROM trials WHERE number >= ?", (len(rows) - 3,))
        connection.commit()
    events = []
    resume(whole.folder, stripes, evaluate=evaluate, screen=footprint_of, watch=events.append)
    last = [f"#{number}" for number, *_ in rows[-3:]]
    assert f"search.log tells of 3 trials ({', '.join(last)}) that the journal does not have" in _notes(events)
    assert "journal.sqlite-wal" in _notes(events)
    assert _rows(whole.folder) == rows


def test_another_version_is_said(run, stripes):
    result = run(evaluate=evaluate)
    (result.folder / "summary.json").unlink()
    path = result.folder / "settings.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": "0.0.7"}))
    events = []
    resume(result.folder, stripes, evaluate=evaluate, screen=footprint_of, watch=events.append)
    assert "The search began with tinynas 0.0.7, and this is" in _notes(events)


def test_the_file_of_the_journal_alone_is_whole_after_each_generation(run, tmp_path):
    copies = []

    def copied(event):
        if type(event).__name__ == "GenerationStarted" and event.generation:
            copies.append(tmp_path / f"{event.generation}.sqlite")
            shutil.copy(tmp_path / "run" / "journal.sqlite", copies[-1])

    run(evaluate=evaluate, watch=copied)
    for at, path in enumerate(copies, 1):
        assert {trial.generation for trial in read_trials(path)} >= set(range(at))


def test_nothing_is_left_of_what_a_kill_interrupted(run, stripes):
    result = run(evaluate=evaluate)
    (result.folder / "summary.json").unlink()
    (result.folder / ".scratch" / "data").mkdir(parents=True)
    (result.folder / ".scratch" / "data" / "x.npy").write_bytes(bytes(100))
    (result.folder / ".summary.json.1234").touch()
    (result.folder / ".mine.1234").touch()
    resume(result.folder, stripes, evaluate=evaluate, screen=footprint_of)
    assert sorted(path.name for path in result.folder.glob(".*")) == [".lock", ".mine.1234"]


class TestStreak:
    """Failures in a row."""

    @staticmethod
    def _failed(error, cause=""):
        return Trial(0, 0, None, None, Evaluation(State.FAILED, error=error, cause=cause))

    def test_five_of_one_kind_end_it_and_ten_of_any(self):
        streak = Streak()
        for number in range(4):
            streak.tell(self._failed(f"ValueError: {number}"))
        streak.tell(replace(self._failed(""), evaluation=evaluate_one()))
        for number in range(4):
            streak.tell(self._failed(f"ValueError: {number}"))
        with pytest.raises(RunError, match=r"^5 trials .* in the same way, the last with: ValueError: 9\. sea"):
            streak.tell(self._failed("ValueError: 9"))
        streak = Streak()
        for number in range(9):
            streak.tell(self._failed("ValueError: 1" if number % 2 else "TypeError: 1"))
        with pytest.raises(RunError, match=r"^10 trials in a row failed, the last with: KeyError"):
            streak.tell(self._failed("KeyError: 1"))

    @pytest.mark.parametrize(("cause", "said"), [("died", "is there memory enough"), ("silent", "--trial-timeout")])
    def test_the_kind_says_what_to_do(self, cause, said):
        streak = Streak()
        for _ in range(4):
            streak.tell(self._failed("x", cause))
        with pytest.raises(RunError, match=said):
            streak.tell(self._failed("x", cause))


def evaluate_one():
    return Evaluation(State.COMPLETE)

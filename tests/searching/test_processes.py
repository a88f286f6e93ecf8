"""Trouble of worker processes: what is tried again, what is recorded of a child, and what ends the search."""

import shutil

import pytest

from tests.searching.conftest import footprint_of
from tests.searching.pretend import DIES, FULL, HANGS, NO_MEMORY, POISONS, REFUSED, Pretend
from tinynas.architecture import Architecture, Block, Head, SearchSpace
from tinynas.errors import ConversionError, RunError
from tinynas.hardware import Target
from tinynas.runs import DataSource, Settings, State
from tinynas.searching.jobs import FinalJob, Job
from tinynas.searching.processes import Processes
from tinynas.searching.trouble import DIED, ERROR, SILENT, Trouble, trouble_of
from tinynas.searching.trouble import FULL as DISK_FULL
from tinynas.searching.waits import Waits
from tinynas.training.schedule import Schedule

NET = Architecture((8, 8, 1), (Block("conv", 4, 3),), Head(), 3)


class OneHangs(Waits):
    """Has little patience with the job that hangs, and all of it with others: processes may take long to start."""

    def seconds(self, job):
        return 1.5 if job.number == HANGS else 600.0


@pytest.fixture
def said():
    return []


@pytest.fixture
def tries(tmp_path, monkeypatch):
    monkeypatch.setenv("PRETEND_TRIES", str(tmp_path))
    return lambda number: (tmp_path / str(number)).read_text().split()


@pytest.fixture
def executor(stripes, said, tries, tmp_path):
    target = Target.load("nucleo_f401")
    settings = Settings(
        version="0",
        target=target,
        data=DataSource(kind="arrays").of(stripes),
        space=SearchSpace.for_input((8, 8, 1), 3),
        limits=target.limits,
    )
    made = Processes(
        stripes,
        settings,
        2,
        scratch=tmp_path / ".scratch",
        waits=OneHangs(),
        say=said.append,
        make_worker=Pretend,
    )
    yield made
    made.close()
    assert not (tmp_path / ".scratch").exists()


def _job(number):
    return Job(number, 0, None, NET, "proxy", number, footprint_of(NET), Schedule(1, 10, 2))


def _evaluate(executor, *numbers):
    return {job.number: outcome.evaluation for job, outcome in executor.evaluate([_job(n) for n in numbers], None)}


def test_a_process_that_is_broken_is_replaced_and_no_child_pays_for_it(executor, tries, said):
    """As TensorFlow after one failed allocation: every later call in that process fails too."""
    found = _evaluate(executor, POISONS, 10, 11, REFUSED, 12)
    assert {number for number, each in found.items() if each.state is State.COMPLETE} == {POISONS, 10, 11, 12}
    assert (found[REFUSED].state, found[REFUSED].cause) == (State.FAILED, "")
    assert found[REFUSED].error == "This one does not convert."
    assert len(tries(REFUSED)) == 1  # a verdict: nothing is tried again
    first, second = tries(POISONS)
    assert first != second
    assert any("tried again, alone, in a fresh process" in text for text in said)


def test_who_dies_or_fails_three_times_is_told_apart_from_a_bad_child(executor, tries, said):
    found = _evaluate(executor, NO_MEMORY, DIES, 10)
    assert found[10].state is State.COMPLETE
    assert (found[NO_MEMORY].cause, found[DIES].cause) == (ERROR, DIED)
    assert found[NO_MEMORY].error == "MemoryError: no more (3 times, the last 2 times with nothing beside it)"
    assert "died 3 times on this child, the last 2 times with nothing beside it" in found[DIES].error
    assert "no verdict on the child" in found[DIES].error
    assert len(set(tries(DIES))) == 3 <= len(set(tries(NO_MEMORY))) <= 4  # once more where the death took it along


def test_one_that_hangs_is_ended_and_tried_once_more(executor, tries, said):
    found = _evaluate(executor, HANGS, 10, 11)
    assert found[10].state is found[11].state is State.COMPLETE
    assert (found[HANGS].state, found[HANGS].cause) == (State.FAILED, SILENT)
    assert "no answer twice" in found[HANGS].error
    assert any(text.startswith(f"Trial {HANGS}: no answer for") for text in said)


def test_a_full_disk_ends_it_with_what_to_do(executor):
    with pytest.raises(RunError, match=r"disk is full.*/somewhere/file.*make room there, and go on with --resume"):
        _evaluate(executor, FULL)


def test_the_final_training_is_tried_again_too(executor, said):
    told = []
    assert executor.final(FinalJob(NET, 0, 1, None), told.append).tflite == b"t"
    assert set(told) <= {"an epoch"}  # what is told at the very end may come too late
    assert said == ["The final training is tried again in a fresh process: RuntimeError: out of luck"]
    with pytest.raises(RunError, match=r"failed twice \(MemoryError: no more\); is there memory enough"):
        executor.final(FinalJob(NET, 0, NO_MEMORY, None), told.append)


def test_a_folder_that_cannot_be_made_is_one_sentence(stripes, executor, tmp_path):
    (tmp_path / ".scratch").write_text("a file")
    try:
        with pytest.raises(RunError, match=r"\.scratch for the worker processes .*make room"):
            _evaluate(executor, 10)
    finally:
        shutil.rmtree(tmp_path / ".scratch", ignore_errors=True)
        (tmp_path / ".scratch").unlink(missing_ok=True)


def _raised(error, cause=None):
    try:
        raise error from cause
    except type(error) as raised:
        return trouble_of(raised)


def test_what_is_a_verdict_and_what_is_trouble():
    assert _raised(ConversionError("no")) is None
    assert _raised(ConversionError("no"), ValueError("the converter's word")) is None
    assert _raised(ConversionError("no"), MemoryError()) == Trouble(ERROR, "no")
    assert _raised(ValueError("a\nb")) == Trouble(ERROR, "ValueError: a b")
    assert _raised(ConversionError("no"), OSError(28, "No space left")).kind == DISK_FULL


class TestWaits:
    """Bounds of time, from what was learned."""

    def test_what_is_told_overrules(self):
        assert Waits(7.0, 60.0).seconds(_job(0)) == 7.0

    def test_cheap_trials_get_ten_minutes_dear_ones_ten_times_theirs(self):
        from dataclasses import replace

        from tests.searching.conftest import evaluate

        waits, job = Waits(), _job(0)
        assert waits.seconds(job) == 600 + 0.1 * 20
        cheap = replace(evaluate(NET), footprint=footprint_of(NET), seconds=2.0, visits=20)
        waits.learn([cheap])
        assert waits.seconds(job) == 600
        waits.learn([replace(cheap, seconds=200.0)])
        assert waits.seconds(job) == pytest.approx(10 * 200)
        dearer = replace(job, screened=replace(job.screened, macs=3 * job.screened.macs))
        assert waits.seconds(dearer) == pytest.approx(3 * 10 * 200)
        longer = replace(job, schedule=Schedule(2, 10, 2))
        assert waits.seconds(longer) == pytest.approx(2 * 10 * 200)
        smaller = replace(job, screened=replace(job.screened, macs=1))
        assert waits.seconds(smaller) == waits.seconds(job)

    def test_a_budget_bounds_them(self):
        assert Waits(time_budget_s=60).seconds(_job(0)) == 300
        assert Waits(time_budget_s=3000).seconds(_job(0)) == 600

    @pytest.mark.parametrize(
        ("given", "late"), [((None, 3000.0), 500.0), ((120.0, 3000.0), 40.0), ((None, None), 2500 / 3)]
    )
    def test_what_is_expected_to_take_long_is_not_late_before_that(self, given, late):
        """A finalist of 250 s, where a budget of 50 minutes allows 10, is not told of after a third of these."""
        from dataclasses import replace

        from tests.searching.conftest import evaluate

        waits, job = Waits(*given), _job(0)
        waits.learn([replace(evaluate(NET), footprint=footprint_of(NET), seconds=250.0, visits=20)])
        assert waits.late(job) == pytest.approx(late)
        assert waits.late(job) < waits.seconds(job)

    def test_nothing_is_told_later_than_it_is_ended(self):
        from dataclasses import replace

        from tests.searching.conftest import evaluate

        waits = Waits(time_budget_s=3000.0)
        waits.learn([replace(evaluate(NET), footprint=footprint_of(NET), seconds=400.0, visits=20)])
        assert waits.late(_job(0)) == waits.seconds(_job(0)) == 600

    def test_the_final_training_may_be_silent_for_as_long_as_it_ran(self):
        waits = Waits()
        assert waits.silence(1000, 0.0, 5.0) == 900 + 100
        assert waits.silence(1000, 200.0, 1500.0) == 2000 + 100
        assert waits.silence(0, 20.0, 5000.0) == 5000

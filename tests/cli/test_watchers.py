"""The report as a search goes: when it is written, and that it never ends a search; logs for TensorBoard."""

from dataclasses import replace

import pytest

from tests.report.conftest import BOARD, Story, fold_scores, make_run
from tests.searching.conftest import evaluate, footprint_of
from tinynas.architecture import SearchSpace
from tinynas.cli.tensorboard import TensorBoard, scalars_of
from tinynas.cli.watchers import ReportWriter, together
from tinynas.runs import Evaluation, State, Trial
from tinynas.searching import FinalProgress, GenerationStarted, Note, Started, TrialDone, search

NET = SearchSpace.for_input((8, 8, 1), 3).handmade()[0]
DONE = Evaluation(State.COMPLETE, footprint_of(NET), (), (fold_scores(0.8),), "proxy", 4.0)
NEXT = GenerationStarted(1, "search", 2, 0, 0.5)


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "run", Story(trained=2, infeasible=0, failed=0, ended=False, real=False))


def _page(run):
    return (run / "report.html").read_text() if (run / "report.html").exists() else None


def test_it_is_written_when_a_generation_starts_and_at_the_end(run):
    writer = ReportWriter(pytest.fail)
    writer(Started(run, "data", "board", 0))
    writer(TrialDone(Trial(0, 0, None, NET, DONE), True, 0.1))
    assert _page(run) is None
    writer(NEXT)
    assert _page(run) is not None
    (run / "report.html").unlink()
    writer(Note("so soon: writing must not take the search's time"))
    assert _page(run) is None
    writer.close()
    assert _page(run) is not None


def test_a_real_search_leaves_its_page(tmp_path, space, stripes):
    limits = BOARD.limits
    writer, seen = ReportWriter(pytest.fail), []
    result = search(
        stripes, BOARD, out=tmp_path / "run", space=space, limits=limits, evaluate=evaluate, screen=footprint_of,
        n_generations=2, n_children=3, watch=together(writer, seen.append),
    )  # fmt: skip
    writer.close()
    assert any(isinstance(event, GenerationStarted) for event in seen)
    assert str(result.best.architecture) in _page(tmp_path / "run").replace("&gt;", ">")


@pytest.fixture
def space():
    return SearchSpace.for_input((8, 8, 1), 3)


def test_trouble_is_said_once_and_ends_nothing(run):
    said = []
    writer = ReportWriter(said.append)
    (run / "journal.sqlite").write_text("not a database, but long enough to be taken for one" * 9)
    writer(Started(run, "data", "board", 0))
    writer(NEXT)
    writer.close()
    assert len(said) == 1
    assert said[0].startswith("The report could not be written: RunError: ")


def test_a_search_that_left_no_folder_gets_no_page(tmp_path):
    writer = ReportWriter(pytest.fail)
    writer.close()
    writer(Started(tmp_path / "gone", "data", "board", 0))
    writer.close()
    assert list(tmp_path.iterdir()) == []


def _logged(folder):
    """Every scalar in TensorBoard's files below `folder`: {(tag, step): value}, read by tensorboardX's own protocol."""
    import struct

    from tensorboardX.proto.event_pb2 import Event

    found = {}
    for path in sorted(folder.rglob("events.out.tfevents.*")):
        data, at = path.read_bytes(), 0
        while at < len(data):
            (length,) = struct.unpack_from("<Q", data, at)
            event = Event.FromString(data[at + 12 : at + 12 + length])
            at += 12 + length + 4
            for value in event.summary.value:
                if value.HasField("simple_value"):
                    found[value.tag, event.step] = value.simple_value
    return found


def test_logs_hold_the_trials_figures_and_the_loss(run):
    board = TensorBoard(pytest.fail)
    board(Started(run, "data", "board", 0))
    board(TrialDone(Trial(3, 0, None, NET, DONE), True, 0.5))
    board(TrialDone(Trial(4, 0, 3, NET, Evaluation(State.FAILED, error="no", seconds=1.0)), False, 0.6))
    for epoch in (1, 2):
        board(FinalProgress(epoch, 2, 1.0 / epoch, 3.0))
    board(Note("Search ends."))
    board.close()
    logged = _logged(run / "tensorboard")
    for name, value in scalars_of(DONE).items():
        assert logged[f"trials/{name}", 3] == pytest.approx(value, rel=1e-6)
    assert logged["trials/accuracy_int8", 3] == pytest.approx(0.8)
    assert logged["trials/arena_bytes", 3] == DONE.footprint.arena_bytes
    assert ("trials/accuracy_int8", 4) not in logged
    assert logged["trials/seconds", 4] == 1.0
    assert logged["best/accuracy_int8", 3] == pytest.approx(0.8)
    assert [logged["final/loss", epoch] for epoch in (1, 2)] == [1.0, 0.5]


def test_logs_that_cannot_be_written_end_nothing(run):
    said = []
    board = TensorBoard(said.append)
    (run / "tensorboard").write_text("a file where the folder would be")
    board(Started(run, "data", "board", 0))
    for _ in range(3):
        board(TrialDone(Trial(3, 0, None, NET, DONE), True, 0.5))
    board.close()
    assert len(said) == 1
    assert "No more logs" in said[0]


def test_figures_that_are_not_known_are_not_logged():
    bare = replace(DONE, footprint=replace(DONE.footprint, latency_ms=None))
    assert "latency_ms" not in scalars_of(bare)
    assert scalars_of(Evaluation(State.FAILED)) == {"seconds": 0.0}


def test_search_with_tensorboard_loads_no_tensorflow_for_it():
    import subprocess
    import sys

    code = (
        "import sys, tinynas.cli.watchers, tinynas.cli.tensorboard, tensorboardX;"
        "print([m for m in ('tensorflow', 'tensorboard', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""What a person sees of a search, on a terminal and elsewhere."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from tests.searching.conftest import evaluate, footprint_of
from tinynas.architecture import SearchSpace
from tinynas.cli.live import LiveView
from tinynas.runs import Evaluation, State, Trial
from tinynas.searching import FinalProgress, FoldDone, GenerationStarted, Note, Started, TrialDone

NET = SearchSpace.for_input((8, 8, 1), 3).handmade()[0]
GOOD = Trial(3, 0, None, NET, Evaluation(State.COMPLETE, footprint_of(NET), folds=evaluate(NET).folds, seconds=4.0))
BAD = Trial(4, 0, 3, NET, Evaluation(State.FAILED, error="it said\nno"))
STORY = (
    Started(Path("runs/x"), "digits", "nucleo_f401", 2),
    GenerationStarted(0, "search", 2, 5, 0.0),
    TrialDone(GOOD, True, 0.5),
    TrialDone(BAD, False, 1.0),
    Note("Search ends: [brackets] are text."),
    GenerationStarted(1, "finalists", 1, 0, 1.0),
    FoldDone(5, 1, 5),
    *(FinalProgress(epoch, 25, 0.5, epoch) for epoch in range(1, 26)),
)


def _shown(terminal: bool) -> str:
    stream = io.StringIO()
    with LiveView(Console(file=stream, force_terminal=terminal, width=120, color_system=None)) as view:
        for event in STORY:
            view(event)
        if terminal:
            view._live.refresh()
    assert view.folder == Path("runs/x")
    return stream.getvalue()


@pytest.mark.parametrize("terminal", [False, True])
def test_what_stays_is_on_the_screen(terminal):
    text = _shown(terminal)
    assert "Target nucleo_f401. Run folder: runs/x" in text
    assert "Going on after 2 trials." in text
    assert "Search ends: [brackets] are text." in text


def test_elsewhere_a_line_an_event():
    lines = _shown(terminal=False).splitlines()
    assert "Generation 0: 2 to train, 5 did not fit" in lines
    assert any(line.startswith("* #3 int8") for line in lines)
    assert any(line.startswith("  #4 failed: it said no") for line in lines)
    assert sum("epoch" in line for line in lines) == 3  # the tenth, the twentieth and the last


def test_on_a_terminal_a_table_the_best_and_how_far_it_is():
    text = _shown(terminal=True)
    assert "Finalists: 1 to train" in text
    assert "Best so far: #3" in text
    assert "final training, epoch 25/25" in text


def test_each_of_several_final_trainings_says_which_it_is():
    """The second counts its epochs from 1: without its name the lines look like a crash and a restart."""
    for terminal in (False, True):
        stream = io.StringIO()
        with LiveView(Console(file=stream, force_terminal=terminal, width=120, color_system=None)) as view:
            for event in (*STORY, FinalProgress(1, 1, 0.5, 2.0, "anew, to compare")):
                view(event)
            if terminal:
                view._live.refresh()
            (task,) = view._progress.tasks
        said = "final training (anew, to compare), epoch 1/1" if terminal else "  anew, to compare: epoch 1/1, loss"
        assert said in stream.getvalue()
        assert task.description == "final training (anew, to compare), epoch 1/1"


def test_the_clock_runs_on_through_all_stages():
    """A bar that is full, or another bar, stops the clock of rich: neither may happen before the end."""
    now = 100.0
    console = Console(file=io.StringIO(), force_terminal=True, width=120, color_system=None)
    with LiveView(console) as view:
        view._progress.get_time = lambda: now
        for event in STORY:
            view(event)
            now += 10
            (task,) = view._progress.tasks
            assert not task.finished
            assert task.elapsed == now - 100
        assert task.percentage == pytest.approx(100, abs=0.2)

"""What search() shows in Python, and how far a search is."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.searching.conftest import evaluate, footprint_of
from tinynas import search
from tinynas.architecture import SearchSpace
from tinynas.errors import UsageError
from tinynas.runs import Evaluation, State, Trial
from tinynas.searching import FinalProgress, FoldDone, GenerationStarted, Note, Started, TrialDone
from tinynas.searching.progress import NotebookBar, Standing, lines_of, shown

NET = SearchSpace.for_input((8, 8, 1), 3).handmade()[0]


def _done(number, best=False, state=State.COMPLETE):
    evaluation = Evaluation(state, footprint_of(NET), folds=evaluate(NET).folds if state is State.COMPLETE else ())
    return TrialDone(Trial(number, 0, None, NET, evaluation), best, 0.5)


def test_the_standing_goes_through_all_stages():
    standing, seen = Standing(), []
    for event in (
        Started(Path("runs/x"), "digits", "nucleo_f401", 0),
        GenerationStarted(0, "search", 2, 5, 0.25),
        _done(0, best=True),
        _done(1, state=State.FAILED),
        GenerationStarted(1, "finalists", 2, 0, 1.0),
        FoldDone(2, 1, 5),
        FoldDone(3, 3, 5),
        _done(2),
        _done(3),
        FinalProgress(1, 4, 0.5, 1.0),
        FinalProgress(4, 4, 0.25, 4.0),
        FinalProgress(1, 2, 0.5, 1.0, "anew, to compare"),
    ):
        standing.take(event)
        seen.append((standing.text, standing.share))
    assert seen == [
        ("0 trained, 0 did not fit, 0 failed", 0.0),
        ("0 trained, 5 did not fit, 0 failed", 0.25),
        ("1 trained, 5 did not fit, 0 failed", 0.5),
        ("1 trained, 5 did not fit, 1 failed", 0.5),
        ("finalists: 0 of 2 trained", 0.0),
        ("finalists: 0 of 2 trained, now in fold 2 of 5", 0.1),
        ("finalists: 0 of 2 trained, now in folds 2 and 4 of 5", 0.4),
        ("finalists: 1 of 2 trained, now in fold 4 of 5", 0.8),
        ("finalists: 2 of 2 trained", 1.0),
        ("final training, epoch 1/4", 0.25),
        ("final training, epoch 4/4", 1.0),
        ("final training (anew, to compare), epoch 1/2", 0.5),
    ]
    assert standing.best.number == 0


def test_no_finalist_to_train_is_no_division():
    standing = Standing()
    standing.take(GenerationStarted(1, "finalists", 0, 0, 1.0))
    standing.take(_done(0))
    assert standing.share == 1.0


def test_every_event_in_plain_words():
    assert lines_of(Started(Path("runs/x"), "digits", "nucleo_f401", 2)) == (
        "Target nucleo_f401. Run folder: runs/x",
        "Going on after 2 trials.",
    )
    assert lines_of(GenerationStarted(3, "search", 8, 1200, 0.5)) == ("Generation 3: 8 to train, 1,200 did not fit",)
    assert lines_of(_done(7, best=True))[0].startswith("* #7 int8 ")
    assert lines_of(_done(7, best=True))[0].endswith("(the best so far)")
    assert lines_of(_done(7))[0].startswith("  #7 int8 ")
    said = [epoch for epoch in range(1, 26) if lines_of(FinalProgress(epoch, 25, 0.5, 3.0))]
    assert said == [10, 20, 25]
    assert lines_of(FinalProgress(25, 25, 0.5, 3.4)) == ("  epoch 25/25, loss 0.5000, 3 s",)
    assert lines_of(FinalProgress(25, 25, 0.5, 3.4, "fine-tuning for int8")) == (
        "  fine-tuning for int8: epoch 25/25, loss 0.5000, 3 s",
    )
    assert lines_of(FoldDone(9, 2, 5)) == ("  #9: fold 2 of 5 trained",)
    said = [epoch for epoch in range(1, 1501) if lines_of(FinalProgress(epoch, 1500, 0.5, 3.0))]
    assert said == [*range(80, 1500, 80), 1500]


def test_an_executor_need_not_say_which_training_it_is():
    told = SimpleNamespace(epoch=1, epochs=2, loss=0.5, seconds=1.0)
    assert FinalProgress.of(told) == FinalProgress(1, 2, 0.5, 1.0)
    assert FinalProgress.of(FinalProgress(1, 2, 0.5, 1.0, "anew")).training == "anew"


GIVEN = {"evaluate": evaluate, "screen": lambda architecture, **_: footprint_of(architecture), "strategy": "random"}


def test_search_shows_lines_unless_told_not_to(stripes, tmp_path, capsys):
    search(stripes, "nucleo_f401", max_trials=2, out=tmp_path / "a", **GIVEN)
    out, err = capsys.readouterr()
    assert out == ""
    assert f"Run folder: {tmp_path / 'a'}" in err
    assert "#0 int8" in err
    assert "Search ends after 1 generation" in err
    search(stripes, "nucleo_f401", max_trials=2, out=tmp_path / "b", progress=False, **GIVEN)
    events = []
    search(stripes, "nucleo_f401", max_trials=2, out=tmp_path / "c", watch=events.append, **GIVEN)
    assert capsys.readouterr() == ("", "")
    assert any(isinstance(event, TrialDone) for event in events)
    with pytest.raises(UsageError, match="progress must be True to show how far the search is, or False"):
        search(stripes, "nucleo_f401", max_trials=2, out=tmp_path / "d", progress="no", **GIVEN)


def test_a_notebook_has_a_bar(monkeypatch):
    pages = []
    handle = SimpleNamespace(update=pages.append)
    display = SimpleNamespace(display=lambda page, display_id: pages.append(page) or handle, HTML=str)
    cell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: cell, display=display))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    bar = shown()
    assert isinstance(bar, NotebookBar)
    bar(_done(0, best=True))
    bar(Note("Search ends <here>."))
    assert 'value="0.500"' in pages[-1]
    assert "Best so far: #0" in pages[-1]
    assert "Search ends &lt;here&gt;." in pages[-1]
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: object()))  # IPython's shell
    assert not isinstance(shown(), NotebookBar)

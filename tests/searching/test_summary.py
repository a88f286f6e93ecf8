"""What the summary says against a final model."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tests.searching.conftest import evaluate, footprint_of
from tinynas.architecture import SearchSpace
from tinynas.data import FoldScores, Scores
from tinynas.runs import Trial
from tinynas.searching import Final
from tinynas.searching.summary import warnings_of

NET = SearchSpace.for_input((8, 8, 1), 3).handmade()[0]
GOOD = FoldScores(Scores(0.9, 0.9, 0.9, 0.9), Scores(0.9, 0.9, 0.9, 0.9), ((9, 1, 0), (1, 9, 0), (0, 1, 9)))


@pytest.mark.parametrize(("fidelity", "epochs", "short"), [("proxy", 1, True), ("proxy", 2, False), ("full", 1, False)])
def test_a_final_training_that_had_less_time_than_the_trial_says_so(fidelity, epochs, short):
    """200 visits in the search are two epochs of 100 samples; a finalist's training goes on from its weights."""
    data = SimpleNamespace(y=np.arange(100) % 3, class_names=("a", "b", "c"))
    settings = SimpleNamespace(n_folds=5, time_budget_s=30.0, extensions=(), final_epochs=None)
    run = SimpleNamespace(folder="runs/x", settings=settings)
    best = Trial(0, 0, None, NET, replace(evaluate(NET), fidelity=fidelity, visits=200))
    samples = np.zeros((1, 8, 8, 1), np.int8)
    final = Final(GOOD, b"k", b"t", samples, epochs, footprint_of(NET), None)
    said = [text for text in warnings_of(run, data, [best], best, final) if "final training was" in text]
    assert (said != []) == short
    if short:
        settings.time_budget_s = None  # so few epochs were asked for
        assert not any("final training was" in text for text in warnings_of(run, data, [best], best, final))
        assert said[0].startswith("The time left for the final training was 1 epoch, less than the trial was trained")
        assert said[0].endswith("tinynas search --resume runs/x --time-budget +5m.")

"""What executors try again: how often, with what said, and what is left of it in the end."""

import time

import numpy as np
import pytest

from tinynas.data import FoldScores, Scores
from tinynas.errors import RunError
from tinynas.runs import Evaluation, State
from tinynas.searching import tries
from tinynas.searching.jobs import Final, Outcome
from tinynas.searching.trouble import DIED, ERROR, FULL, SILENT, Trouble

SCORES = Scores(0.5, 0.5, 0.5, 0.5)
DONE = Outcome(Evaluation(State.COMPLETE))
FINAL = Final(FoldScores(SCORES, SCORES), b"k", b"t", np.zeros((1, 8, 8, 1), np.int8), 1, None, 0)


def _once(*found):
    """Return what gives one of `found` after the other, and the list of those that are left."""
    left = list(found)
    return (lambda: left.pop(0)), left


@pytest.mark.parametrize(("kind", "most"), [(ERROR, 3), (DIED, 3), (SILENT, 2)])
def test_a_job_is_tried_as_often_as_its_trouble_allows(kind, most):
    trouble = Trouble(kind, "so")
    once, left = _once(*[trouble] * 5)
    outcome = tries.again(trouble, once, None)
    assert len(left) == 5 - (most - 1)  # the first try was had with others beside it
    assert (outcome.evaluation.state, outcome.evaluation.cause) == (State.FAILED, kind)
    assert outcome.evaluation.error == trouble.verdict(most)
    assert tries.again(trouble, lambda: DONE, None) == DONE
    once, left = _once(DONE)
    assert tries.again(trouble, once, time.monotonic() - 1).evaluation.error == trouble.verdict(1)
    assert left == [DONE]  # there was no time for it


def test_the_newest_trouble_decides_and_a_full_disk_ends_it():
    once, left = _once(Trouble(SILENT, "later"), DONE)  # of silence there are two tries
    assert tries.again(Trouble(DIED, "first"), once, None).evaluation.cause == SILENT
    assert left == [DONE]
    with pytest.raises(RunError, match=r"The disk of a node is full \(no room\): make room there"):
        tries.again(Trouble(FULL, "no room"), lambda: Trouble(FULL, "no room"), None, "The disk of a node")


def test_the_final_training_has_two_tries():
    said = []
    assert tries.final(lambda: FINAL, said.append) is FINAL
    assert said == []
    once, _ = _once(Trouble(DIED, "a kill"), FINAL)
    assert tries.final(once, said.append) is FINAL
    assert said == ["The final training is tried again in a fresh process: a kill"]
    once, left = _once(*[Trouble(DIED, "a kill")] * 3)
    with pytest.raises(RunError, match="died twice"):
        tries.final(once, said.append)
    assert len(left) == 1

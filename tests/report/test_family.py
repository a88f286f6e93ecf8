"""Lines of descent, and what each step says that it changed."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.report.conftest import fold_scores
from tinynas.architecture import Architecture, Block, Head, SearchSpace, mutate
from tinynas.report.family import differences, lineage
from tinynas.runs import Evaluation, State, Trial

A, B, C = (Block("conv", filters, 3) for filters in (8, 16, 24))
NET = Architecture((8, 8, 1), (A, B), Head(), 3)
DONE = Evaluation(State.COMPLETE, folds=(fold_scores(0.8),), fidelity="proxy")


def test_each_change_is_a_line():
    assert differences(NET, replace(NET, blocks=(A, C))) == (f"block 2: {B} → {C}",)
    assert differences(NET, replace(NET, blocks=(A, C, B))) == (f"block 2 added: {C}",)
    assert differences(NET, replace(NET, blocks=(B,))) == (f"block 1 removed: {A}",)
    assert differences(NET, replace(NET, head=Head("flatten", 16))) == ("head: gap → flatten > dense16",)
    assert differences(NET, replace(NET, dropout=(0.0, 0.1))) == ("dropout: 0 to 0 → 0 to 0.1",)
    assert differences(NET, NET) == ()


@given(st.integers(0, 1000))
def test_a_child_differs_from_its_parent_in_some_line(seed):
    space, rng = SearchSpace.for_input((8, 8, 1), 3), np.random.default_rng(seed)
    parent = space.random_architecture(rng)
    assert differences(parent, mutate(parent, space, rng, 2))


def test_the_line_goes_from_the_first_ancestor_to_the_trial():
    trials = [
        Trial(0, 0, None, NET, DONE),
        Trial(1, 1, 0, replace(NET, blocks=(A,)), DONE),
        Trial(2, 1, 0, replace(NET, blocks=(B,)), DONE),
        Trial(3, 2, 1, replace(NET, blocks=(A,)), replace(DONE, folds=2 * DONE.folds, fidelity="full")),
        Trial(4, 2, 2, replace(NET, blocks=(B,)), DONE),
    ]
    family = lineage(trials, trials[3])
    assert [step.trial.number for step in family.steps] == [0, 1, 3]
    assert [[s.number for s in step.siblings] for step in family.steps] == [[], [2], []]
    assert family.steps[0].changes == ("the start: it has no parent",)
    assert family.steps[2].changes == ("the same network, trained on more folds",)
    assert lineage(trials, trials[4]).steps[2].changes == ("the same network, trained further",)


def test_a_parent_that_is_not_there_and_a_circle_end_the_line():
    lost = Trial(7, 1, 3, NET, DONE)
    assert lineage([lost], lost).steps[0].changes == ("its parent #3 is not there",)
    one, other = Trial(0, 0, 1, NET, DONE), Trial(1, 0, 0, NET, DONE)
    assert len(lineage([one, other], one).steps) == 2


def test_of_a_long_line_the_newest_steps_are_left():
    trials = [Trial(n, n, n - 1 if n else None, NET, DONE) for n in range(50)]
    family = lineage(trials, trials[-1], most=5)
    assert [step.trial.number for step in family.steps] == [0, 46, 47, 48, 49]
    assert family.left_out == 45
    assert len(lineage(trials, trials[-1], most=50).steps) == 50
    assert lineage(trials, trials[-1], most=50).left_out == 0

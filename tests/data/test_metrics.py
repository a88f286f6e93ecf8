"""Scores: against the definitions counted by hand, not against the library that computes them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynas.data import FoldScores, Scores, confusion, mistakes, score
from tinynas.data.metrics import MOST_MISTAKES
from tinynas.errors import DataError

pairs = st.integers(1, 40).flatmap(lambda n: st.tuples(*[st.lists(st.integers(0, 3), min_size=n, max_size=n)] * 2))


def counted(true: list[int], pred: list[int], n_classes: int) -> tuple[float, float, float, float]:
    precisions, recalls, f1s = [], [], []
    for c in range(n_classes):
        hits = sum(t == p == c for t, p in zip(true, pred, strict=True))
        precision = hits / pred.count(c) if pred.count(c) else 0.0
        recall = hits / true.count(c) if true.count(c) else 0.0
        precisions.append(precision)
        recalls.append(recall)
        f1s.append(2 * precision * recall / (precision + recall) if precision + recall else 0.0)
    accuracy = sum(t == p for t, p in zip(true, pred, strict=True)) / len(true)
    return accuracy, sum(precisions) / n_classes, sum(recalls) / n_classes, sum(f1s) / n_classes


@settings(deadline=None)
@given(pairs)
def test_scores_are_the_counted_ones(pair) -> None:
    true, pred = pair
    scores = score(true, pred, 4)
    measured = (scores.accuracy, scores.precision, scores.recall, scores.f1)
    assert measured == pytest.approx(counted(true, pred, 4))
    assert Scores.from_dict(scores.to_dict()) == scores


@settings(deadline=None)
@given(pairs)
def test_confusion_counts(pair) -> None:
    true, pred = pair
    table = np.zeros((4, 4), dtype=np.int64)
    for t, p in zip(true, pred, strict=True):
        table[t, p] += 1
    np.testing.assert_array_equal(confusion(true, pred, 4), table)


def test_a_known_table() -> None:
    scores = score(np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 1, 1, 2, 0]), 3)
    assert scores.accuracy == pytest.approx(4 / 6)
    assert scores.precision == pytest.approx((1 / 2 + 2 / 3 + 1) / 3)
    assert scores.recall == pytest.approx((1 / 2 + 1 + 1 / 2) / 3)
    assert FoldScores(float=scores, int8=scores).int8 is scores


@pytest.mark.parametrize(
    ("true", "pred", "sentence"),
    [
        ([], [], "at least one sample"),
        ([0, 1], [0], "wanted one class for each sample in both"),
        ([0, 1], [[0.1, 0.9], [0.3, 0.7]], "one class for each sample"),
        ([0, 1], [0.2, 0.8], "predicted classes are of type float64"),
        ([0, 3], [0, 1], "true classes run from 0 to 3, wanted 0 to 2"),
        ([0, 1], [0, -1], "predicted classes run from -1"),
    ],
)
def test_what_cannot_be_scored(true, pred, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        score(true, pred, 3)


def test_scores_from_a_wrong_dict() -> None:
    with pytest.raises(DataError, match="wanted accuracy, precision, recall and f1"):
        Scores.from_dict({"accuracy": 1.0})


def test_mistakes_are_of_every_kind_before_they_are_many() -> None:
    true = [0] * 100 + [1, 2, 2]
    pred = [1] * 100 + [1, 0, 2]
    found = mistakes(true, pred, 3)
    assert len(found) == MOST_MISTAKES
    assert found[-1] == (101, 2, 0)
    assert found[:-1] == tuple((row, 0, 1) for row in range(MOST_MISTAKES - 1))
    assert mistakes([0, 1], [0, 1], 2) == ()

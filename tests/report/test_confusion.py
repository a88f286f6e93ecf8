"""The confusion matrix's shares against scikit-learn's recall and precision."""

import numpy as np
from sklearn.metrics import precision_score, recall_score

from tinynas.data import confusion
from tinynas.report.confusion import confusion_of, mistakes_of


def test_recall_precision_and_mixes():
    rng = np.random.default_rng(0)
    true, taken = rng.integers(0, 4, 300), rng.integers(0, 4, 300)
    names = ("a", "b", "c", "d")
    found = confusion_of(confusion(true, taken, 4).tolist(), names)
    assert [row.recall for row in found.rows] == recall_score(true, taken, average=None).tolist()
    assert list(found.precisions) == precision_score(true, taken, average=None).tolist()
    assert found.samples == 300
    assert found.numbers
    assert found.drawn
    real, other, count, of = found.mixes[0]
    pairs = confusion(true, taken, 4)
    np.fill_diagonal(pairs, 0)
    assert count == pairs.max() == pairs[names.index(real), names.index(other)]
    assert of == (true == names.index(real)).sum()


def test_classes_without_samples_have_no_recall():
    found = confusion_of([[0, 0], [0, 5]], ("a", "b"))
    assert found.rows[0].recall is None
    assert found.precisions == (None, 1.0)
    assert found.mixes == ()


def test_many_classes_have_no_numbers_and_very_many_no_cells():
    assert not confusion_of([[1] * 30] * 30, [str(n) for n in range(30)]).numbers
    assert not confusion_of([[1] * 100] * 100, [str(n) for n in range(100)]).drawn


def test_what_is_not_of_the_classes_is_no_matrix():
    assert confusion_of(None, ("a", "b")) is None
    assert confusion_of([[1, 2]], ("a", "b")) is None
    assert confusion_of([[1], [2]], ("a", "b")) is None


def test_mistakes_have_names_and_what_is_none_is_left_out():
    assert mistakes_of([[4, 0, 1], [37, 1, 0]], ("a", "b")) == ((4, "a", "b"), (37, "b", "a"))
    for wrong in (None, "text", {}, [4], [[4, 0]], [[4, 0, 2]], [[4, -1, 0]], [[4, "a", "b"]], [[4, True, 0]]):
        assert mistakes_of(wrong, ("a", "b")) == ()

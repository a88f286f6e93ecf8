"""The check of a data set, each finding against data in which it was planted."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynas.data import from_arrays
from tinynas.data.check import check

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (120, 4, 4), dtype=np.uint8)
Y = np.arange(120) % 3


def made(x=X, y=Y, x_test=None, y_test=None, **options):
    x_test = RNG.integers(0, 256, (30, *x.shape[1:])).astype(x.dtype) if x_test is None else x_test
    return check(from_arrays(x, y, x_test, np.arange(len(x_test)) % 3 if y_test is None else y_test, **options))


def test_sound_data_have_no_warning() -> None:
    found = made(class_names=("a", "b", "c"))
    assert found.warnings == ()
    assert found.classes == (("a", 40, 10), ("b", 40, 10), ("c", 40, 10))
    assert (found.shape, found.values, found.constant, found.imbalance) == ((4, 4, 1), 16, 0, 1.0)
    assert (found.duplicates, found.leaked, found.contradictions, found.n_groups) == (0, 0, 0, None)
    assert found.range == ((0, 255),)
    assert json.loads(json.dumps(found.to_dict()))["classes"][1] == {"name": "b", "train": 40, "test": 10}


@settings(max_examples=25)
@given(
    x=st.lists(st.tuples(*[st.integers(0, 1)] * 4), min_size=12, max_size=30),
    x_test=st.lists(st.tuples(*[st.integers(0, 1)] * 4), min_size=3, max_size=9),
    lazy=st.booleans(),
)
def test_duplicates_are_those_that_python_counts(x, x_test, lazy) -> None:
    y, y_test = np.arange(len(x)) % 3, np.arange(len(x_test)) % 3
    arrays = (np.array(part, np.uint8).reshape(-1, 2, 2) * 255 for part in (x, x_test))
    first, second = arrays
    found = check(from_arrays(first, y, second, y_test, in_memory_bytes=0 if lazy else 1 << 20))
    assert found.duplicates == len(x) - len(set(x))
    assert found.leaked == sum(sample in x for sample in x_test)
    labels = {sample: {int(c) for other, c in zip(x, y, strict=True) if other == sample} for sample in x}
    assert found.contradictions == sum(len(labels[sample]) > 1 for sample in x)
    assert found.constant == sum(len({sample[i] for sample in x}) == 1 for i in range(4))


def test_leaks_are_warned_of() -> None:
    found = made(x_test=np.concatenate([X[:5], X[7:8] + 1, X[30:54] // 2]), y_test=np.arange(30) % 3)
    assert found.leaked == 5
    assert "The split leaks: 5 of 30 test samples equal a training sample" in found.warnings[0]
    groups, groups_test = np.repeat(np.arange(12), 10), np.repeat([11, 12, 13], 10)
    found = made(groups=groups, groups_test=groups_test)
    assert (found.n_groups, found.shared_groups) == (12, ("11",))
    assert "The split leaks: 1 groups (11) are in the training and in the test part." in found.warnings


@pytest.mark.parametrize(
    ("x", "y", "sentence"),
    [
        (np.concatenate([X, X[:2]]), np.append(Y, Y[:2]), "2 of 122 training samples equal an earlier one"),
        (np.concatenate([X, X[:1]]), np.append(Y, 1), "2 of 121 training samples equal one of another class"),
        (X, np.where(np.arange(120) < 110, 0, np.arange(120) % 2 + 1), "--balance and --metric f1"),
        (X, np.where(np.arange(120) < 110, Y, 0), None),
        (X[:50], Y[:50], "Class '2' has 16 training samples, which is little"),
    ],
)
def test_what_is_warned_of(x, y, sentence) -> None:
    warnings = made(x, y).warnings
    assert any(sentence in warning for warning in warnings) if sentence else not warnings


def test_a_class_without_test_samples_is_named() -> None:
    assert "Class '2' has no test sample, so it is not tested." in made(y_test=np.arange(30) % 2).warnings


def test_the_range_is_that_of_each_channel() -> None:
    raw = RNG.random((60, 6, 1, 2)) * [2, 0] - [1, -7]
    found = check(from_arrays(raw, np.arange(60) % 3, raw, np.arange(60) % 3))
    (low, high), constant = found.range
    assert (low, high) == pytest.approx((raw[..., 0].min(), raw[..., 0].max()))
    assert constant == (7, 7)
    assert found.constant == 6

"""Groups and class weights: what no split may do, held by counting; weights against scikit-learn's."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tinynas.data import class_weights, from_arrays
from tinynas.errors import DataError


@settings(max_examples=40)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=6, max_size=20),
    n_classes=st.integers(2, 3),
    fraction=st.floats(0.1, 0.6),
    seed=st.integers(0, 5),
)
def test_splits_take_no_group_apart(sizes, n_classes, fraction, seed) -> None:
    groups = np.repeat(np.arange(len(sizes)), sizes)
    y = groups % n_classes
    assume(len(groups) > len(sizes))
    x = np.random.default_rng(0).random((len(y), 3, 3))
    data = from_arrays(x, y, groups=groups, test_fraction=fraction, seed=seed)
    assert data.groups is not None
    assert data.groups.test_codes is not None
    assert not set(data.groups.codes) & set(data.groups.test_codes)
    assert len(data.groups.codes) == len(data.y)
    assert set(data.y) == set(range(n_classes))
    if data.most_folds < 2:
        with pytest.raises(DataError, match="since a group is never taken apart"):
            data.folds(2, seed)
        return
    for fold in data.folds(data.most_folds, seed):
        assert not set(data.groups.codes[fold.train]) & set(data.groups.codes[fold.validation])
        assert set(data.y[fold.train]) == set(range(n_classes))
        assert len(fold.validation)


def test_groups_of_one_sample_each_are_none() -> None:
    x, y = np.random.default_rng(0).random((20, 3, 3)), np.arange(20) % 2
    assert from_arrays(x, y, groups=np.arange(20)).digest == from_arrays(x, y).digest
    assert from_arrays(x, y, groups=np.arange(20)).groups is None


def test_groups_count_in_the_digest_since_the_folds_follow_from_them() -> None:
    x, y = np.random.default_rng(0).random((24, 3, 3)), np.arange(24) % 2
    one, other = (
        from_arrays(x, y, x, y, groups=g, groups_test=g + 50) for g in (np.arange(24) // 2, np.arange(24) // 4)
    )
    assert one.digest != other.digest


def test_groups_that_are_in_both_parts_are_known() -> None:
    x, y = np.random.default_rng(0).random((24, 3, 3)), np.arange(24) % 2
    data = from_arrays(x, y, x, y, groups=["a", "b", "c"] * 8, groups_test=["c", "d", "b"] * 8)
    assert data.groups is not None
    assert data.groups.shared() == ("b", "c")


@pytest.mark.parametrize(
    ("groups", "sentence"),
    [
        (np.arange(5), r"groups have shape \(5,\), wanted one group for each of 20 samples"),
        (np.zeros((20, 2)), r"groups have shape \(20, 2\)"),
        (np.full(20, np.nan), "groups are of type float64, wanted integers or strings"),
        ([[1], [2, 3]] * 10, "groups are not one array"),
        (np.zeros(20, int), "class '0' is in 1 group, wanted at least 2 to split off a test part"),
        (np.arange(20) % 2, "class '0' is in 1 group"),
    ],
)
def test_groups_that_cannot_be(groups, sentence) -> None:
    x, y = np.random.default_rng(0).random((20, 3, 3)), np.arange(20) % 2
    with pytest.raises(DataError, match=sentence):
        from_arrays(x, y, groups=groups)


def test_groups_of_a_test_part_need_one() -> None:
    x, y = np.random.default_rng(0).random((20, 3, 3)), np.arange(20) % 2
    with pytest.raises(DataError, match="the test part has groups and the training part has none"):
        from_arrays(x, y, x, y, groups_test=y)
    with pytest.raises(DataError, match="groups of a test part came, but no test part"):
        from_arrays(x, y, groups=y, groups_test=y)


@given(st.lists(st.integers(1, 60), min_size=2, max_size=6))
def test_class_weights_are_scikit_learns(counts) -> None:
    from sklearn.utils.class_weight import compute_class_weight

    y = np.repeat(np.arange(len(counts)), counts)
    weights = class_weights(y, len(counts))
    wanted = compute_class_weight("balanced", classes=np.arange(len(counts)), y=y)
    np.testing.assert_allclose(weights, wanted)
    assert np.mean(np.array(weights)[y]) == pytest.approx(1)


def test_a_class_without_samples_has_no_weight() -> None:
    with pytest.raises(DataError, match=r"class weights: the classes have \[2, 0, 1\] samples, wanted 3"):
        class_weights(np.array([0, 0, 2]), 3)
    with pytest.raises(DataError, match="wanted 2"):
        class_weights(np.array([0, 1, 2]), 2)

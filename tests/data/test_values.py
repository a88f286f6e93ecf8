"""Data whose labels are real values, or none that a class could be made of."""

import numpy as np
import pytest

from tinynas.data import Dataset, ValueDataset
from tinynas.data.values import values_of
from tinynas.errors import DataError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 6)).astype(np.float32)
Y = X @ np.arange(6) + 100


def test_every_sample_keeps_its_value():
    data = ValueDataset.from_arrays(X, Y)
    assert (len(data.x), len(data.x_test)) == (40, 10)
    assert data.width == 1
    for x, y in ((data.x, data.y), (data.x_test, data.y_test)):
        low, scale = np.array(data.normalization.offset), np.array(data.normalization.scale)
        raw = x.reshape(len(x), 6) / scale + low  # no sample of the training part is clipped
        inside = ((x > 0) & (x < 1)).reshape(len(x), 6).all(axis=1)
        np.testing.assert_allclose((raw @ np.arange(6) + 100)[inside], y[inside, 0], rtol=1e-4)
        assert inside.sum() > 4


def test_a_test_part_of_its_own_is_kept():
    data = ValueDataset.from_arrays(X, Y, X[:7], Y[:7])
    assert (len(data.x), len(data.x_test)) == (50, 7)
    np.testing.assert_allclose(data.y_test[:, 0], Y[:7], rtol=1e-6)


def test_samples_and_layout_are_those_of_a_dataset_of_classes():
    classes = Dataset.from_arrays(X, np.arange(50) % 2, X[:9], np.arange(9) % 2)
    values = ValueDataset.from_arrays(X, Y, X[:9], Y[:9])
    np.testing.assert_array_equal(classes.x, values.x)
    np.testing.assert_array_equal(classes.x_test, values.x_test)
    assert (classes.layout, classes.normalization) == (values.layout, values.normalization)


def test_labels_may_be_several_values_or_words_or_none():
    assert ValueDataset.from_arrays(X, X[:, :3]).width == 3
    for labels in (None, ["normal"] * 50):
        data = ValueDataset.from_arrays(X, labels)
        assert data.y is None
        assert data.width is None
        assert values_of(data) is None


def test_the_values_of_classes_called_by_numbers():
    ages = np.array([18, 30, 7, 44, 30])[np.arange(50) % 5]
    data = Dataset.from_arrays(X, ages, test_fraction=0.2)
    train, test = values_of(data)
    assert sorted(np.concatenate([train, test])[:, 0].tolist()) == sorted(ages.tolist())
    assert values_of(Dataset.from_arrays(X, np.array(["a", "b"])[np.arange(50) % 2])) is None


def test_files_are_read_as_for_classes(tmp_path):
    np.savez(tmp_path / "set.npz", x=X, y=Y)
    data = ValueDataset.load(tmp_path / "set.npz")
    assert data.width == 1
    lines = ["a,b,target", *(f"{a:.3f},{b:.3f},{y:.4f}" for (a, b, *_), y in zip(X, Y, strict=True))]
    (tmp_path / "rows.csv").write_text("\n".join(lines))
    data = ValueDataset.load(tmp_path / "rows.csv", label="target")
    assert sorted(np.concatenate([data.y, data.y_test])[:, 0].round(3)) == pytest.approx(sorted(Y.round(3)), abs=2e-3)
    with pytest.raises(DataError, match="which are no classes"):
        Dataset.load(tmp_path / "rows.csv", label="target")


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        (X, Y[:9], "50 samples but 9 labels"),
        (X, np.full(50, np.nan), "a label is no finite number"),
        (X, np.zeros((50, 2, 2)), r"labels have shape \(50, 2, 2\)"),
        (X[:1], Y[:1], "1 samples or groups are too few"),
    ],
)
def test_what_cannot_be_is_said(x, y, said):
    with pytest.raises(DataError, match=said):
        ValueDataset.from_arrays(x, y)


def test_a_group_stays_whole(tmp_path):
    groups = np.arange(50) // 5
    np.savez(tmp_path / "set.npz", x=X, y=Y, groups=groups)
    data = ValueDataset.load(tmp_path / "set.npz")
    held = {int(groups[np.abs(Y - value).argmin()]) for value in data.y_test[:, 0]}
    assert len(data.y_test) == 10
    assert len(held) == 2

"""Dataset: real files, splits and folds checked by counting, memory, a sentence for each bad input."""

import pickle
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynas.data import Dataset, digits, from_arrays, load
from tinynas.errors import DataError

MNIST1D = Path(__file__).parent.parent / "fixtures" / "data" / "mnist1d"


def blobs(counts=(40, 30, 20), shape=(4, 4), seed=0):
    """Samples whose pixels are their class plus noise."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    x = y.reshape(-1, *[1] * len(shape)) + rng.random((len(y), *shape)) / 2
    return (x / len(counts)).astype(np.float32), y


def test_mnist1d_is_what_its_meta_says() -> None:
    data = load(MNIST1D)
    assert (data.name, data.layout, data.input_shape) == ("mnist1d", "series", (40, 1, 1))
    assert (data.x.shape, data.x_test.shape) == ((4000, 40, 1, 1), (1000, 40, 1, 1))
    assert data.x.dtype == data.x_test.dtype == np.float32
    assert np.bincount(data.y).tolist() == [398, 396, 411, 394, 394, 402, 401, 404, 402, 398]
    assert np.bincount(data.y_test).tolist() == [102, 104, 89, 106, 106, 98, 99, 96, 98, 102]
    assert data.class_names == tuple("0123456789")


def test_mnist1d_can_be_learned_as_well_as_its_source_says() -> None:
    from sklearn.linear_model import LogisticRegression

    data = load(MNIST1D)
    model = LogisticRegression(solver="newton-cholesky").fit(data.x[:, :, 0, 0], data.y)
    assert model.score(data.x_test[:, :, 0, 0], data.y_test) == pytest.approx(0.329, abs=0.02)


def test_digits_are_scikit_learns() -> None:
    from sklearn.datasets import load_digits

    data = digits()
    bunch = load_digits()
    assert data.input_shape == (8, 8, 1)
    assert data.class_names == tuple("0123456789")
    assert len(data.x_test) == 360
    both = np.concatenate([data.x, data.x_test])[..., 0]
    pixels = {(image / 16).astype(np.float32).tobytes(): t for image, t in zip(bunch.images, bunch.target, strict=True)}
    assert len(both) == 1797
    for image, label in zip(both, np.concatenate([data.y, data.y_test]), strict=True):
        assert pixels[image.tobytes()] == label


@settings(deadline=None, max_examples=25)
@given(
    counts=st.lists(st.integers(5, 30), min_size=2, max_size=5),
    fraction=st.floats(0.2, 0.5),
    seed=st.integers(0, 9),
)
def test_split_is_stratified_complete_and_seeded(counts, fraction, seed) -> None:
    x, y = blobs(counts)
    x = np.concatenate([x, np.zeros_like(x[:1])])  # a sample that fixes the range
    y = np.append(y, 0)
    data = from_arrays(x, y, test_fraction=fraction, seed=seed)
    assert sorted(map(bytes, [*data.x, *data.x_test])) == sorted(map(bytes, x))
    total = np.bincount(y)
    np.testing.assert_allclose(np.bincount(data.y_test), total * fraction, atol=1.5)
    again = from_arrays(x, y, test_fraction=fraction, seed=seed)
    assert again.digest == data.digest
    known = {sample.tobytes(): label for sample, label in zip(x, y, strict=True)}
    assert all(known[sample.tobytes()] == label for sample, label in zip(data.x, data.y, strict=True))


@settings(deadline=None, max_examples=25)
@given(counts=st.lists(st.integers(6, 20), min_size=2, max_size=4), k=st.integers(2, 4), seed=st.integers(0, 9))
def test_folds_partition_the_training_part_class_by_class(counts, k, seed) -> None:
    x, y = blobs(counts)
    data = from_arrays(x, y, x, y)
    folds = data.folds(k, seed)
    assert len(folds) == k
    assert sorted(np.concatenate([fold.validation for fold in folds]).tolist()) == list(range(len(y)))
    for fold in folds:
        assert sorted([*fold.train, *fold.validation]) == list(range(len(y)))
        np.testing.assert_allclose(np.bincount(y[fold.validation]), np.array(counts) / k, atol=1)
        x_train, y_train, x_validation, y_validation = data.split(fold)
        assert (len(x_train), len(x_validation)) == (len(y_train), len(y_validation))
        np.testing.assert_array_equal(x_validation, data.x[fold.validation])
        np.testing.assert_array_equal(y_train, data.y[fold.train])
    for one, other in zip(folds, data.folds(k, seed), strict=True):
        np.testing.assert_array_equal(one.validation, other.validation)


def test_too_many_folds_name_the_smallest_class() -> None:
    x, y = blobs((20, 6, 20))
    data = from_arrays(x, y, x, y, class_names=["a", "rare", "c"], name="set")
    with pytest.raises(DataError, match="set: 7 folds, wanted 2 to 6: the smallest class, 'rare', has 6"):
        data.folds(7, 0)
    with pytest.raises(DataError, match="1 folds, wanted 2 to 6"):
        data.folds(1, 0)


@pytest.mark.parametrize("n", [1, 3, 10, 60, 500])
def test_representative_samples_take_the_classes_in_turn(n: int) -> None:
    x, y = blobs((50, 5, 20))
    data = from_arrays(x, y, x, y)
    chosen = data.representative(n, seed=1)
    label = {sample.tobytes(): int(c) for sample, c in zip(data.x, data.y, strict=True)}
    counts = np.bincount([label[sample.tobytes()] for sample in chosen], minlength=3)
    assert len(chosen) == min(n, 75) == len({sample.tobytes() for sample in chosen})
    most = counts.max()
    assert all(count >= min(most - 1, total) for count, total in zip(counts, (50, 5, 20), strict=True))
    np.testing.assert_array_equal(chosen, data.representative(n, seed=1))
    with pytest.raises(DataError, match="0 representative samples"):
        data.representative(0, seed=1)


def test_the_digest_tells_data_apart() -> None:
    x, y = blobs()
    base = from_arrays(x, y, x, y)
    x_other, y_other = x.copy(), y.copy()
    x_other[3, 2, 1] = 0.5
    y_other[[0, 1]] = (y[0] + 1) % 3, y[1]
    others = [
        from_arrays(x_other, y, x, y),
        from_arrays(x, y_other, x, y),
        from_arrays(x, y, x[1:], y[1:]),
        from_arrays(x, y, x, y, class_names=["a", "b", "c"]),
        from_arrays(x, y, x, y, reshape=(16, 1)),
        from_arrays((x * 255).astype(np.uint8), y, (x * 255).astype(np.uint8), y),
    ]
    assert len({data.digest for data in (base, *others)}) == 7
    assert from_arrays(x, y, x, y, name="another name").digest == base.digest
    assert pickle.loads(pickle.dumps(base)).digest == base.digest


def test_arrays_are_read_only_and_the_callers_stay_their_own() -> None:
    x, y = blobs()
    data = from_arrays(x, y, x, y)
    for array in (data.x, data.y, data.x_test, data.y_test):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    before = data.x.copy()
    x[:] = 0
    y[:] = 0
    np.testing.assert_array_equal(data.x, before)
    assert data.y.any()


def test_memory_is_the_result_and_little_more() -> None:
    x = np.random.default_rng(0).integers(0, 256, (20_000, 28, 28), dtype=np.uint8)
    y = np.arange(20_000) % 10
    for source in (x, x.astype(np.int16)):
        tracemalloc.start()
        data = from_arrays(source, y)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert data.x.nbytes + data.x_test.nbytes == x.size * 4
        assert peak < x.size * 4 + (40 << 20)


def test_summary_is_one_line() -> None:
    x, y = blobs((40, 30, 20), (4, 4, 3))
    assert from_arrays(x, y, x, y, name="toy").summary() == (
        "toy: 90 training and 90 test samples, image of 4 x 4 x 3 "
        "(both sides of the 4 x 4 x 3 sample are longer than 1), 3 classes with 20 to 40 samples each"
    )


X, Y = blobs()
NAN = X.copy()
NAN[5, 1, 2] = np.nan
INF = X.copy()
INF[0, 0, 0] = -np.inf
OBJECTS = np.array([[1, "a"], [2, 3]] * 45, dtype=object)
BAD = {
    "nan": ({"x": NAN, "y": Y}, r"arrays, training part: sample 5 holds nan at \(1, 2\)"),
    "inf": ({"x": INF, "y": Y}, r"sample 0 holds -inf at \(0, 0\)"),
    "beyond float32": ({"x": X.astype(float) * 1e39, "y": Y}, "within float32's range"),
    "nan in the test": (
        {"x": X, "y": Y, "x_test": NAN, "y_test": Y},
        "arrays, test part: sample 5 holds nan",
    ),
    "number": ({"x": X, "y": Y[1:]}, "90 samples but 89 labels"),
    "test number": ({"x": X, "y": Y, "x_test": X[:5], "y_test": Y[:4]}, "test part: 5 samples but 4 labels"),
    "empty": ({"x": X[:0], "y": Y[:0]}, r"samples have shape \(0, 4, 4\)"),
    "empty test": (
        {"x": X, "y": Y, "x_test": X[:0], "y_test": Y[:0]},
        r"test part: samples have shape \(0, 4, 4\)",
    ),
    "no sample axis": ({"x": X[0, 0], "y": Y[:4]}, r"samples have shape \(4,\), wanted \(n, ...\)"),
    "objects": ({"x": OBJECTS, "y": Y}, "samples are of type object, wanted numbers"),
    "ragged": ({"x": [[1, 2], [3]], "y": [0, 1]}, "samples differ in shape"),
    "text": ({"x": np.full((90, 3), "a"), "y": Y}, "samples are of type <U1, wanted numbers"),
    "complex": ({"x": X * 1j, "y": Y}, "samples are of type complex64"),
    "half a test": ({"x": X, "y": Y, "x_test": X}, "needs both samples and labels"),
    "test shape": (
        {"x": X, "y": Y, "x_test": X[:, :3], "y_test": Y},
        r"shape \(4, 4\), test samples \(3, 4\)",
    ),
    "test type": ({"x": X, "y": Y, "x_test": X.astype("u1"), "y_test": Y}, "float32, test samples uint8"),
    "fraction": ({"x": X, "y": Y, "test_fraction": 0}, "test_fraction is 0, wanted a share between 0 and 1"),
    "few": ({"x": X[:6], "y": [0, 0, 1, 1, 2, 2]}, "leaves 4 to train on and 2 to test on"),
    "single": ({"x": X, "y": [7] + [0, 1] * 44 + [1]}, "class '7' has 1 sample, wanted at least 2"),
    "starved": ({"x": X, "y": [7, 7] + [0, 1] * 44, "test_fraction": 0.9}, "no training sample of class '7'"),
}


@pytest.mark.parametrize(("arguments", "sentence"), BAD.values(), ids=BAD.keys())
def test_bad_input_gets_one_sentence(arguments, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence) as caught:
        from_arrays(**arguments)
    assert "\n" not in str(caught.value)


def test_importing_the_room_loads_no_scikit_learn() -> None:
    code = "import sys, tinynas.data; print([m for m in ('sklearn', 'scipy', 'tensorflow') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
    assert Dataset.digits == digits


def test_its_repr_is_one_short_line() -> None:
    x, y = blobs((40, 30, 20), (4, 4, 3))
    said = "Dataset(toy: 90 training and 90 test samples, image of 4 x 4 x 3, 3 classes)"
    assert repr(from_arrays(x, y, x, y, name="toy")) == said

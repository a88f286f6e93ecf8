"""Samples kept on disk: they read like NumPy's arrays, and a large file costs little memory."""

import json
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynas.data import Samples, from_arrays, load, write_idx
from tinynas.data import samples as module
from tinynas.data.idx import open_idx
from tinynas.data.normalize import Normalization
from tinynas.data.samples import allocate, normalized, parts_of
from tinynas.errors import DataError

RNG = np.random.default_rng(0)
RAW = {
    "bytes": (RNG.integers(0, 256, (30, 3, 2, 1), dtype=np.uint8), Normalization((0.0,), (1 / 255,), "uint8")),
    "big-endian": (
        RNG.integers(-900, 900, (30, 3, 2, 2)).astype(">i2"),
        Normalization((-900.0, 0.0), (1e-3, 2e-3), "int16"),
    ),
    "floats": (RNG.random((30, 2, 1, 3)), Normalization((0.0,), (1.0,), "float64")),
}
KEYS = st.one_of(
    st.integers(-20, 19),
    st.slices(20),
    st.lists(st.integers(-20, 19)).map(lambda rows: np.array(rows, dtype=np.int64)),
    st.lists(st.booleans(), min_size=20, max_size=20).map(np.array),
)


@pytest.mark.parametrize("kind", RAW)
@given(key=KEYS)
def test_rows_are_those_of_the_whole_array(kind, key) -> None:
    raw, fitted = RAW[kind]
    rows = np.arange(25, 5, -1)
    whole = fitted.apply(raw)[rows]
    small, lazy = Samples(raw, rows, fitted), Samples(raw, rows, fitted, in_memory_bytes=0)
    assert (small.shape, small.ndim, small.dtype, len(small)) == (whole.shape, 4, np.float32, 20)
    np.testing.assert_array_equal(small[key], whole[key])
    chosen = lazy[key] if not isinstance(key, int) else small[key]
    assert isinstance(chosen, Samples) == (not isinstance(key, int) and len(whole[key]) > 0)
    np.testing.assert_array_equal(np.asarray(chosen), whole[key])
    np.testing.assert_array_equal(small[key, 1], whole[key, 1])
    np.testing.assert_array_equal(np.asarray(small), whole)
    np.testing.assert_array_equal(np.stack(list(small)), whole)
    assert {start: part.tobytes() for start, part in parts_of(small)} == {0: whole.tobytes()}


@pytest.mark.parametrize("key", [20, -21, [20], [-21], np.zeros(19, bool), [0.5], [[0, 1]], "a"])
def test_rows_that_are_not_there(key) -> None:
    raw, fitted = RAW["bytes"]
    with pytest.raises((IndexError, ValueError)):
        Samples(raw, np.arange(20), fitted)[key]


def test_only_what_is_too_large_stays_raw() -> None:
    raw, fitted = RAW["bytes"]
    n_bytes = 4 * raw.size
    assert isinstance(normalized(raw, None, fitted, n_bytes), np.ndarray)
    assert isinstance(normalized(raw, None, fitted, n_bytes - 1), Samples)
    assert isinstance(normalized(raw, np.arange(15), fitted, n_bytes // 2), np.ndarray)


def test_pickled_samples_of_a_file_are_a_few_bytes(tmp_path) -> None:
    raw = RNG.integers(0, 256, (500, 20, 20), dtype=np.uint8)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(write_idx(raw))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(write_idx((np.arange(500) % 2).astype(np.uint8)))
    data = load(tmp_path, in_memory_bytes=1000)
    shared = data.x.on_disk(tmp_path, "x")
    assert len(pickle.dumps(shared)) < 1000
    again = pickle.loads(pickle.dumps(shared))
    np.testing.assert_array_equal(np.asarray(again), load(tmp_path).x)
    assert not (tmp_path / "x-raw.npy").exists()
    arrays = from_arrays(raw, np.arange(500) % 2, in_memory_bytes=1000)
    assert len(pickle.dumps(arrays.x.on_disk(tmp_path, "own"))) < 1000
    assert (tmp_path / "own-raw.npy").exists()


def test_arrays_that_would_not_fit_are_filled_on_disk(monkeypatch) -> None:
    monkeypatch.setattr(module, "IN_MEMORY_BYTES", 100)
    array = allocate((10, 20), np.int16)
    assert isinstance(array, np.memmap)
    array[:] = np.arange(200).reshape(10, 20)
    assert array.sum() == 199 * 100
    assert not isinstance(allocate((5, 10), np.int16), np.memmap)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.int32, np.float32, np.float64])
def test_mapped_idx_is_read_idx(tmp_path, dtype) -> None:
    array = (RNG.random((40, 5, 3)) * 100).astype(dtype)
    path = tmp_path / "a"
    path.write_bytes(write_idx(array))
    mapped = open_idx(path, 100)
    assert isinstance(mapped, np.memmap)
    np.testing.assert_array_equal(mapped, array)
    np.testing.assert_array_equal(open_idx(path, 1 << 20), array)
    for spoilt in (write_idx(array)[:-1], write_idx(array) + b"0"):
        path.write_bytes(spoilt)
        with pytest.raises(DataError, match="is cut off or not one IDX array"):
            open_idx(path, 100)


_CHILD = """
import json, resource, sys
import numpy as np
from tinynas.data import Samples, load
limit = int(sys.argv[2]) << 20
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
data = load(sys.argv[1])
fold = data.folds(5, 0)[0]
train = data.x[fold.train]
print(json.dumps({
    "lazy": [isinstance(x, Samples) for x in (data.x, train)],
    "shape": train.shape,
    "means": [float(data.x[rows].mean()) for rows in (slice(0, 400), fold.validation[-100:])],
    "test": float(data.x_test[-1].max()),
    "calibration": data.representative(50, 0).shape,
}))
"""


def _sparse_idx(folder, n, side) -> None:
    """n pictures of zeros that take no room on disk, with a bright one here and there, in two classes by turns."""
    header = bytes([0, 0, 8, 3]) + np.array([n, side, side], ">u4").tobytes()
    with (folder / "train-images-idx3-ubyte").open("wb") as file:
        file.write(header)
        file.truncate(len(header) + n * side * side)
        for number in range(0, n, max(1, n // 50)):
            file.seek(len(header) + number * side * side)
            file.write(bytes([200]) * side * side)
    (folder / "train-labels-idx1-ubyte").write_bytes(write_idx((np.arange(n) % 2).astype(np.uint8)))


def _in_a_child(folder, megabytes):
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(folder), str(megabytes)], capture_output=True, text=True, env=os.environ
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def test_a_file_of_460_mb_is_opened_in_700_mb(tmp_path) -> None:
    """As float32 it would take 1.8 GB; its test part, of 367 MB, is held."""
    _sparse_idx(tmp_path, 7000, 256)
    found = _in_a_child(tmp_path, 700)
    assert found["lazy"] == [True, True]
    assert found["shape"] == [4480, 256, 256, 1]
    assert 0 < max(*found["means"], found["test"]) <= 1


@pytest.mark.slow
def test_a_file_of_5_gb_is_opened_in_1_gb(tmp_path) -> None:
    """5.1 GB of pictures, 20 GB as float32: opened, split, folded and sampled with 1 GB of memory of its own."""
    _sparse_idx(tmp_path, 6_500_000, 28)
    assert (tmp_path / "train-images-idx3-ubyte").stat().st_size > 5 * 10**9
    found = _in_a_child(tmp_path, 1024)
    assert found["lazy"] == [True, True]
    assert found["shape"] == [4_160_000, 28, 28, 1]
    assert found["calibration"] == [50, 28, 28, 1]
    assert max(*found["means"], found["test"]) <= 1

"""Weights of a trial as a file: written, read back, and damaged in what a zip file says of its parts."""

import numpy as np
import pytest

from tinynas.errors import RunError
from tinynas.runs.weights import read_weights, write_weights

WEIGHTS = {"dense": [np.eye(3, dtype=np.float32), np.zeros(3, np.float32)], "a/b": [np.float32([[1.5]])]}
_COMPRESSION, _VERSION, _FLAGS = 10, 6, 8  # where a part of a zip file's directory says so


def test_what_is_written_is_read_back_in_its_order(tmp_path):
    write_weights(tmp_path / "w.npz", WEIGHTS)
    found = read_weights(tmp_path / "w.npz")
    assert list(found) == ["dense", "a/b"]
    for name, arrays in WEIGHTS.items():
        for array, wanted in zip(found[name], arrays, strict=True):
            assert array.dtype == wanted.dtype
            np.testing.assert_array_equal(array, wanted)


@pytest.mark.parametrize(("at", "value"), [(_COMPRESSION, 77), (_VERSION, 255), (_FLAGS, 0x40), (_FLAGS, 0x20)])
def test_a_zip_file_of_another_kind_is_one_sentence(tmp_path, at, value):
    write_weights(tmp_path / "w.npz", WEIGHTS)
    data = bytearray((tmp_path / "w.npz").read_bytes())
    data[data.index(b"PK\x01\x02") + at] = value
    data[data.index(b"PK\x03\x04") + at - 2] = value  # the part itself says it again, two bytes earlier
    (tmp_path / "w.npz").write_bytes(data)
    with pytest.raises(RunError, match=r"the weights of a trial, cannot be read .*start the search anew"):
        read_weights(tmp_path / "w.npz")


def test_a_header_that_is_no_header_is_one_sentence(tmp_path):
    write_weights(tmp_path / "w.npz", WEIGHTS)
    data = (tmp_path / "w.npz").read_bytes()
    (tmp_path / "w.npz").write_bytes(data.replace(b"'shape': (3, 3), }", b"'shape': (3, 3,   "))
    with pytest.raises(RunError, match="the weights of a trial, cannot be read"):
        read_weights(tmp_path / "w.npz")


def test_a_file_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(RunError, match="the weights of a trial, cannot be read"):
        read_weights(tmp_path / "none.npz")

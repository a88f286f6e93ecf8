"""IDX read and write: against struct, round trips, and against hostile files."""

import contextlib
import gzip
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinynas.data import read_idx, write_idx
from tinynas.errors import DataError

DTYPES = ("u1", "i1", "i2", "i4", "f4", "f8")
STRUCT = {0x08: "B", 0x09: "b", 0x0B: "h", 0x0C: "i", 0x0D: "f", 0x0E: "d"}

arrays = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4))
)


def header(code: int, *sizes: int) -> bytes:
    return bytes([0, 0, code, len(sizes)]) + b"".join(struct.pack(">I", size) for size in sizes)


@pytest.mark.parametrize(("code", "letter"), STRUCT.items())
def test_reads_what_struct_wrote(code: int, letter: str) -> None:
    values = [0, 1, 2, 100, 127, 3]
    array = read_idx(header(code, 2, 3) + struct.pack(f">6{letter}", *values))
    assert array.shape == (2, 3)
    assert array.dtype == np.dtype(letter)
    assert array.dtype.isnative
    assert array.ravel().tolist() == values


@settings(deadline=None)
@given(arrays)
def test_round_trip(array: np.ndarray) -> None:
    for data in (write_idx(array), gzip.compress(write_idx(array), 1)):
        back = read_idx(data)
        assert back.dtype == array.dtype
        np.testing.assert_array_equal(back, array)


@settings(deadline=None)
@given(st.binary(max_size=64) | st.binary(max_size=40).map(lambda tail: b"\0\0\x08\x02" + tail))
def test_any_bytes_are_an_array_or_a_data_error(data: bytes) -> None:
    with contextlib.suppress(DataError):
        assert write_idx(read_idx(data)) == data


def test_big_endian_and_strided_arrays_are_written_alike() -> None:
    values = np.arange(24, dtype="i4").reshape(4, 6)
    expected = header(0x0C, 3, 4) + struct.pack(">12i", *values.T[::2].ravel())
    assert write_idx(values.T[::2]) == write_idx(values.T[::2].astype(">i4")) == expected


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_file(tmp_path, suffix: str) -> None:
    data = write_idx(np.arange(10, dtype=np.uint8))
    path = tmp_path / f"anything{suffix}"
    path.write_bytes(gzip.compress(data) if suffix else data)
    assert read_idx(path).tolist() == read_idx(str(path)).tolist() == list(range(10))


ONE = header(0x08, 4) + b"abcd"
BAD = {
    "nothing": (b"", "0 bytes are too few"),
    "no magic": (b"\x89PNG....", "not an IDX file: it begins with 89 50 4e 47"),
    "unknown type": (header(0x0A, 4) + b"abcd", "not an IDX file"),
    "absurd rank": (b"\0\0\x08\xff" + b"\0" * 2000, "a rank of at most 32"),
    "cut in the header": (header(0x08, 4, 4)[:-1], "ends inside the sizes"),
    "cut": (ONE[:-1], r"promises shape \(4,\) of uint8 \(4 bytes\)"),
    "surplus": (ONE + b"e", "goes on after them"),
    "lying sizes": (header(0x0E, 0xFFFFFFFF, 0xFFFFFFFF) + b"abcd", "more than the"),
    "impossible": (header(0x08, 0, *[0xFFFFFFFF] * 9), "no possible array"),
    "gzip cut": (gzip.compress(ONE)[:-9], "gzip stream is damaged or cut off"),
    "gzip checksum": (gzip.compress(ONE)[:-8] + b"\0" * 8, "gzip stream is damaged"),
    "gzip body": (gzip.compress(ONE)[:10] + b"\xff" * 20, "gzip stream is damaged"),
    "gzip short": (gzip.compress(ONE[:-1]), "ends after 3 of them"),
    "gzip surplus": (gzip.compress(ONE + b"e"), "goes on after them"),
}


@pytest.mark.parametrize(("data", "sentence"), BAD.values(), ids=BAD.keys())
def test_bad_bytes_get_one_sentence(tmp_path, data: bytes, sentence: str) -> None:
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(data)
    with pytest.raises(DataError, match=sentence):
        read_idx(data)
    with pytest.raises(DataError, match=sentence) as caught:
        read_idx(path)
    assert str(caught.value).startswith(str(path))


def test_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(DataError, match=r"absent: cannot be read \(No such file"):
        read_idx(tmp_path / "absent")


@pytest.mark.parametrize(
    "data",
    [
        header(0x08, 1 << 31) + b"a" * 1000,
        gzip.compress(header(0x08, 1 << 31) + b"a" * 1000),
        gzip.compress(header(0x08, 100_000) + b"a" * 1000),
        gzip.compress(header(0x08, 4) + b"\0" * (64 << 20)),
    ],
    ids=["lying header", "lying header in gzip", "plausible lie in gzip", "bomb"],
)
def test_hostile_files_take_little_memory(data: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(DataError):
            read_idx(data)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_a_true_bomb_stops_at_max_bytes() -> None:
    data = gzip.compress(header(0x08, 8 << 20) + b"\0" * (8 << 20))
    assert read_idx(data).shape == (8 << 20,)
    with pytest.raises(DataError, match="more than the 1,048,576 bytes that are read at most"):
        read_idx(data, max_bytes=1 << 20)


@pytest.mark.parametrize("dtype", ["i8", "?", "f2", "U3", "O"])
def test_types_that_idx_lacks(dtype: str) -> None:
    with pytest.raises(DataError, match="convert them to one of uint8"):
        write_idx(np.zeros(3).astype(dtype))

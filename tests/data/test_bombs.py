"""Small files that unpack to large ones, and pictures that are programs: a sentence, not memory, time and code."""

import gzip
import struct
import tracemalloc
import zipfile
from collections import Counter, deque
from itertools import count

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from tinynas.data import load, read_idx
from tinynas.data.captures.files import frames
from tinynas.errors import DataError

MIB = 1 << 20


@pytest.fixture
def little():
    """At most 100 MiB are allocated."""
    tracemalloc.start()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100 * MIB


def _zeros(n_bytes: int, head: bytes = b"") -> bytes:
    """So many zeros behind a head, gzipped, without ever being in memory."""
    import io

    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9) as file:
        file.write(head)
        for _ in range(n_bytes // MIB):
            file.write(bytes(MIB))
    return out.getvalue()


def test_gzipped_idx(little):
    head = b"\0\0\x08\x03" + struct.pack(">3I", 256, 1024, 1024)
    with pytest.raises(DataError, match=r"more than the file of .* gunzip"):
        read_idx(_zeros(256 * MIB, head))


def test_gzipped_captures(tmp_path):
    path = tmp_path / "bomb.pcap.gz"
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    path.write_bytes(_zeros(64 * MIB, header))  # records of no bytes, sixteen a record
    seen = count()
    with pytest.raises(DataError, match=r"unpacks to more than 100 times its size.*gunzip"):
        deque(zip(frames(path, Counter()), seen, strict=False), maxlen=0)
    assert next(seen) < 1_100_000  # of 4 million


def test_npz(tmp_path, little):
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, shape in (("x", (256, 1024, 1024)), ("y", (256,))):
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
                for _ in range(max(1, np.prod(shape) // MIB)):
                    file.write(bytes(min(MIB, np.prod(shape))))
    with pytest.raises(DataError, match=r"bomb.npz, x.npy: would unpack from .*np\.savez"):
        load(tmp_path / "bomb.npz")


@pytest.mark.parametrize(
    ("dtype", "shape"), [("<U500000000", (2,)), ("<U1000", (50_000,)), ("|S100000", (10_000,))], ids=str
)
def test_class_names(tmp_path, little, dtype, shape):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((20, 4, 4)).astype(np.float32))
    np.save(tmp_path / "y.npy", np.arange(20) % 2)
    with (tmp_path / "class_names.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
        file.truncate(file.tell() + np.dtype(dtype).itemsize * shape[0])  # a file with a hole: it takes no disk
    with pytest.raises(DataError, match=r"class_names.*(takes|holds texts of) [\d,]+ bytes"):
        load(tmp_path)


def test_a_description_that_is_no_description(tmp_path, little):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((20, 4, 4)).astype(np.float32))
    np.save(tmp_path / "y.npy", np.arange(20) % 2)
    with (tmp_path / "meta.json").open("wb") as file:
        file.truncate(1 << 32)
    with pytest.raises(DataError, match=r"meta.json: is larger than"):
        load(tmp_path)


def test_a_picture_that_is_a_program_is_not_started(tmp_path, monkeypatch):
    """Pillow gives what begins as PostScript to Ghostscript, whatever the file is called."""
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *_, **__: pytest.fail("gs was started"))
    for name in "ab":
        (tmp_path / name).mkdir()
        for number in range(6):
            Image.fromarray(np.full((8, 8), number * 20, np.uint8)).save(tmp_path / name / f"{number}.jpg")
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "a" / "x.eps")
    (tmp_path / "a" / "x.eps").rename(tmp_path / "a" / "0.jpg")
    with pytest.raises(DataError, match=r"0\.jpg: cannot be read as a picture"):
        load(tmp_path)

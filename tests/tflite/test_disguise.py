"""What is given in place of a .tflite is called by its name."""

import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.tflite.models import fixture
from tinynas.errors import ModelError
from tinynas.tflite import analyze, read
from tinynas.tflite.disguise import disguised, float_model, is_lfs_pointer

POINTER = (
    b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca\n"
)


def archive() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr("config.json", "{}")
    return made.getvalue()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            POINTER,
            r"^these \d+ bytes are a git-LFS pointer, which stands for a file that was not fetched: run git lfs pull$",
        ),
        (archive(), "are a zip archive, as Keras .*; convert it first \\(tinynas convert MODEL"),
        (b"\x89HDF\r\n\x1a\n" + bytes(90), "are an HDF5 file, as Keras writes .*; convert it first"),
        (gzip.compress(fixture("s_dense16")), "are compressed"),
        (b"<!DOCTYPE html><html>", "are a web page: download"),
        (b"nothing known at all", "are not a .tflite file"),
    ],
)
def test_bytes_that_are_no_tflite(data: bytes, said: str) -> None:
    for reader in (read, analyze):
        with pytest.raises(ModelError, match=said) as error:
            reader(data)
        assert "\n" not in str(error.value)


def test_a_model_is_nothing_else() -> None:
    assert disguised(fixture("s_dense16")) is None
    assert disguised(b"") is None


def test_what_has_to_be_converted_first_is_told_by_its_looks(tmp_path: Path) -> None:
    (tmp_path / "saved").mkdir()
    assert float_model(tmp_path / "saved") is None
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"")
    assert float_model(tmp_path / "saved") == "a SavedModel"
    assert float_model(Path("a.KERAS")) == float_model(Path("b.h5")) == "a Keras model"
    assert float_model(Path("c.tflite")) is None


def test_a_pointer_is_known_by_its_first_line(tmp_path: Path) -> None:
    (tmp_path / "pointer").write_bytes(POINTER)
    np.save(tmp_path / "array.npy", np.zeros(3))
    assert is_lfs_pointer(tmp_path / "pointer")
    assert not is_lfs_pointer(tmp_path / "array.npy")
    assert not is_lfs_pointer(tmp_path / "none")
    assert not is_lfs_pointer(tmp_path)

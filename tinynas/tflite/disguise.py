"""What bytes are that should have been a model and are not: named, with what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_CONVERT = "convert it first (tinynas convert MODEL --data DATA)"
_LFS = b"version https://git-lfs.github.com/spec/"
# The first bytes of a file, what it is, and what to do.
_KINDS: Mapping[bytes, str] = {
    _LFS: "are a git-LFS pointer, which stands for a file that was not fetched: run git lfs pull",
    b"\x89HDF\r\n\x1a\n": f"are an HDF5 file, as Keras writes (.h5), and no .tflite; {_CONVERT}",
    b"PK\x03\x04": f"are a zip archive, as Keras (.keras) and PyTorch write, and no .tflite; {_CONVERT}",
    b"\x1f\x8b": "are compressed (gzip): unpack the file first",
    b"<!DOCTYPE": "are a web page: download the file that it shows",
    b"<!doctype": "are a web page: download the file that it shows",
    b"<html": "are a web page: download the file that it shows",
    b"VELA": "are a network in the format of an Ethos-U driver, and no .tflite: analyze the .tflite that went in",
}
KERAS = (".keras", ".h5", ".hdf5")
"""How the names of Keras files end."""


def disguised(data: bytes) -> str | None:
    """What `data` are and what to do, to stand behind "these bytes"; None when they are none of what is known here."""
    return next((words for start, words in _KINDS.items() if data.startswith(start)), None)


def float_model(path: Path) -> str | None:
    """What the model at `path` is by its looks, when it is one that has to be converted first; None otherwise."""
    if path.is_dir():
        looks = (path / "saved_model.pb").exists() or (path / "saved_model.pbtxt").exists()
        return "a SavedModel" if looks else None
    return "a Keras model" if path.suffix.lower() in KERAS else None


def is_lfs_pointer(path: Path) -> bool:
    """Whether the file at `path` is a git-LFS pointer in place of what it is called."""
    try:
        with path.open("rb") as file:
            return file.read(len(_LFS)) == _LFS
    except OSError:
        return False

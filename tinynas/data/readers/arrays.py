"""NumPy's files: an .npz of x, y and perhaps a test part, or .npy files of the same names side by side."""

from __future__ import annotations

import io
import math
import os
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.data.files import Meta, most_unpacked, read_meta
from tinynas.data.idx import MAX_BYTES, require_file
from tinynas.data.prepare import Source
from tinynas.data.readers.folders import entries
from tinynas.data.readers.listing import listed
from tinynas.data.readers.objects import read_objects
from tinynas.data.readers.official import split_files
from tinynas.errors import DataError
from tinynas.options.reading import ReadOptions

Array = npt.NDArray[Any]

# What an array may be called, the first of these that is there.
_NAMES = {
    "x": ("x", "x_train", "X", "X_train"),
    "y": ("y", "y_train", "Y", "Y_train", "labels"),
    "x_test": ("x_test", "X_test", "x_val", "X_val", "x_valid", "X_valid", "x_validation", "X_validation"),
    "y_test": ("y_test", "Y_test", "y_val", "Y_val", "y_valid", "Y_valid", "y_validation", "Y_validation"),
    "class_names": ("class_names", "classes"),
    "groups": ("groups", "groups_train"),
    "groups_test": ("groups_test", "groups_val"),
}
_MAY_BE_OBJECTS = ("y", "y_test", "class_names", "groups", "groups_test")  # text, which pandas keeps as objects
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_MAX_TEXT_BYTES = 4096  # of a label or a name
_MAX_NAMES_BYTES = 16 << 20
_WANTED = "x and y (or x_train and y_train), and perhaps x_test and y_test, class_names, groups and groups_test"


def read_npz(path: Path, options: ReadOptions) -> Source:
    """The set in an .npz file, in the only one of a folder, or in the two of a folder that are called by their part."""
    if not os.path.isdir(path):
        return _read_npz(path)
    files = [entry for entry in entries(path) if entry.suffix.lower() == ".npz"]
    train, test, notes = split_files(files)
    if len(train) != 1 or len(test) != 1:
        return _read_npz(*_only(files, path))
    source, tested = _read_npz(train[0]), _read_npz(test[0])
    if source.x_test is not None:
        raise DataError(f"{path}: {train[0].name} holds a test part, and {test[0].name} is one: keep one of them")
    meta = replace(source.meta, name=read_meta(path).name)
    return replace(
        source,
        meta=meta,
        x_test=tested.x,
        y_test=tested.y,
        groups_test=None if source.groups is None else tested.groups,
        notes=notes,
    )


def _read_npz(path: Path) -> Source:
    require_file(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            return _source(path, members, lambda name, takes: read_member(path, archive, members[name], takes))
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{path}: cannot be read as .npz ({error})") from error


def read_npy(path: Path, labels: Path | None) -> Source:
    """The set in a folder of .npy files; of x.npy with y.npy beside it; or of two files. Large ones stay on disk."""
    if labels is not None:
        meta = replace(read_meta(path.parent), name=path.stem)
        return Source(meta, open_array(path), open_array(labels, True))
    folder = path if os.path.isdir(path) else path.parent
    files = {entry.stem: entry for entry in entries(folder) if entry.suffix.lower() == ".npy"}
    if not os.path.isdir(path) and path.stem not in _NAMES["x"]:
        raise DataError(f"{path}: its labels are not known: give them with labels, or call the two x.npy and y.npy")
    return _source(folder, files, lambda name, takes: open_array(files[name], takes))


def is_numpy_folder(path: Path) -> bool:
    """Whether `path` is a folder with an x.npy, by any of its names."""
    return os.path.isdir(path) and any((path / f"{name}.npy").is_file() for name in _NAMES["x"])


def _source(path: Path, held: Mapping[str, Any], load: Callable[[str, bool], Array]) -> Source:
    found = {key: next((n for n in names if n in held), None) for key, names in _NAMES.items()}
    for key in ("x", "y"):
        if found[key] is None:
            raise DataError(f"{path}: has no array {key}; wanted {_WANTED}; it holds {listed(sorted(held))}")
    arrays = {key: None if name is None else load(name, key in _MAY_BE_OBJECTS) for key, name in found.items()}
    named = read_meta(path if os.path.isdir(path) else path.parent)
    names = arrays.pop("class_names")
    own = Meta(path.stem if os.path.isfile(path) else named.name, named.class_names, named.layout)
    if names is not None:
        if names.nbytes > _MAX_NAMES_BYTES:
            raise DataError(f"{path}: class_names takes {names.nbytes:,} bytes, wanted a name for each class")
        if names.ndim != 1 or names.dtype.kind not in "US":
            raise DataError(f"{path}: class_names is {names.dtype} of shape {names.shape}, wanted a list of strings")
        own = replace(own, class_names=tuple(map(str, names.astype(np.str_))))
    x, y = arrays["x"], arrays["y"]
    assert x is not None
    assert y is not None
    notes: tuple[str, ...] = ()
    if found["x_test"] not in (None, *_NAMES["x_test"][:2]):
        notes = (f"The test part is {found['x_test']} and {found['y_test']}, since there is no x_test.",)
    known = set().union(*_NAMES.values())
    left = sorted(name for name in held if name in known and name not in found.values())
    unknown = sorted(name for name in held if name not in known)
    if left:
        taken = listed([name for name in found.values() if name is not None], 8)
        notes += (f"Used: {taken}; {listed(left)} beside them {'is' if len(left) == 1 else 'are'} left out.",)
    if unknown:
        notes += (f"Left out, since their names are not known: {listed(unknown)}.",)
    parts = arrays["x_test"], arrays["y_test"], arrays["groups"], arrays["groups_test"]
    return Source(own, x, y, *parts, notes=notes)


def read_member(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, takes_objects: bool = False) -> Array:
    """The array of one file in the archive, after its header was held against its size; DataError for any damage."""
    where = f"{path}, {info.filename}"
    try:
        if info.file_size > most_unpacked(info.compress_size):
            raise DataError(
                f"{where}: would unpack from {info.compress_size:,} to {info.file_size:,} bytes, as no samples do; if "
                f"it is right all the same, save it with np.savez, which does not pack"
            )
        with archive.open(info) as file:
            shape, dtype, offset = _header(file, where, takes_objects)
            if dtype.hasobject:
                return read_objects(file.read(MAX_BYTES), shape, where)
        n_bytes = math.prod(shape) * dtype.itemsize
        if n_bytes + offset != info.file_size or n_bytes > MAX_BYTES:
            raise DataError(
                f"{where}: the header promises {n_bytes:,} bytes and {info.file_size - offset:,} follow; wanted as "
                f"many, and at most {MAX_BYTES:,} (save larger arrays as x.npy and y.npy: they stay on disk)"
            )
        return _characters(np.load(io.BytesIO(archive.read(info)), allow_pickle=False), where)
    except DataError:
        raise
    except (ValueError, EOFError, zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
        raise DataError(f"{where}: cannot be read ({_first_line(error)})") from error
    except Exception as error:  # zlib.error, lzma.LZMAError: each compression has its own
        raise DataError(f"{where}: is damaged ({_first_line(error)})") from error


def open_array(path: Path, takes_objects: bool = False) -> Array:
    """The array in an .npy file, mapped; small arrays cost no more that way. DataError for any damage."""
    require_file(path)
    try:
        with path.open("rb") as file:
            shape, dtype, offset = _header(file, str(path), takes_objects)
            if dtype.hasobject:
                return read_objects(file.read(MAX_BYTES), shape, str(path))
        if math.prod(shape) * dtype.itemsize != path.stat().st_size - offset:
            raise DataError(f"{path}: promises shape {shape} of {dtype}, which its size does not match: it is cut off")
        return _characters(np.load(path, mmap_mode="r" if math.prod(shape) else None, allow_pickle=False), str(path))
    except (ValueError, EOFError, OSError) as error:
        raise DataError(f"{path}: cannot be read as .npy ({_first_line(error)})") from error


def _characters(array: Array, where: str) -> Array:
    """`array`; DataError for texts with a number in them that is no character: NumPy itself fails on them later."""
    if array.dtype.kind not in "US" or not array.size:
        return array
    plain = np.ascontiguousarray(array).reshape(-1)
    if array.dtype.kind == "S":
        most, strange = 0x7F, plain.view(np.uint8)
    else:
        most, strange = sys.maxunicode, plain.view(np.dtype(np.uint32).newbyteorder(array.dtype.byteorder))
    if strange.size and strange.max() > most:
        raise DataError(f"{where}: holds texts with {strange.max():#x} in them, which is no character: it is damaged")
    return array


def _header(file: Any, where: str, takes_objects: bool) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    """(shape, type, bytes of the header) of an .npy file; objects are refused where they cannot be labels."""
    try:
        version = np.lib.format.read_magic(file)
        shape, _, dtype = _HEADERS[version](file)
    except KeyError:
        raise DataError(f"{where}: is .npy version {version}, wanted 1.0 or 2.0: save it with a plain type") from None
    except Exception as error:  # it is parsed as Python, which has many kinds of errors
        raise DataError(f"{where}: cannot be read as .npy ({_first_line(error)})") from error
    if dtype.kind in "US" and dtype.itemsize > _MAX_TEXT_BYTES:
        raise DataError(f"{where}: holds texts of {dtype.itemsize:,} bytes each, wanted at most {_MAX_TEXT_BYTES:,}")
    if dtype.hasobject and (not takes_objects or dtype != np.dtype(object)):
        raise DataError(f"{where}: holds Python objects, wanted numbers or strings: save it with a plain type")
    return shape, dtype, file.tell()


def _only(files: list[Path], folder: Path) -> list[Path]:
    if len(files) != 1:
        names = listed([file.name for file in files])
        raise DataError(f"{folder}: holds {len(files)} .npz files ({names}), wanted one: name the one that is meant")
    return files


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__

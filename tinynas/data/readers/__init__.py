"""The readers: what can be data, how it is told, and which options it takes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinynas.data.files import find_files, is_idx, read_meta
from tinynas.data.idx import open_idx, require_file
from tinynas.data.prepare import Source
from tinynas.data.readers.arrays import is_numpy_folder, read_npy, read_npz
from tinynas.data.readers.folders import IMAGES, SOUNDS, TABLES, class_folders, entries, files_in, suffixes_below
from tinynas.data.readers.images import read_images
from tinynas.data.readers.listing import listed
from tinynas.data.readers.media import is_listed
from tinynas.data.readers.rows import read_rows
from tinynas.data.readers.signals import read_signals
from tinynas.data.readers.sound import read_sounds
from tinynas.errors import DataError, UsageError
from tinynas.options.reading import SERIES_FEATURES, SOUND_FEATURES, ReadOptions

__all__ = ["READERS", "ReadOptions", "Reader", "choose", "read"]


@dataclass(frozen=True)
class Reader:
    """A kind of data: its name, the options it takes, whether a path is of it, and how it is read."""

    name: str
    takes: frozenset[str]
    matches: Callable[[Path, ReadOptions], bool]
    read: Callable[[Path, ReadOptions, int], Source]
    features: Sequence[str] = SERIES_FEATURES  # the kinds that it takes


def read(path: Path, labels: Path | None, options: ReadOptions, in_memory_bytes: int) -> Source:
    """The samples at `path`, as its reader reads them; `labels` is the second of a pair of IDX or .npy files.

    DataError when no reader knows what is there, or several do; UsageError for an option that the reader does not take.
    """
    if labels is not None:
        return _read_pair(path, labels, options, in_memory_bytes)
    reader = choose(path, options)
    for name in options.given():
        if name not in reader.takes:
            takers = sorted(other.name for other in READERS if name in other.takes)
            raise UsageError(f"{name} is for {' and '.join(takers)}; {path} is {reader.name}.")
    if options.features is not None and options.features not in reader.features:
        takers = sorted(other.name for other in READERS if options.features in other.features)
        raise UsageError(f"features {options.features} is for {' and '.join(takers)}; {path} is {reader.name}.")
    return reader.read(path, options, in_memory_bytes)


def choose(path: Path, options: ReadOptions) -> Reader:
    """The reader for what is at `path`; DataError says what is there when it is none, or more than one."""
    try:
        is_folder = os.path.isdir(path)
        if not is_folder:
            if not path.exists():
                raise DataError(f"{path}: no such file or folder")
            require_file(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{str(path)[:200]}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
    found = [reader for reader in READERS if reader.matches(path, options)]
    if len(found) > 1:
        names = " and ".join(reader.name for reader in found)
        raise DataError(f"{path}: could be {names}; keep one kind in a folder, or name the file that is meant")
    if not found:
        held = f"; it holds {listed([entry.name for entry in entries(path)])}" if is_folder else ""
        raise DataError(
            f"{path}: not a kind of data that is known{held}; wanted IDX files named like train-images-idx3-ubyte, "
            f".npz, x.npy and y.npy, CSV, or a folder with one subfolder of pictures, WAVs or CSVs for each class"
        )
    return found[0]


def _read_pair(path: Path, labels: Path, options: ReadOptions, in_memory_bytes: int) -> Source:
    refused = [name for name in options.given() if name not in EVERY]
    if refused:
        raise UsageError(f"{refused[0]} cannot be given with a labels file: {path} holds samples as they are.")
    if path.suffix.lower() == ".npy":
        return read_npy(path, labels)
    return Source(read_meta(path.parent), open_idx(path, in_memory_bytes), open_idx(labels, in_memory_bytes))


def _read_idx(path: Path, options: ReadOptions, in_memory_bytes: int) -> Source:
    files = find_files(path)
    x, y = (open_idx(file, in_memory_bytes) for file in files.train)
    if files.test is None:
        return Source(files.meta, x, y)
    x_test, y_test = (open_idx(file, in_memory_bytes) for file in files.test)
    return Source(files.meta, x, y, x_test, y_test)


def _is_npz(path: Path, options: ReadOptions) -> bool:
    files = entries(path) if os.path.isdir(path) else [path]
    return any(file.suffix.lower() == ".npz" and os.path.isfile(file) for file in files)


def _is_npy(path: Path, options: ReadOptions) -> bool:
    return is_numpy_folder(path) if os.path.isdir(path) else path.suffix.lower() == ".npy"


def _has(path: Path, suffixes: frozenset[str]) -> bool:
    """Whether `path` is a folder with such files in class folders, or more of them than tables right in it, and no
    IDX files or arrays; or one with a table that lists them.
    """
    if not os.path.isdir(path) or is_idx(path):
        return False
    if any(suffixes_below(folder, 2) & suffixes for folder in class_folders(path)):
        return True
    flat = files_in(path, suffixes)
    if not flat or any(entry.suffix.lower() in (".npz", ".npy") for entry in entries(path)):
        return False
    return len(flat) > len(files_in(path, TABLES)) or is_listed(path, suffixes)


def _has_tables(path: Path) -> bool:
    """Whether `path` is a CSV file or a folder of them; tables beside pictures or sounds only tell of these."""
    if not os.path.isdir(path):
        return path.suffix.lower() in TABLES
    return not is_idx(path) and bool(suffixes_below(path, 3) & TABLES) and not _has(path, IMAGES | SOUNDS)


def _plain(read: Callable[[Path, ReadOptions], Source]) -> Callable[[Path, ReadOptions, int], Source]:
    """`read` with the argument that it has no use for."""
    return lambda path, options, in_memory_bytes: read(path, options)


EVERY = frozenset(
    {"missing", "range", "features"}
)  # what every reader takes, since it speaks of values and not of files

# A path must match one row alone.
READERS = (
    Reader("a set of IDX files", EVERY, lambda path, _: is_idx(path), _read_idx),
    Reader("an .npz file", EVERY, _is_npz, _plain(read_npz)),
    Reader("a set of .npy files", EVERY, _is_npy, _plain(lambda path, options: read_npy(path, None))),
    Reader(
        "a folder of pictures",
        EVERY | {"label", "group", "image_size", "colour"},
        lambda path, _: _has(path, IMAGES),
        _plain(read_images),
        (),
    ),
    Reader(
        "a folder of WAV files",
        EVERY | {"label", "group", "window", "stride", "sample_rate", "mels"},
        lambda path, _: _has(path, SOUNDS),
        _plain(read_sounds),
        SOUND_FEATURES,
    ),
    Reader(
        "CSV of rows",
        EVERY | {"label", "group", "columns"},
        lambda path, options: options.window is None and _has_tables(path),
        _plain(read_rows),
    ),
    Reader(
        "CSV of signals",
        EVERY | {"label", "group", "columns", "window", "stride", "rate"},
        lambda path, options: options.window is not None and _has_tables(path),
        _plain(read_signals),
    ),
)

"""Folders as people lay data out: what lies in them, and which are the two parts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from tinynas.data.readers.listing import listed
from tinynas.data.readers.official import split_folders
from tinynas.errors import DataError

_TRAIN = ("train", "training")
_LOOKED_AT = 5000  # entries, until it is plain what kind of files a folder holds
IMAGES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm", ".pnm"})
SOUNDS = frozenset({".wav"})
TABLES = frozenset({".csv", ".tsv"})


def entries(folder: Path) -> list[Path]:
    """What is in `folder`, by name; hidden entries are left out. DataError when it cannot be listed."""
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise DataError(f"{folder}: cannot be listed ({error.strerror or error})") from error


def files_in(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    """The regular files right in `folder` with one of the suffixes, in any case, by name."""
    return [entry for entry in entries(folder) if entry.suffix.lower() in suffixes and os.path.isfile(entry)]


def suffixes_below(folder: Path, depth: int) -> set[str]:
    """The suffixes, in lower case, of the files right in `folder` and up to `depth` folders further down."""
    return {Path(name).suffix.lower() for name in islice(_names(folder, depth), _LOOKED_AT)}


def parts(folder: Path) -> tuple[Path, Path | None, tuple[str, ...]]:
    """(training folder, test folder or None, notes): the train and test folders in `folder`, or `folder` itself.

    A folder val stands for a test folder that is not there. A folder called train that has neither beside it nor
    folders in it is a class of that name.
    """
    held = [entry for entry in entries(folder) if os.path.isdir(entry)]
    split = split_folders(held)
    if split is not None:
        return split
    train = next((entry for entry in held if entry.name.lower() in _TRAIN), None)
    if train is None or not class_folders(train):
        return folder, None, ()
    left = sorted(entry.name for entry in held if entry != train)
    return train, None, (f"Beside {train.name}/ these folders were left out: {listed(left)}.",) if left else ()


def class_folders(folder: Path) -> list[Path]:
    """The folders in `folder` that stand for a class, by name."""
    return [entry for entry in entries(folder) if os.path.isdir(entry) and not entry.name.startswith("_")]


def below(folder: Path) -> Iterator[Path]:
    """Yield the files at any depth below `folder`, in a fixed order; links to folders are not followed."""
    for place, folders, names in os.walk(folder, onerror=_raise):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place, name) for name in sorted(names) if not name.startswith("."))


def _names(folder: Path, depth: int) -> Iterator[str]:
    held = entries(folder)
    yield from (entry.name for entry in held if os.path.isfile(entry))
    if depth:
        for entry in held:
            if os.path.isdir(entry) and not entry.name.startswith("_"):
                yield from _names(entry, depth - 1)


def _raise(error: OSError) -> None:
    raise DataError(f"{error.filename}: cannot be listed ({error.strerror or error})") from error

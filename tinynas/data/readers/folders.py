"""Folders as people lay data out: one a class, or a train and a test folder of those."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from tinynas.errors import DataError

_TRAIN, _TEST = ("train", "training"), ("test", "testing", "t10k")
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

    A folder called train that has neither a test folder beside it nor folders in it is a class of that name.
    """
    named = {entry.name.lower(): entry for entry in entries(folder) if os.path.isdir(entry)}
    train = next((named[name] for name in _TRAIN if name in named), None)
    test = next((named[name] for name in _TEST if name in named), None)
    if train is None or (test is None and not class_folders(train)):
        return folder, None, ()
    left = sorted(entry.name for entry in named.values() if entry not in (train, test))
    notes = (f"Beside {train.name}/ these folders were left out: {listed(left)}.",) if left else ()
    return train, test, notes


def by_class(folder: Path, suffixes: frozenset[str], what: str) -> tuple[list[Path], list[str]]:
    """Files with the suffixes and the class of each: the name of the folder in `folder` that they are in or below.

    Folders that begin with "_" or "." are left out. DataError when there are no classes, or one has no file.
    """
    found: list[Path] = []
    labels: list[str] = []
    folders = class_folders(folder)
    for one in folders:
        own = [path for path in _below(one) if path.suffix.lower() in suffixes and os.path.isfile(path)]
        if not own:
            raise DataError(
                f"{one}: holds no {what}; every folder in {folder} is a class (one named _{one.name} is not)"
            )
        found += own
        labels += [one.name] * len(own)
    if not found:
        raise DataError(f"{folder}: holds no folder with {what} in it; wanted one folder a class")
    return found, labels


def class_folders(folder: Path) -> list[Path]:
    """The folders in `folder` that stand for a class, by name."""
    return [entry for entry in entries(folder) if os.path.isdir(entry) and not entry.name.startswith("_")]


def listed(names: Sequence[str], most: int = 8) -> str:
    """The first names and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more if names else "nothing"


def _below(folder: Path) -> Iterator[Path]:
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

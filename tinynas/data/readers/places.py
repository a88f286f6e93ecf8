"""The class of a file from where it lies: its folder, the folder in that, or its name."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinynas.data.readers.folders import below, class_folders, files_in
from tinynas.data.readers.listing import listed
from tinynas.data.readers.official import part_of, split_files
from tinynas.errors import DataError

FOLDER, SUBFOLDER, FILE = PLACES = ("folder", "subfolder", "file")
_PERSON = re.compile(
    r"(?!class|label|cat|type|state|level|grade|stage|digit)[A-Za-z]", re.IGNORECASE
)  # begins s1, user_02
_MOST_CLASSES = 100  # that names of files stand for


@dataclass(frozen=True)
class Placed:
    """Files, the class of each by its place ("" where it says none), its outermost folder, and what is to be said."""

    files: list[Path]
    labels: list[str]
    folders: list[str]
    notes: tuple[str, ...] = ()
    by: str = FOLDER

    def part(self, chosen: Sequence[Path]) -> Placed:
        """The same of some of the files, without the notes."""
        rows = [number for number, file in enumerate(self.files) if file in set(chosen)]
        files, labels, folders = ([every[row] for row in rows] for every in (self.files, self.labels, self.folders))
        return Placed(files, labels, folders, (), self.by)  # type: ignore[arg-type]

    def split(self) -> tuple[Placed, Placed | None, tuple[str, ...]]:
        """(training part, test part or None, notes) where every file is called by its part."""
        if not self.files or any(part_of(file.stem) is None for file in self.files):
            return self, None, ()
        train, test, notes = split_files(self.files)
        if (
            not test
            or set(self.part(test).labels) != set(self.labels)
            or set(self.part(train).labels) != set(self.labels)
        ):
            return self, None, ()
        return Placed(*_fields(self.part(train)), self.notes, self.by), self.part(test), notes


def _fields(one: Placed) -> tuple[list[Path], list[str], list[str]]:
    return one.files, one.labels, one.folders


def placed(folder: Path, suffixes: frozenset[str], what: str, asked: str | None, one_each: bool) -> Placed:
    """The files with the suffixes in or below `folder`, each with its class.

    asked: "folder" for the outermost folder, "subfolder" for the one a file is right in, "file" for its name; None
    takes folders where there are any, and the inner ones where the outer ones only count persons.  one_each: whether a
    file is one sample, so that names that all differ are no classes. Folders that begin with "_" or "." are left out.
    DataError when there are no classes, or a folder has no file.
    """
    folders, flat = class_folders(folder), files_in(folder, suffixes)
    deep = {one: _with(one, suffixes) for one in folders}
    if asked == FILE or (asked is None and flat and not any(deep.values())):
        files = [*flat, *(file for one in folders for file in deep[one])]
        return _by_name(folder, files, what, one_each)
    for one, own in deep.items():
        if not own:
            raise DataError(
                f"{one}: holds no {what}; every folder in {folder} is a class (one named _{one.name} is not)"
            )
    files = [file for own in deep.values() for file in own]
    if not files:
        raise DataError(f"{folder}: holds no folder with {what} in it; wanted one subfolder for each class")
    outer = [one.name for one, own in deep.items() for _ in own]
    inner = [file.parent.name for file in files]
    notes: tuple[str, ...] = (f"{len(flat)} {what} beside the folders were left out.",) if flat else ()
    if asked == SUBFOLDER:
        return Placed(files, inner, outer, notes, SUBFOLDER)
    called = names_as_labels(files, one_each) if asked is None and _count([one.name for one in deep]) else None
    if called is not None and _recur(called, outer):
        both = (
            f"Of the folders ({listed(sorted(set(outer)), 3)}) and the files' names ({listed(sorted(set(called)), 3)})"
        )
        if all(_PERSON.match(one.name) for one in deep):
            notes += (f"{both} the names are taken for classes, the folders count persons (--label folder).",)
            return Placed(files, called, outer, notes, FILE)
        notes += (f"{both} the folders are taken for classes (--label file overrides this).",)
    repeated = asked is None and _is_repeated(deep, folder)
    shown = f"the outer folders ({listed(sorted(set(outer)), 3)}) and the inner ones ({listed(sorted(set(inner)), 3)})"
    if repeated and _count(outer) and not _count(inner):
        notes += (f"Of {shown} the inner ones are taken for classes, the outer ones count persons (--label folder).",)
        return Placed(files, inner, outer, notes, SUBFOLDER)
    if repeated and not _count(inner):
        notes += (f"Of {shown} the outer ones are taken for classes (--label subfolder overrides this).",)
    return Placed(files, outer, outer, notes)


def names_as_labels(files: Sequence[Path], one_each: bool) -> list[str] | None:
    """The class that each file's name says: label.xyz.wav, walk_03.csv, punch.csv; None where names are no classes."""
    labels = [_label_of(file.stem) for file in files]
    different = set(labels)
    most = len(files) // 2 if one_each else len(files)
    if "" in different or not 2 <= len(different) <= min(most, _MOST_CLASSES):
        return None
    return labels


def said_of_names(labels: Sequence[str]) -> str:
    """The sentence that says that names were taken for classes."""
    return (
        f"The class is taken from the name of each file ({listed(sorted(set(labels)), 4)}); a subfolder for each "
        f"class, or --label, overrides this."
    )


def _label_of(stem: str) -> str:
    """The first word of label.xyz, else the name without numbers at its end and without train or test."""
    name = stem.split(".")[0] if "." in stem.strip(".") else stem
    if part_of(name) is not None:
        words = [word for word in re.split(r"[\s_\-]+", name) if part_of(word) is None]
        name = "_".join(words)
    return re.sub(r"(?:[\s_\-.(\[]*\d+[\s)\]]*)+$", "", name).strip(" _-.")


def _by_name(folder: Path, files: list[Path], what: str, one_each: bool) -> Placed:
    labels = names_as_labels(files, one_each)
    if labels is None:
        raise DataError(
            f"{folder}: holds {what} whose class is not known ({listed([file.name for file in files], 3)}): lay them "
            f"in one subfolder for each class, or name them after it, as in walk_01"
        )
    return Placed(files, labels, [""] * len(files), (said_of_names(labels),), FILE)


def _with(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    return [path for path in below(folder) if path.suffix.lower() in suffixes and os.path.isfile(path)]


def _is_repeated(deep: dict[Path, list[Path]], folder: Path) -> bool:
    """Whether every file is in a folder within a folder, and the inner ones are called alike in several outer ones."""
    if any(file.parent == one for one, own in deep.items() for file in own):
        return False
    inner = [{file.parent.name for file in own} for own in deep.values()]
    names = set[str]().union(*inner)
    return len(inner) > 1 and len(names) > 1 and all(sum(name in own for own in inner) > 1 for name in names)


def _recur(labels: Sequence[str], folders: Sequence[str]) -> bool:
    """Whether each label is in several of the folders, and the folders are not called by labels themselves."""
    held = {label: {one for other, one in zip(labels, folders, strict=True) if other == label} for label in labels}
    return len(held) > 1 and all(len(own) > 1 for own in held.values())


def _count(names: Sequence[str]) -> bool:
    """Whether names only count: s1, user_02, 17."""
    return all(re.fullmatch(r"[A-Za-z]*[ _-]?\d+", name) for name in names)

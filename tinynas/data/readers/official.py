"""Splits that come with the data: files and folders that are called train, test or val, and lists of test files."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from tinynas.data.readers.listing import listed

Part = Literal["train", "test", "val"]

_WORDS: dict[str, Part] = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("test", "testing", "tst", "t10k"), "test"),
    **dict.fromkeys(("val", "valid", "validation", "validate", "eval", "evaluation", "dev"), "val"),
}
SPLIT_COLUMNS = ("split", "set", "subset", "partition", "usage", "part", "datasplit", "traintest")
_TEST_LIST = "testing_list.txt"  # as the Speech Commands have it


def part_of(name: str) -> Part | None:
    """The part that a name says, as mnist_train, ECG200_TEST, valSet or "PublicTest" do; None for none or two."""
    parts = {_WORDS[word] for word in _words(name) if word in _WORDS}
    return parts.pop() if len(parts) == 1 else None


def split_files(files: Sequence[Path]) -> tuple[list[Path], list[Path], tuple[str, ...]]:
    """(training files, test files, notes): by their names, where those of both parts are called alike but for that.

    Without test files those of val are the test part. Without both parts all files are for training.
    """
    parts = {part: [file for file in files if part_of(file.stem) == part] for part in ("train", "test", "val")}
    train, test = parts["train"], parts["test"] or parts["val"]
    if not {_rest(file.stem) for file in train} & {_rest(file.stem) for file in test}:
        return list(files), [], ()
    left = [file.name for file in files if file not in train and file not in test]
    names = f"{listed([file.name for file in train])} and {listed([file.name for file in test])}"
    said = (f"The training and the test part are {names}, as the files are called.",)
    return train, test, (*said, *((f"Beside {names} these were left out: {listed(left)}.",) if left else ()))


def split_folders(folders: Sequence[Path]) -> tuple[Path, Path, tuple[str, ...]] | None:
    """(training folder, test folder, notes) of folders of which one is called train and another test, or else val."""
    named = {_WORDS[folder.name.lower()]: folder for folder in reversed(folders) if folder.name.lower() in _WORDS}
    train, test = named.get("train"), named.get("test", named.get("val"))
    if train is None or test is None:
        return None
    left = sorted(folder.name for folder in folders if folder not in (train, test))
    said = () if "test" in named else (f"The test part is {test.name}/, since there is no test folder.",)
    return train, test, (*said, *((f"Beside {train.name}/ these folders were left out: {listed(left)}.",) * bool(left)))


def listed_for_test(folder: Path) -> frozenset[str]:
    """The files, relative to `folder`, that a testing_list.txt in it sets apart for the test; none without one."""
    try:
        text = (folder / _TEST_LIST).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return frozenset()
    return frozenset(os.path.normpath(line.strip()) for line in text.splitlines() if line.strip())


def _words(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+[a-z]+", name)]


def _rest(name: str) -> str:
    """A name without the part that it says, and without digits at its end."""
    return " ".join(word for word in _words(name) if word not in _WORDS)

"""Finds the IDX files of a data set on disk, and what the meta.json beside them says."""

from __future__ import annotations

import gzip
import json
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from tinynas.data.layout import Layout, as_layout
from tinynas.errors import DataError

Pair = tuple[Path, Path]

_NAME = re.compile(
    r"(?P<family>.*?)(?P<part>train(?:ing)?|test|t10k)?[-_.]?(?P<what>images|labels)"
    r"[-_.]idx\d?(?:[-_.][a-z0-9]+?)?(?P<gz>\.gz)?",
    re.IGNORECASE,
)
_WANTED = "train-images-idx3-ubyte, train-labels-idx1-ubyte and the same with test- or t10k-, plain or .gz"


_MAX_RATIO = 100  # real samples are packed to a tenth at best; deflate packs zeros to a thousandth
_MAX_META_BYTES = 16 << 20


def most_unpacked(packed_bytes: int, free_bytes: int = 64 << 20) -> int:
    """How many bytes a packed file of that size may unpack to, `free_bytes` at least; more is a bomb, or all zeros."""
    return max(free_bytes, _MAX_RATIO * packed_bytes)


class BoundedGzip(gzip.GzipFile):
    """A gzipped file, read; DataError once more has come out of it than `most_unpacked` says, 16 MiB being free."""

    def __init__(self, path: Path) -> None:
        """Open the file at `path`."""
        super().__init__(path, "rb")
        self._path, self._left = path, most_unpacked(path.stat().st_size, 16 << 20)

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes, at most `size` of them."""
        data = super().read(size)
        self._left -= len(data)
        if self._left < 0:
            raise DataError(
                f"{self._path}: unpacks to more than {_MAX_RATIO} times its size, as no file of samples does; if it is "
                f"right all the same, unpack it with gunzip."
            )
        return data


@dataclass(frozen=True)
class Meta:
    """What meta.json, or its kind of files, says of a set; None where it says nothing.

    `layout_reason` stands with a layout that follows from the kind of files and not from meta.json.
    """

    name: str
    class_names: tuple[str, ...] | None = None
    layout: Layout | None = None
    layout_reason: str | None = None

    def with_layout(self, layout: Layout, reason: str) -> Meta:
        """The same with a layout and its reason, where meta.json names none."""
        return self if self.layout is not None else replace(self, layout=layout, layout_reason=reason)


@dataclass(frozen=True)
class Files:
    """(images, labels) of the training part, and of the test part where there is one."""

    train: Pair
    test: Pair | None
    meta: Meta


def find_files(path: Path) -> Files:
    """The files of the set at `path`: a folder, or an images file whose labels lie beside it.

    Names are MNIST's, with "-" or "." before idx, any rank, plain or .gz (plain goes first); a set of one
    pair has no test part. DataError names what is missing and what is there.
    """
    if os.path.isdir(path):
        train = _pair(path, "train")
        if train is None:
            raise DataError(f"{path}: no training images; looked for {_WANTED}; the folder holds {_listing(path)}")
        return Files(train, _pair(path, "test"), read_meta(path))
    if not os.path.isfile(path):
        raise DataError(f"{path}: no such file or folder; wanted a folder with {_WANTED}")
    match = _NAME.fullmatch(path.name)
    if match is None or match["what"].lower() != "images":
        raise DataError(
            f"{path}: not named like an images file (train-images-idx3-ubyte), so its labels are not known: "
            f"give the images and the labels as a pair"
        )
    return Files((path, _labels_of(path, match)), None, read_meta(path.parent))


def is_idx(path: Path) -> bool:
    """Whether `path` is a folder with IDX files in it, by their names, or a file that is none of another kind."""
    if os.path.isdir(path):
        return bool(_idx_files(path))
    return path.suffix.lower() not in (".npz", ".npy", ".csv", ".tsv")


def read_meta(folder: Path) -> Meta:
    """What `folder`/meta.json says; a folder without one gives its own name and nothing else."""
    path, name = folder / "meta.json", folder.resolve().name
    if not os.path.isfile(path):
        return Meta(name)
    try:
        if path.stat().st_size > _MAX_META_BYTES:
            raise DataError(f"{path}: is larger than {_MAX_META_BYTES:,} bytes, which no description of a set is")
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: cannot be read as JSON ({error})") from error
    if not isinstance(values, dict):
        raise DataError(f"{path}: holds a {type(values).__name__}, wanted an object")
    classes, layout = values.get("classes"), values.get("layout")
    if classes is not None and not (isinstance(classes, list) and all(isinstance(c, str) for c in classes)):
        raise DataError(f"{path}: classes is {classes!r}, wanted a list of strings")
    return Meta(
        str(values.get("name", name)),
        None if classes is None else tuple(classes),
        None if layout is None else as_layout(layout, str(path)),
    )


def _pair(folder: Path, part: str) -> Pair | None:
    """The images and labels of `part` ("train" or "test") in `folder`; None when there are no such images."""
    images = _only([p for p, m in _idx_files(folder) if _is(m, part, "images")])
    if images is None:
        return None
    match = _NAME.fullmatch(images.name)
    assert match is not None  # _idx_files gave it
    return images, _labels_of(images, match)


def _labels_of(images: Path, match: re.Match[str]) -> Path:
    """The labels that lie beside an images file, of the same family and part."""
    own = (match["family"].lower(), match["part"] or "")
    labels = _only(
        [
            path
            for path, m in _idx_files(images.parent)
            if m["what"].lower() == "labels" and (m["family"].lower(), m["part"] or "") == own
        ]
    )
    if labels is None:
        wanted = f"{match['family']}{match['part'] or ''}{'-' if match['part'] else ''}labels-idx1-ubyte"
        raise DataError(
            f"{images}: no labels beside it; looked for {wanted}, plain or .gz; "
            f"the folder holds {_listing(images.parent)}"
        )
    return labels


def _idx_files(folder: Path) -> list[tuple[Path, re.Match[str]]]:
    matches = [(path, _NAME.fullmatch(path.name)) for path in _entries(folder) if os.path.isfile(path)]
    return [(path, match) for path, match in matches if match is not None]


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise DataError(f"{folder}: cannot be listed ({error.strerror or error})") from error


def _is(match: re.Match[str], part: str, what: str) -> bool:
    is_test = (match["part"] or "").lower() in ("test", "t10k")
    return match["what"].lower() == what and is_test == (part == "test")


def _only(paths: list[Path]) -> Path | None:
    """The one path of `paths`; of a plain file and its .gz the plain one. Several are a DataError."""
    plain = [p for p in paths if p.suffix != ".gz" or p.with_suffix("") not in paths]
    if len(plain) > 1:
        names = ", ".join(p.name for p in plain)
        raise DataError(f"{plain[0].parent}: several files for the same part: {names}; keep one, or give a pair")
    return plain[0] if plain else None


def _listing(folder: Path) -> str:
    names = [p.name for p in _entries(folder)]
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(names[:8]) + more if names else "nothing"

"""Write the files of a folder so that a failure leaves none of them half there."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tinynas.errors import ConversionError


def write_folder(folder: Path, files: Mapping[str, bytes]) -> tuple[Path, ...]:
    """Write `files` into `folder`, made when it is not there; other files in it stay. Gives the paths, in order.

    Everything is written beside the folder first and then moved. ConversionError when that cannot be.
    """
    try:
        return _written(folder, files)
    except OSError as error:
        raise ConversionError(
            f"{folder} cannot be written ({error.strerror or error}); choose another --out."
        ) from error


def _written(folder: Path, files: Mapping[str, bytes]) -> tuple[Path, ...]:
    if folder.exists() and not folder.is_dir():
        raise ConversionError(f"{folder} cannot be written (it is a file); choose another --out.")
    for name in files:
        if (folder / name).is_dir():
            raise ConversionError(f"{folder / name} is a folder: choose another --out or --name.")
    beside = Path(tempfile.mkdtemp(prefix=".tinynas-", dir=_existing(folder)))
    try:
        for name, data in files.items():
            (beside / name).write_bytes(data)
        folder.mkdir(parents=True, exist_ok=True)
        for name in files:
            (beside / name).replace(folder / name)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return tuple(folder / name for name in files)


def _existing(folder: Path) -> Path:
    """The folder itself, or the nearest above it that exists: on its file system a move is one step."""
    folder = folder.absolute()
    return next(each for each in (folder, *folder.parents) if each.is_dir())

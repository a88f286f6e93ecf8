"""Write the files of a folder so that a failure leaves none of them half there."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tinynas.errors import ConversionError

_MARK = ".tinynas-"  # then the number of the process, and something by chance


def write_folder(folder: Path, files: Mapping[str, bytes]) -> tuple[Path, ...]:
    """Write `files` into `folder`, made when it is not there; other files in it stay. Gives the paths, in order.

    Everything is written beside the folder first and then moved; when a move fails, what was there is put back.
    ConversionError when that cannot be.
    """
    try:
        return _written(folder, files)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        remedy = "make room there, or choose another --out" if full else "choose another --out"
        raise ConversionError(f"{folder} cannot be written ({error.strerror or error}); {remedy}.") from error


def _written(folder: Path, files: Mapping[str, bytes]) -> tuple[Path, ...]:
    if folder.exists() and not folder.is_dir():
        raise ConversionError(f"{folder} cannot be written (it is a file); choose another --out.")
    for name in files:
        if (folder / name).is_dir():
            raise ConversionError(f"{folder / name} is a folder: choose another --out or --name.")
    place = _existing(folder)
    _sweep(place)
    beside = Path(tempfile.mkdtemp(prefix=f"{_MARK}{os.getpid()}-", dir=place))
    fresh, before = beside / "fresh", beside / "before"
    try:
        for each in (fresh, before):
            each.mkdir()
        for name, data in files.items():
            (fresh / name).write_bytes(data)
        if folder.exists():
            _replace(folder, fresh, before, list(files))
        else:
            folder.parent.mkdir(parents=True, exist_ok=True)
            fresh.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return tuple(folder / name for name in files)


def _replace(folder: Path, fresh: Path, before: Path, names: list[str]) -> None:
    """Move the files `names` from `fresh` to `folder`, and what was there to `before`; put all back when one fails."""
    moved = []
    try:
        for name in names:
            if (folder / name).exists():
                (folder / name).replace(before / name)
            moved.append(name)
            (fresh / name).replace(folder / name)
    except BaseException:
        for name in moved:
            (folder / name).unlink(missing_ok=True)
            if (before / name).exists():
                (before / name).replace(folder / name)
        raise


def _sweep(place: Path) -> None:
    """Remove what processes that were killed left in `place`."""
    for path in place.glob(f"{_MARK}*-*"):
        pid = path.name.removeprefix(_MARK).partition("-")[0]
        if pid.isdecimal() and not _lives(int(pid)):
            shutil.rmtree(path, ignore_errors=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _existing(folder: Path) -> Path:
    """The folder itself, or the nearest above it that exists: on its file system a move is one step."""
    folder = folder.absolute()
    return next(each for each in (folder, *folder.parents) if each.is_dir())

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


_MADE = b"ade by tinynas"  # in the first lines of every source
_FIRST_BYTES = 400


def write_folder(folder: Path, files: Mapping[str, bytes], own: str | None = None) -> tuple[Path, ...]:
    """Write `files` into `folder`, made when it is not there; other files in it stay. Gives the paths, in order.

    `own` is a folder in it whose every source is compiled: what an earlier export left there goes.
    Everything is written beside the folder first and then moved; when a move fails, what was there is put back.
    ConversionError when that cannot be.
    """
    try:
        return _written(folder, files, own)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        remedy = "make room there, or choose another --out" if full else "choose another --out"
        raise ConversionError(f"{folder} cannot be written ({error.strerror or error}); {remedy}.") from error


def _written(folder: Path, files: Mapping[str, bytes], own: str | None) -> tuple[Path, ...]:
    if folder.exists() and not folder.is_dir():
        raise ConversionError(f"{folder} cannot be written (it is a file); choose another --out.")
    for name in files:
        if (folder / name).is_dir():
            raise ConversionError(f"{folder / name} is a folder: choose another --out or --name.")
        for above in (folder / name).relative_to(folder).parents:
            if (folder / above).exists() and not (folder / above).is_dir():
                raise ConversionError(f"{folder / above} is a file: choose another --out.")
    left = [] if own is None else _left(folder, own, files)
    place = _existing(folder)
    _sweep(place)
    beside = Path(tempfile.mkdtemp(prefix=f"{_MARK}{os.getpid()}-", dir=place))
    fresh, before = beside / "fresh", beside / "before"
    try:
        for each in (fresh, before):
            each.mkdir()
        for name, data in files.items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).write_bytes(data)
        if folder.exists():
            _replace(folder, fresh, before, list(files), left)
        else:
            folder.parent.mkdir(parents=True, exist_ok=True)
            fresh.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return tuple(folder / name for name in files)


def _left(folder: Path, own: str, files: Mapping[str, bytes]) -> list[str]:
    """What an earlier export left in the folder `own` of `folder`."""
    found = [path for path in (folder / own).glob("*") if path.is_file() and f"{own}/{path.name}" not in files]
    return [f"{own}/{path.name}" for path in found if _MADE in _beginning(path)]


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_FIRST_BYTES)


def _replace(folder: Path, fresh: Path, before: Path, names: list[str], left: list[str]) -> None:
    """Move the files `names` from `fresh` to `folder`, and what was there, and what is `left`, to `before`.

    All is put back when one cannot be moved.
    """
    moved, made = [], []
    try:
        for name in [*names, *left]:
            made += _folders(folder, (folder / name).parent)
            (before / name).parent.mkdir(parents=True, exist_ok=True)
            if (folder / name).exists():
                (folder / name).replace(before / name)
            moved.append(name)
            if name not in left:
                (fresh / name).replace(folder / name)
    except BaseException:
        for name in moved:
            (folder / name).unlink(missing_ok=True)
            if (before / name).exists():
                (before / name).replace(folder / name)
        for each in reversed(made):
            each.rmdir()
        raise


def _folders(top: Path, folder: Path) -> list[Path]:
    """Make `folder` and those above it up to `top`; which were made, the highest first."""
    made = []
    for each in (*reversed(folder.relative_to(top).parents), folder.relative_to(top)):
        if not (top / each).exists():
            (top / each).mkdir()
            made.append(top / each)
    return made


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

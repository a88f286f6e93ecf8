"""Files that are written whole or not at all, and what a disk says that refuses them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tinynas.errors import RunError


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """RunError, with what to do, for a disk that refuses what is written to `path` in the block."""
    try:
        yield
    except OSError as error:
        raise RunError(
            f"{error.filename or path} cannot be written ({error.strerror or error}): make room there, and go on with "
            f"--resume."
        ) from error


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a kill leaves the old file or the new one, never half of one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(data)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)

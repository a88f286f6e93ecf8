"""IDX, the file format of MNIST: big-endian arrays of any rank and of six element types, plain or gzipped.

two zero bytes, a type byte, a rank byte, `rank` sizes of 32 bits, then the elements in row-major order
"""

from __future__ import annotations

import gzip
import io
import math
import os
import stat
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from tinynas.data.files import most_unpacked
from tinynas.errors import DataError

Array = npt.NDArray[Any]

_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_CODES = {np.dtype(text).newbyteorder("="): code for code, text in _DTYPES.items()}
_MAX_RANK = 32
_CHUNK = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"
MAX_BYTES = 4 << 30


def read_idx(source: bytes | str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> Array:
    """The array in an IDX file or in its bytes, in the machine's byte order; gzip is told by its first bytes.

    Memory stays within twice what is really there: a header that promises more than the file holds, or more
    than `max_bytes`, raises DataError before anything of that size is allocated. So does a surplus at the
    end.
    """
    if isinstance(source, bytes):
        return _read(io.BytesIO(source), len(source), "IDX bytes", max_bytes)
    path = Path(source)
    require_file(path)
    try:
        with path.open("rb") as file:
            return _read(file, path.stat().st_size, str(path), max_bytes)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error


def open_idx(path: str | os.PathLike[str], in_memory_bytes: int) -> Array:
    """As read_idx, but a plain file whose values as float32 could take more than `in_memory_bytes` is mapped.

    Only what is looked at is then read, in the file's byte order, and any size will do; it is read-only.
    """
    path = Path(path)
    require_file(path)
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            if 4 * size <= in_memory_bytes or file.read(2) == _GZIP_MAGIC:
                return read_idx(path)
            file.seek(0)
            dtype, shape = _header(file, str(path))
            offset = file.tell()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    n_bytes = math.prod(shape) * dtype.itemsize
    if n_bytes != size - offset:
        raise DataError(
            f"{path}: the header promises shape {shape} of {dtype.name} ({n_bytes:,} bytes) but {size - offset:,} "
            f"follow: it is cut off or not one IDX array"
        )
    return np.memmap(path, dtype, "r", offset, shape)


def require_file(path: Path) -> None:
    """Raise DataError unless `path` is a regular file: a pipe or a device would be waited for, perhaps for ever."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        raise DataError(f"{str(path)!r} is no path ({error})") from error
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a pipe, socket or device"
        raise DataError(f"{path} is {what}, wanted a regular file")


def write_idx(array: npt.ArrayLike) -> bytes:
    """The bytes of a plain IDX file: the inverse of read_idx. Types that IDX lacks raise DataError."""
    values = np.asarray(array)
    code = _CODES.get(values.dtype.newbyteorder("="))
    if code is None:
        known = ", ".join(str(dtype) for dtype in _CODES)
        raise DataError(f"IDX cannot hold elements of type {values.dtype}; convert them to one of {known}")
    if values.ndim > _MAX_RANK or any(size >= 1 << 32 for size in values.shape):
        raise DataError(f"IDX cannot hold an array of shape {values.shape}: at most {_MAX_RANK} axes of less than 2^32")
    header = bytes([0, 0, code, values.ndim]) + np.array(values.shape, dtype=">u4").tobytes()
    return header + values.astype(_DTYPES[code]).tobytes()


def _read(raw: BinaryIO, size: int, name: str, max_bytes: int) -> Array:
    zipped = raw.read(2) == _GZIP_MAGIC
    raw.seek(0)
    if not zipped:
        return _parse(raw, size, size, name, max_bytes)
    try:
        with gzip.GzipFile(fileobj=raw) as file:
            return _parse(file, size, most_unpacked(size), name, max_bytes)  # type: ignore[arg-type]
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{name}: the gzip stream is damaged or cut off ({error})") from error


def _parse(file: BinaryIO, size: int, most: int, name: str, max_bytes: int) -> Array:
    """Read header and elements of `file`, which takes `size` bytes on disk and holds at most `most`."""
    dtype, shape = _header(file, name)
    n_bytes = math.prod(shape) * dtype.itemsize
    promise = f"{name}: the header promises shape {shape} of {dtype.name} ({n_bytes:,} bytes)"
    if n_bytes > max_bytes:
        hint = "" if most == size else ": unpack it with gunzip, a plain file may have any size"
        raise DataError(f"{promise}, more than the {max_bytes:,} bytes that are read at most{hint}")
    if n_bytes > most:
        hint = "" if most == size else "; if it is right all the same, unpack it with gunzip"
        raise DataError(f"{promise}, more than the file of {size:,} bytes can hold: it is cut off or not IDX{hint}")
    data = bytearray()
    while len(data) < n_bytes:
        chunk = file.read(min(_CHUNK, n_bytes - len(data)))
        if not chunk:
            raise DataError(f"{promise} but the file ends after {len(data):,} of them: it is cut off")
        data += chunk
    if file.read(1):
        raise DataError(f"{promise} but the file goes on after them: it is not one IDX array")
    try:
        array = np.frombuffer(data, dtype=dtype).reshape(shape)
    except ValueError as error:
        raise DataError(f"{promise}, which is no possible array ({error})") from error
    if array.dtype.isnative:
        return array
    swapped: Array = array.byteswap(inplace=True).view(dtype.newbyteorder("="))
    return swapped


def _header(file: BinaryIO, name: str) -> tuple[np.dtype[Any], tuple[int, ...]]:
    magic = file.read(4)
    if len(magic) < 4:
        raise DataError(f"{name}: {len(magic)} bytes are too few for an IDX header of at least 4")
    if magic[:2] != b"\0\0" or magic[2] not in _DTYPES or magic[3] > _MAX_RANK:
        raise DataError(
            f"{name}: not an IDX file: it begins with {magic.hex(' ')}, "
            f"wanted 00 00, a type of {', '.join(f'{code:02x}' for code in _DTYPES)}, "
            f"and a rank of at most {_MAX_RANK}"
        )
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise DataError(f"{name}: the file ends inside the sizes of the IDX header: it is cut off")
    return np.dtype(_DTYPES[magic[2]]), tuple(int(n) for n in np.frombuffer(sizes, dtype=">u4"))

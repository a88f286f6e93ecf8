"""WAV files as mono samples in [-1, 1], those included whose recorder did not come back to write how long they are."""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tinynas.data.idx import require_file
from tinynas.errors import DataError

Floats = npt.NDArray[np.float32]

_FULL_SCALE = {"uint8": 128.0, "int16": 2.0**15, "int32": 2.0**31}
_UNKNOWN = 0x7FFF0000  # bytes, from which on a size stands for one that was not known


class Sound(NamedTuple):
    """Hz, samples (n,) that are the channels' mean, and whether the file does not say how long it is."""

    rate: int
    samples: Floats
    is_open: bool = False


def read_wav(file: Path) -> Sound:
    """The sound in a file; DataError naming it when it is none, or is cut off."""
    from scipy.io import wavfile

    require_file(file)
    try:
        data = file.read_bytes()
        closed = _closed(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)  # of chunks that hold no sound
            warnings.filterwarnings("error", "Reached EOF", wavfile.WavFileWarning)  # cut off
            rate, raw = wavfile.read(io.BytesIO(data if closed is None else closed))
    except Exception as error:  # the parser trips over damage in many ways
        text = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(f"{file}: cannot be read as a WAV file ({text})") from error
    if raw.size == 0 or not 100 <= rate <= 400_000:
        raise DataError(f"{file}: holds {raw.size} samples at {rate} Hz, wanted some at 100 to 400,000 Hz")
    sound: Any = raw.astype(np.float64)
    if raw.dtype.name in _FULL_SCALE:
        sound = (sound - (128.0 if raw.dtype == np.uint8 else 0.0)) / _FULL_SCALE[raw.dtype.name]
    elif raw.dtype.kind != "f" or not np.abs(sound).max() < 1e6:  # not a number is not below either
        raise DataError(
            f"{file}: holds {raw.dtype} samples beyond any range of sound, wanted PCM, or floats in [-1, 1]"
        )
    mono: Floats = (sound if sound.ndim == 1 else sound.mean(axis=1)).astype(np.float32)
    return Sound(int(rate), mono, closed is not None)


def _closed(data: bytes) -> bytes | None:
    """The bytes of a file with the sizes that its header lacks, up to the last whole sample; None where it has them."""
    if data[:4] not in (b"RIFF", b"RIFX") or data[8:12] != b"WAVE":
        return None
    order = "<" if data[:4] == b"RIFF" else ">"
    at, align = 12, 1
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack_from(f"{order}I", data, at + 4)[0]
        if name == b"fmt " and at + 22 <= len(data):
            align = max(1, struct.unpack_from(f"{order}H", data, at + 20)[0])
        if name == b"data":
            rest = len(data) - at - 8
            is_open = (size >= _UNKNOWN and size > rest) or (
                size == 0 and rest >= align and not _is_chunk(data, at + 8, order)
            )
            if not is_open:
                return None
            size = rest - rest % align
            head = data[:4] + struct.pack(f"{order}I", at + size) + data[8 : at + 4] + struct.pack(f"{order}I", size)
            return head + data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    return None


def _is_chunk(data: bytes, at: int, order: str) -> bool:
    """Whether a chunk of another kind begins at `at`, as it does behind a sound that is truly empty."""
    if at + 8 > len(data) or not data[at : at + 4].strip().isalnum():
        return False
    return at + 8 + int(struct.unpack_from(f"{order}I", data, at + 4)[0]) <= len(data) + 1

"""A folder of WAV files by class, as log-mel spectrograms."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.data.features import MelFeatures
from tinynas.data.files import read_meta
from tinynas.data.idx import require_file
from tinynas.data.prepare import Source
from tinynas.data.readers.folders import SOUNDS, parts
from tinynas.data.readers.places import placed
from tinynas.data.samples import allocate
from tinynas.errors import DataError
from tinynas.options.reading import ReadOptions, Seconds

Floats = npt.NDArray[np.float32]
Part = tuple[list[Path], list[str]]

_LONGEST_S = 10.0  # of a clip, when no window was asked for
_FULL_SCALE = {"uint8": 128.0, "int16": 2.0**15, "int32": 2.0**31}


def read_sounds(path: Path, options: ReadOptions) -> Source:
    """Spectrograms (n, frames, bands) in decibels, the names of their folders, and how they were made.

    Without a window each file is one clip, as long as the longest of the training files, shorter ones ended with
    silence. With one, a longer file gives several clips, which are a group: they stay on one side of every split.
    """
    train, test, notes = parts(path)
    found = placed(train, SOUNDS, "WAV files", None, True)
    part = found.files, found.labels
    found_test = None if test is None else placed(test, SOUNDS, "WAV files", None, True)
    part_test = None if found_test is None else (found_test.files, found_test.labels)
    notes += found.notes
    rate, both = _agreed(part[0] + (part_test[0] if part_test else []), path, options.sample_rate)
    lengths, lengths_test = both[: len(part[0])], both[len(part[0]) :]
    clip = _length(options.window, rate) or max(lengths)
    if clip > max(lengths):
        raise DataError(
            f"{path}: the longest file has {max(lengths):,} samples at {rate} Hz, fewer than the window of {clip:,}: "
            f"make it shorter"
        )
    if options.window is None and clip > _LONGEST_S * rate:
        raise DataError(
            f"{path}: the longest file lasts {clip / rate:.1f} s: give window (--window), the samples of a clip, "
            f"such as {rate} for a second"
        )
    try:
        features = MelFeatures.for_sound(rate, clip, options.mels)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    x, y, groups = _clips(part, lengths, features, options)
    source = Source(
        read_meta(path).with_layout("image", "frames x bands of a log-mel spectrogram"),
        x,
        y,
        groups=groups if options.window else None,
        features=features,
        notes=notes,
    )
    if part_test is None:
        return source
    x_test, y_test, groups_test = _clips(part_test, lengths_test, features, options)
    return Source(
        source.meta,
        x,
        y,
        x_test,
        y_test,
        source.groups,
        groups_test if options.window else None,
        features,
        notes,
    )


def _agreed(files: Sequence[Path], path: Path, wanted: int | None) -> tuple[int, list[int]]:
    """(sample rate, samples of each file at that rate): the rate asked for, or the one that all have."""
    found = [(rate, len(sound)) for rate, sound in map(_read, files)]
    rates = {rate: file for (rate, _), file in zip(found, files, strict=True)}
    if wanted is None and len(rates) > 1:
        (rate, file), (other_rate, other) = list(rates.items())[:2]
        raise DataError(
            f"{path}: the sample rates differ ({file.name} {rate} Hz, {other.name} {other_rate} Hz): give sample_rate "
            f"(--sample-rate)"
        )
    target = wanted or next(iter(rates))
    return target, [_resampled_length(length, rate, target) for rate, length in found]


def _clips(
    part: Part, lengths: Sequence[int], features: MelFeatures, options: ReadOptions
) -> tuple[Floats, list[str], list[str]]:
    """The spectrograms of every clip of the files, the label of each and the file it is from."""
    clip, stride = features.clip, _length(options.stride, features.sample_rate) or features.clip
    longest = clip if options.window is None else max(lengths)
    starts = [range(0, max(1, min(length, longest) - clip + 1), stride) for length in lengths]
    x = allocate((sum(map(len, starts)), features.n_frames, features.n_mels), np.float32)
    labels: list[str] = []
    groups: list[str] = []
    for file, label, begins in zip(*part, starts, strict=True):
        sound = _resampled(*_read(file), features.sample_rate)
        sound = np.pad(sound, (0, max(0, clip - len(sound))))
        clips = np.lib.stride_tricks.sliding_window_view(sound, clip)[begins.start : begins.stop : begins.step]
        x[len(labels) : len(labels) + len(begins)] = features.apply(clips)
        labels += [label] * len(begins)
        groups += [str(file)] * len(begins)
    return x, labels, groups


def _length(length: int | Seconds | None, rate: int) -> int | None:
    return length.steps(rate) if isinstance(length, Seconds) else length


def _read(file: Path) -> tuple[int, Floats]:
    """(sample rate, samples (n,) in [-1, 1], the channels' mean); DataError naming the file when it is no sound."""
    from scipy.io import wavfile

    require_file(file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)  # of chunks that hold no sound
            warnings.filterwarnings("error", "Reached EOF", wavfile.WavFileWarning)  # cut off
            rate, raw = wavfile.read(file)
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
    return int(rate), mono


def _resampled(rate: int, sound: Floats, target: int) -> Floats:
    if rate == target:
        return sound
    from scipy.signal import resample_poly

    common = math.gcd(rate, target)
    made: Floats = resample_poly(sound, target // common, rate // common).astype(np.float32)
    return made


def _resampled_length(length: int, rate: int, target: int) -> int:
    common = math.gcd(rate, target)
    return -(-length * (target // common) // (rate // common))

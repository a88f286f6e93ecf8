"""WAV files by class, as log-mel spectrograms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.data.files import read_meta
from tinynas.data.prepare import Source
from tinynas.data.readers.folders import SOUNDS
from tinynas.data.readers.listing import listed
from tinynas.data.readers.media import Labelled, find_media
from tinynas.data.readers.quiet import background, levels
from tinynas.data.readers.wav import Sound, read_wav
from tinynas.data.readers.windows import BLOCKS, LEAST_GROUPS, blocks_of, covered
from tinynas.data.samples import allocate
from tinynas.errors import DataError
from tinynas.features import SOUND, IntLogMel, MelFeatures, SoundFeatures
from tinynas.features.fixed import to_int16
from tinynas.features.noise import Noise
from tinynas.options.reading import ReadOptions, Seconds

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]

_LONGEST_S = 10.0  # of a clip, when no window was asked for


@dataclass(frozen=True, eq=False)
class _File:
    """A file, its class, who or what it belongs to, and the first samples of its clips with the group of each."""

    path: Path
    label: str
    starts: list[int]
    groups: list[str]


def read_sounds(path: Path, options: ReadOptions) -> Source:
    """Spectrograms (n, frames, bands), the names of their classes, and how they were made.

    They are logarithms, of which prepare makes bytes, or with `features` of log_mel decibels.

    Without a window each file is one clip, as long as the longest of the training files, shorter ones ended with
    silence. With one, a longer file gives several clips, which are a group: they stay on one side of every split.
    """
    media = find_media(path, SOUNDS, "WAV files", options)
    n = len(media.train.files)
    rate, both, notes = _agreed([*media.train.files, *(media.test.files if media.test else [])], path, options)
    lengths, lengths_test = both[:n], both[n:]
    clip = _length(options.window, rate) or max(lengths)
    if clip > max(lengths):
        raise DataError(
            f"{path}: the longest file has {max(lengths):,} samples at {rate} Hz, fewer than the window of {clip:,}: "
            f"make it shorter"
        )
    if options.window is None and clip > _LONGEST_S * rate:
        raise DataError(
            f"{path}: the longest file lasts {clip / rate:.1f} s: give window (--window), the samples of a clip or its "
            f"time, such as {rate} or 1s"
        )
    kind, _, extra = (options.features or next(iter(SOUND))).partition("+")
    try:
        features: SoundFeatures = SOUND[kind].for_sound(rate, clip, options.mels)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    if extra and isinstance(features, IntLogMel):
        found, told = background(path, media.train.files, media.train.labels, features, partial(_samples, rate=rate))
        features = replace(features, noise=Noise(found, pcan=extra == "pcan"))
        notes = (*notes, told)
    stride = _length(options.stride, rate) or clip
    files = _files(media.train, lengths, clip, stride, options)
    notes = (*media.notes, *notes)
    if media.test is None and options.window is not None and options.group is None:
        files, cut = _in_blocks(files, clip, stride)
        notes = (*notes, *cut)
    notes = (*notes, *_lost(files, lengths, clip, options))
    source = Source(
        read_meta(path).with_layout("image", "frames x bands of a log-mel spectrogram"),
        *_clips(files, features, levels(len(files))),
        groups=_groups(files, media.train, options),
        features=features,
        notes=notes,
    )
    if media.test is None:
        return source
    tested = _files(media.test, lengths_test, clip, stride, options)
    x_test, y_test = _clips(tested, features, [1.0] * len(tested))
    return replace(source, x_test=x_test, y_test=y_test, groups_test=_groups(tested, media.test, options))


def _agreed(files: Sequence[Path], path: Path, options: ReadOptions) -> tuple[int, list[int], tuple[str, ...]]:
    """(sample rate, samples of each file at that rate, notes): the rate asked for, or the one that all have."""
    wanted = options.sample_rate
    found = [(sound.rate, len(sound.samples), sound.is_open) for sound in map(read_wav, files)]
    rates = {rate: file for (rate, _, _), file in zip(found, files, strict=True)}
    if wanted is None and len(rates) > 1:
        (rate, file), (other_rate, other) = list(rates.items())[:2]
        raise DataError(
            f"{path}: the sample rates differ ({file.name} {rate} Hz, {other.name} {other_rate} Hz): give sample_rate "
            f"(--sample-rate)"
        )
    target = wanted or next(iter(rates))
    still_open = [file.name for file, (_, _, is_open) in zip(files, found, strict=True) if is_open]
    notes: tuple[str, ...] = ()
    if still_open:
        shown = listed(still_open, 3)
        notes = (f"{len(still_open):,} files do not say how long they are ({shown}) and were read to their end.",)
    return target, [_resampled_length(length, rate, target) for rate, length, _ in found], notes


def _files(part: Labelled, lengths: Sequence[int], clip: int, stride: int, options: ReadOptions) -> list[_File]:
    """The files of a part with the clips of each: one without a window, else as many as there is room for."""
    files = []
    for number, (file, label, length) in enumerate(zip(part.files, part.labels, lengths, strict=True)):
        starts = [0] if options.window is None else list(range(0, max(1, length - clip + 1), stride))
        group = str(file) if part.groups is None else part.groups[number]
        files.append(_File(file, label, starts, [group] * len(starts)))
    return files


def _in_blocks(files: Sequence[_File], clip: int, stride: int) -> tuple[list[_File], tuple[str, ...]]:
    """The same with blocks as groups where a class has too few recordings for a test part and folds, and a note."""
    pairs = {(file.label, group) for file in files for group in file.groups}
    labels = [label for label, _ in pairs]
    few = sorted(label for label in set(labels) if labels.count(label) < LEAST_GROUPS)
    few = [label for label in few if any(len(file.starts) > 1 for file in files if file.label == label)]
    if not few:
        return list(files), ()
    overlap = -(-clip // stride) - 1
    note = (
        f"Of {listed([repr(label) for label in few], 4)} there are fewer than the {LEAST_GROUPS} recordings that a "
        f"test part and folds need, so these were cut into up to {BLOCKS} blocks each: clips of two parts share no "
        f"sample, but they share recordings, and the scores will flatter."
    )
    return [_blocked(file, overlap) if file.label in few else file for file in files], (note,)


def _blocked(file: _File, overlap: int) -> _File:
    blocks = blocks_of(len(file.starts), overlap).tolist()
    kept = [
        (start, f"{file.path}, block {block + 1:02}")
        for start, block in zip(file.starts, blocks, strict=True)
        if block >= 0
    ]
    return _File(file.path, file.label, [start for start, _ in kept], [group for _, group in kept])


def _lost(files: Sequence[_File], lengths: Sequence[int], clip: int, options: ReadOptions) -> tuple[str, ...]:
    """The sentence on samples that are in no window."""
    if options.window is None:
        return ()
    lost = sum(
        length - covered(np.array(file.starts, dtype=np.int64), max(length, clip), clip) + max(0, clip - length)
        for file, length in zip(files, lengths, strict=True)
    )
    return (f"{lost:,} of {sum(lengths):,} samples are in no window.",) if lost else ()


def _groups(files: Sequence[_File], part: Labelled, options: ReadOptions) -> list[str] | None:
    """The group of each clip; None where each is a recording of its own."""
    if options.window is None and part.groups is None:
        return None
    return [group for file in files for group in file.groups]


def _clips(files: Sequence[_File], features: SoundFeatures, noise: Sequence[float]) -> tuple[Array, list[str]]:
    """What prepare makes spectrograms of every clip of the files of, and the label of each.

    Frames of a recording that several clips hold are computed once. `noise` is how much louder than the background it
    is before each file, for features that have noise reduction.
    """
    clip = features.clip
    shape = (sum(len(file.starts) for file in files), features.n_frames, features.n_mels)
    x = allocate(shape, np.float32 if isinstance(features, MelFeatures) else np.int32)
    labels: list[str] = []
    for file, level in zip(files, noise, strict=True):
        sound = resampled(read_wav(file.path), features.sample_rate)
        sound = np.pad(sound, (0, max(0, clip - len(sound))))
        rows = slice(len(labels), len(labels) + len(file.starts))
        if isinstance(features, MelFeatures):
            begins = np.array(file.starts)[:, None] + features.hop * np.arange(features.n_frames)
            unique, places = np.unique(begins, return_inverse=True)
            made = features.of_frames(np.lib.stride_tricks.sliding_window_view(sound, features.frame)[unique])
            x[rows] = made[places.reshape(begins.shape)]
        else:
            x[rows] = features.after_noise(level).logs_of_windows(to_int16(sound), file.starts)
        labels += [file.label] * len(file.starts)
    return x, labels


def _samples(file: Path, rate: int) -> npt.NDArray[np.int16]:
    return to_int16(resampled(read_wav(file), rate))


def _length(length: int | Seconds | None, rate: int) -> int | None:
    return length.steps(rate) if isinstance(length, Seconds) else length


def resampled(sound: Sound, target: int) -> Floats:
    """The samples at the rate `target`, by a polyphase filter."""
    rate = sound.rate
    if rate == target:
        return sound.samples
    from scipy.signal import resample_poly

    common = math.gcd(rate, target)
    made: Floats = resample_poly(sound.samples, target // common, rate // common).astype(np.float32)
    return made


def _resampled_length(length: int, rate: int, target: int) -> int:
    common = math.gcd(rate, target)
    return -(-length * (target // common) // (rate // common))

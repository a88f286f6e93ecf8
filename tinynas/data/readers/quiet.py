"""The background of a set of recordings: what an estimate of noise has heard before a clip begins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinynas.data.readers.folders import SOUNDS
from tinynas.data.readers.listing import listed
from tinynas.features import IntLogMel
from tinynas.features.noise import SMOOTHING_BITS
from tinynas.features.smoothing import background_of
from tinynas.features.tables import BANK_BITS
from tinynas.words import counted

_MOST_FILES = 256  # evenly spread over the set: a level needs no more
_QUIET = 0.1  # of the frames, by their sums
_FAINTEST = 2.0  # standard deviation of a sample, of 32768: below it no microphone is
_LEVEL_DB = 12.0
_NO_NOISE = frozenset({"unknown", "other", "others", "none", "normal"})  # may be speech, or a machine that runs

Int16s = npt.NDArray[np.int16]


def background(
    path: Path, files: Sequence[Path], labels: Sequence[str], features: IntLogMel, read: Callable[[Path], Int16s]
) -> tuple[tuple[int, ...], str]:
    """(the mean magnitude of each band's noise in 1 / 1024, a sentence that says of what).

    Of the recordings in folders such as _background_noise_ below `path`, which are no class; else of those of classes
    such as noise, silence or background; else of the tenth of all frames that is the softest, digital silence left out.
    It is at least that of a faint white noise.
    """
    noises = sorted({label for label in labels if _is_noise(label)})
    beside = _beside(path)
    of = f"the folder {beside[0].parent.name}" if beside else f"the class {listed([repr(name) for name in noises], 3)}"
    chosen = beside or [file for file, label in zip(files, labels, strict=True) if label in noises or not noises]
    frames = _frames(map(read, chosen[:: -(-len(chosen) // _MOST_FILES)]), features)
    if not beside and not noises:
        of = "the softest tenth of all frames"
        sums = frames.sum(axis=1)
        heard = frames[sums > 0]
        frames = heard[np.argsort(sums[sums > 0], kind="stable")[: max(1, round(_QUIET * len(heard)))]]
    means = frames.mean(axis=0) if len(frames) else np.zeros(features.n_mels)
    found = np.round(np.maximum(means, faintest(features)) * (1 << SMOOTHING_BITS)).astype(np.int64)
    note = f"Noise reduction begins with the noise of {of} ({counted(len(frames), 'frame')})."
    return tuple(found.tolist()), note


def _is_noise(name: str) -> bool:
    return bool(background_of([name])) and not _NO_NOISE & set(name.lower().strip("_").split("_"))


def _beside(path: Path) -> list[Path]:
    """The recordings of folders of noise whose names begin with _, so that they are no class."""
    places = [place for place in sorted(path.rglob("_*")) if place.is_dir() and _is_noise(place.name)]
    return [file for place in places for file in sorted(place.iterdir()) if file.suffix.lower() in SOUNDS]


def levels(n: int) -> list[float]:
    """How much louder than the background the noise before each of n recordings is: from -12 to 12 dB, by chance.

    A stream has other noise behind it than that of the training, and a model that has seen one level alone tells less
    where there is another.
    """
    decibels = np.random.default_rng(0).uniform(-_LEVEL_DB, _LEVEL_DB, n)
    return [float(each) for each in 10 ** (decibels / 20)]


def faintest(features: IntLogMel) -> npt.NDArray[np.float64]:
    """The magnitudes (n_mels,) of a white noise that is as faint as a microphone's, 2 of 32768 in the mean."""
    power = _FAINTEST**2 * (features.tables.window / 4096.0) ** 2
    root: npt.NDArray[np.float64] = np.sqrt(
        power.sum() / features.n_fft**2 * features.filters().sum(axis=0) * (1 << BANK_BITS)
    )
    return root


def _frames(sounds: Iterable[Int16s], features: IntLogMel) -> npt.NDArray[np.int64]:
    """The magnitudes (n, n_mels) of the frames of all that are as long as one."""
    views = (
        np.lib.stride_tricks.sliding_window_view(sound, features.frame)[:: features.hop]
        for sound in sounds
        if len(sound) >= features.frame
    )
    return np.concatenate([np.empty((0, features.n_mels), np.int64), *map(features.magnitudes, views)])

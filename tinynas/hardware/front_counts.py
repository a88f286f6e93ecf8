"""What is counted of features, ring and stream: bytes of C's structures and tables, turns of its loops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from tinynas.features import Features, SoundFeatures, Spectral
    from tinynas.features.stream import Stream

Kind = Literal["int_log_mel", "log_mel", "spectral", "steps"]
_INDEX_BYTES = 4  # a counter of the structures
_LOG_BYTES, _GAINS_BYTES = 2 * 129, 2 * 125
_ESTIMATE_BYTES = 4  # of a band's noise


def kind_of(features: Features | None) -> Kind:
    """The name of what is measured alike."""
    if features is None:
        return "steps"
    known: Mapping[str, Kind] = {"int_log_mel": "int_log_mel", "spectral": "spectral"}
    return known.get(features.KIND, "log_mel")


def _is_spectral(features: Features | None) -> TypeIs[Spectral]:
    """Whether these are: asked by their name, since NumPy is not to be loaded for a command's help."""
    return kind_of(features) == "spectral"


def options_of(features: Features | None) -> tuple[str, ...]:
    """What is measured apart: noise reduction and PCAN, where they are on."""
    noise = None if features is None or features.KIND != "int_log_mel" else features.noise  # type: ignore[union-attr]
    return () if noise is None else ("noise", "pcan") if noise.pcan else ("noise",)


def features_bytes(features: Features) -> int:
    """Bytes of NAME_features, the structure that C keeps with its ring, on a processor of 32 bits."""
    if _is_spectral(features):
        return _aligned(6 * features.n_fft + 2 * _INDEX_BYTES + 2 * features.window * features.channels, 8)
    work = (2 if kind_of(features) == "int_log_mel" else 4) * features.n_fft
    estimates = _ESTIMATE_BYTES * features.n_mels if options_of(features) else 0
    return _aligned(work + 4 * _INDEX_BYTES + estimates + 2 * features.frame + features.n_frames * features.n_mels)


def ring_bytes(features: Features | None, stream: Stream) -> int:
    """Bytes of the values of a window."""
    return (2 if _is_spectral(features) else 1) * stream.values


def stream_bytes(features: Features | None, stream: Stream) -> int:
    """Bytes of NAME_stream beside the features and the ring."""
    indices = 7 if features is None else 5
    own = indices * _INDEX_BYTES + 4 * stream.classes + stream.smoothing.results * stream.classes
    if features is None:
        return _aligned(own + stream.values) - stream.values
    return _aligned(own, 8 if _is_spectral(features) else 4)


def tables_bytes(features: Features | None, stream: Stream) -> int:
    """Bytes of constants: window, FFT, bands and logarithms, or how a channel becomes a value; and of each class.

    Of noise reduction the background, of PCAN the gains.
    """
    if features is None:
        tables = 16 * stream.channels
    elif _is_spectral(features):
        tables = 5 * features.n_fft + _aligned(_LOG_BYTES) + 8 * features.channels * (1 + features.n_values)
    elif features.KIND == "int_log_mel":
        own = features.tables  # type: ignore[union-attr]
        width = 1 if own.widths.max() < 256 else 2
        arrays = (own.window, own.twiddles, own.turns, own.weights)
        tables = sum(_aligned(2 * each.size) for each in arrays) + _aligned(width * own.widths.size)
        tables += _aligned(_LOG_BYTES)
        options = options_of(features)
        tables += _ESTIMATE_BYTES * features.n_mels * ("noise" in options)
        tables += _aligned(_GAINS_BYTES) * ("pcan" in options)
    else:
        tables = 4 * features.frame + 4 * features.n_fft + 4 * features.n_mels + 4 * _weights(features)
    return tables + _aligned(stream.classes)


def turns_of_push(features: Features | None, stream: Stream) -> tuple[float, ...]:
    """What takes instructions as often as there is something new: a frame of sound, or a step."""
    return turns_of_step(stream) if features is None or _is_spectral(features) else turns_of_frame(features)


def turns_of_frame(features: SoundFeatures) -> tuple[float, ...]:
    """What a frame of sound takes once, a sample of it, a new one, one that is moved, a value of the FFT, a value of
    each of its stages, a weight and a band."""
    half = features.n_fft // 2
    bits = half.bit_length() - 1
    stages = -(-bits // 2) if features.KIND == "int_log_mel" else bits  # of radix 4, where that goes
    moved = max(0, features.frame - features.hop)
    return 1, features.frame, features.hop, moved, half, half * stages, _weights(features), features.n_mels


def turns_of_option(features: Features) -> tuple[float, ...]:
    """What noise reduction, or PCAN beside it, takes of a frame once, and of a band."""
    return 1, features.n_mels  # type: ignore[union-attr]


def turns_of_step(stream: Stream) -> tuple[float, ...]:
    """What a step takes once, and each of its channels."""
    return 1, stream.channels


def turns_of_window(features: Features | None, stream: Stream) -> tuple[float, ...]:
    """What a window takes once, each of its values, and each class of its result; spectral features of it take a share
    for each value that goes into an FFT, for each pair of these in each of its stages, and for each of the features."""
    if not _is_spectral(features):
        return 1, stream.values, stream.classes
    pairs = features.channels * features.segments * features.n_fft // 2
    stages = -(-((features.n_fft // 2).bit_length() - 1) // 2)
    made = features.channels * features.n_values
    return 1, stream.values, stream.classes, 2 * pairs, pairs * stages, made


def _weights(features: SoundFeatures) -> int:
    """Weights of all bands as C has them."""
    if features.KIND == "int_log_mel":
        return len(features.tables.weights)  # type: ignore[union-attr]
    used = features.filters() > 0
    first, last = used.argmax(axis=0), len(used) - used[::-1].argmax(axis=0)
    return int((last - first).sum())


def _aligned(n_bytes: int, to: int = 4) -> int:
    return -(-n_bytes // to) * to

"""Windows of a sensor's steps as spectral features: what 16 bits and bytes span is found in the training part."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinynas.data.layout import Layout
from tinynas.data.normalize import chunks
from tinynas.data.ranges import Ranges
from tinynas.errors import DataError
from tinynas.features import Spectral

Array = npt.NDArray[Any]


def as_spectra(
    raw: Array, raw_test: Array, rows: npt.NDArray[np.int64] | None, ranges: Ranges, layout: Layout, where: str
) -> tuple[Spectral, Array, Array]:
    """Spectral features and the bytes (n, values, 1, channels) of both parts, raw samples (n, steps, 1, channels).

    16 bits hold the `ranges` of the channels, and bytes span the training `rows` (None: all). DataError for pictures,
    and for windows that are too short or too long.
    """
    if layout != "series":
        raise DataError(
            f"{where}: a sample is a picture, and spectral features are those of a sensor's steps: leave features "
            f"away, or say layout series (--layout series)"
        )
    try:
        features = Spectral.for_series(raw.shape[1], ranges.low, ranges.high)
    except DataError as error:
        raise DataError(f"{where}: {error}") from error
    parts = [_values(features, part) for part in ((raw,) if raw_test is raw else (raw, raw_test))]
    features = features.fitted(parts[0] if rows is None else parts[0][rows])
    made = [features.bytes_of(part)[:, :, None] for part in parts]
    return features, made[0], made[-1]


def _values(features: Spectral, raw: Array) -> npt.NDArray[np.int32]:
    """What bytes are made of."""
    out = np.empty((len(raw), features.n_values, features.channels), np.int32)
    for start, part in chunks(raw, None):
        out[start : start + len(part)] = features.values(features.counts(part[:, :, 0]))
    return out

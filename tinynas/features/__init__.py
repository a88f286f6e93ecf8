"""What the device makes of a sensor's samples before the network sees them, in Python to the same result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinynas.errors import DataError
from tinynas.features.int_log_mel import IntLogMel
from tinynas.features.log_mel import MelFeatures
from tinynas.features.spectral import Spectral

__all__ = ["SOUND", "Features", "IntLogMel", "MelFeatures", "SoundFeatures", "Spectral", "from_dict"]

SoundFeatures = IntLogMel | MelFeatures
Features = SoundFeatures | Spectral
SOUND: Mapping[str, type[IntLogMel] | type[MelFeatures]] = {each.KIND: each for each in (IntLogMel, MelFeatures)}
"""The kinds of sound by the name that run folders keep, the default first."""
_KINDS: Mapping[str, type[IntLogMel] | type[MelFeatures] | type[Spectral]] = {**SOUND, Spectral.KIND: Spectral}


def from_dict(values: Mapping[str, Any]) -> Features:
    """The features that a run folder keeps; DataError for a kind that is unknown, or a key that is wrong."""
    kind = values.get("kind")
    if kind not in _KINDS:
        raise DataError(f"features: the kind is {kind!r}, wanted {' or '.join(_KINDS)}: it was made by a later tinynas")
    return _KINDS[str(kind)].from_dict(values)

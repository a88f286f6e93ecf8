"""Series as spectral features: what every reader gives, what the training part decides, and what has none."""

from pathlib import Path

import numpy as np
import pytest

from tests.data.kinds import KINDS
from tinynas import Dataset
from tinynas.data import load
from tinynas.errors import DataError, UsageError
from tinynas.features import Spectral
from tinynas.options.reading import READING


def vibrations(n: int = 60, steps: int = 64, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two classes of windows (n, steps, 2): 5 and 9 waves in 32 steps, at any phase, around any mean."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    waves = np.where(y == 0, 5, 9)[:, None, None] / 32
    phase, mean = rng.uniform(0, 6.3, (n, 1, 2)), rng.normal(0, 1, (n, 1, 2))
    x = mean + np.sin(2 * np.pi * waves * np.arange(steps)[:, None] + phase) + rng.normal(0, 0.05, (n, steps, 2))
    return x.astype(np.float32), y


def test_samples_are_the_bytes_of_the_features() -> None:
    x, y = vibrations()
    data = Dataset.from_arrays(x[:40], y[:40], x[40:], y[40:], layout="series", features="spectral")
    features = data.features
    assert isinstance(features, Spectral)
    assert data.input_shape == (features.n_values, 1, 2) == (4 + 15, 1, 2)
    assert data.layout == "series"
    assert (data.normalization.source_dtype, data.normalization.scale) == ("uint8", (1 / 255,))
    for part, raw in ((data.x, x[:40]), (data.x_test, x[40:])):
        np.testing.assert_allclose(np.asarray(part)[:, :, 0] * 255, features.apply(raw), atol=1e-4)
    assert any("becomes 19 spectral features a channel: mean, rms" in note for note in data.notes)


def test_the_spectrum_alone_tells_two_frequencies_apart() -> None:
    x, y = vibrations()
    data = Dataset.from_arrays(x, y, layout="series", features="spectral")
    assert isinstance(data.features, Spectral)
    values = data.features.values(data.features.counts(x))[:, 4:, 0]
    assert data.features.n_fft == 32
    assert (values.argmax(axis=1) + 1 == np.where(y == 0, 5, 9)).all()


def test_the_test_part_decides_nothing() -> None:
    x, y = vibrations()
    one, other = (
        Dataset.from_arrays(x[:40], y[:40], scale * x[40:], y[40:], layout="series", features="spectral")
        for scale in (1, 1000)
    )
    assert one.features == other.features
    assert one.digest != other.digest
    split = Dataset.from_arrays(x, y, layout="series", features="spectral", seed=3)
    assert len(split.x_test) == 12
    assert split.features is not None
    assert split.features != one.features


def test_robust_ranges_clip_before_the_features() -> None:
    x, y = vibrations()
    x[0, 0, 0] = 1e6
    wide, robust = (
        Dataset.from_arrays(x, y, x, y, layout="series", features="spectral", range=choice)
        for choice in ("full", "robust")
    )
    assert isinstance(wide.features, Spectral)
    assert isinstance(robust.features, Spectral)
    assert robust.features.gains[0] > 1000 * wide.features.gains[0]
    assert robust.features.gains[1] > wide.features.gains[1]


@pytest.mark.parametrize("kind", ["signals", "signals by folder"])
def test_a_csv_of_signals_has_them(kind: str, tmp_path: Path) -> None:
    about = KINDS[kind]
    data = load(about.write(tmp_path, 24), **about.options, features="spectral")
    features = data.features
    assert isinstance(features, Spectral)
    assert (features.window, 1, features.channels) == about.shape
    assert data.input_shape == (features.n_values, 1, features.channels)
    assert data.groups is not None


def test_larger_sets_stay_on_disk_and_have_the_same_samples() -> None:
    x, y = vibrations()
    small, large = (
        Dataset.from_arrays(x, y, layout="series", features="spectral", in_memory_bytes=size) for size in (1 << 30, 1)
    )
    assert (np.asarray(small.x) == np.asarray(large.x)).all()


def test_whole_numbers_and_missing_values_are_taken() -> None:
    x, y = vibrations()
    whole = np.round(100 * x).astype(np.int16)
    data = Dataset.from_arrays(whole, y, layout="series", features="spectral")
    assert isinstance(data.features, Spectral)
    assert np.ptp(data.features.counts(whole).astype(int)) > 60000
    x[3, 7, 1] = np.nan
    filled = Dataset.from_arrays(x, y, layout="series", features="spectral", missing="interpolate")
    assert np.isfinite(np.asarray(filled.x)).all()


def test_what_has_no_spectral_features(tmp_path: Path) -> None:
    x, y = vibrations()
    with pytest.raises(DataError, match="a sample is a picture, and spectral features are those of a sensor's steps"):
        Dataset.from_arrays(np.zeros((20, 9, 9)), np.arange(20) % 2, features="spectral")
    with pytest.raises(DataError, match="a window of 7 steps has no spectral features, wanted 8 to 8,192"):
        Dataset.from_arrays(x[:, :7], y, layout="series", features="spectral")
    with pytest.raises(UsageError, match="features int_log_mel are those of WAV files"):
        Dataset.from_arrays(x, y, layout="series", features="int_log_mel")
    with pytest.raises(UsageError, match="features is 'spectra'; choose"):
        Dataset.from_arrays(x, y, layout="series", features="spectra")
    for kind, asked in (("sounds", "spectral"), ("pictures", "spectral"), ("signals", "int_log_mel")):
        folder = tmp_path / kind
        folder.mkdir()
        with pytest.raises(UsageError, match=f"features {asked} is for "):
            load(KINDS[kind].write(folder, 8), **KINDS[kind].options, features=asked)
    assert "spectral" in READING["features"].help

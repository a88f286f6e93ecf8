import numpy as np
import pytest

from tinynas.errors import UsageError
from tinynas.training.augment import Augmentation, augmentation_for


def _apply(augmentation, x, seed=3):
    return np.asarray(augmentation(x, np.array([seed, 5], np.int32)))


@pytest.fixture
def batch(tensorflow):
    return np.random.default_rng(0).random((32, 8, 6, 2), dtype=np.float32)


def test_none_changes_nothing(batch):
    np.testing.assert_array_equal(_apply(Augmentation(), batch), batch)


def test_flip_mirrors_some(batch):
    flipped = _apply(Augmentation(flip=True), batch)
    mirrored = [np.array_equal(a, b[:, ::-1]) for a, b in zip(flipped, batch, strict=True)]
    kept = [np.array_equal(a, b) for a, b in zip(flipped, batch, strict=True)]
    assert sum(mirrored) + sum(kept) == 32
    assert min(sum(mirrored), sum(kept)) > 4


def test_shift_moves_each_sample_by_whole_steps_and_fills_with_zeros(batch):
    shifted = _apply(Augmentation(shift=0.25), batch)
    moves = set()
    for moved, sample in zip(shifted, batch, strict=True):
        padded = np.pad(sample, ((2, 2), (2, 2), (0, 0)))
        found = [
            (dy, dx) for dy in range(5) for dx in range(5) if np.array_equal(moved, padded[dy : dy + 8, dx : dx + 6])
        ]
        assert found, "no shift of the sample gives this picture"
        moves.add(found[0])
    assert len(moves) > 5


def test_a_series_is_not_shifted_across(tensorflow):
    series = np.random.default_rng(0).random((4, 20, 1, 3), dtype=np.float32)
    moved = _apply(Augmentation(shift=0.2), series)
    assert moved.shape == series.shape
    assert not np.array_equal(moved, series)


def test_noise_and_scale_stay_in_range(batch):
    changed = _apply(Augmentation(noise=0.3, scale=0.5), batch)
    assert changed.min() >= 0
    assert changed.max() <= 1
    assert 0.1 < np.abs(changed - batch).mean() < 0.4


def test_the_seed_decides(batch):
    augmentation = Augmentation(shift=0.2, noise=0.1)
    np.testing.assert_array_equal(_apply(augmentation, batch), _apply(augmentation, batch))
    assert not np.array_equal(_apply(augmentation, batch), _apply(augmentation, batch, seed=4))


def test_what_suits_a_layout():
    assert augmentation_for("image") == Augmentation(shift=0.07)
    assert augmentation_for("series").shift == 0
    assert augmentation_for("image", "none") == Augmentation()
    assert augmentation_for("series", "shift, flip") == Augmentation(shift=0.07, flip=True)
    with pytest.raises(UsageError, match=r"'rotate'.*shift, flip, noise, scale"):
        augmentation_for("image", "rotate")

import numpy as np
import pytest

from tinynas.errors import UsageError
from tinynas.features import IntLogMel
from tinynas.training.augment import Augmentation, augmentation_for, detail_of, plain_end, varied_from


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


def test_level_adds_one_value_to_each_sample_and_leaves_silence(batch):
    sound = 0.4 + 0.2 * batch
    sound[:, 3] = 0
    changed = _apply(Augmentation(level=0.1), sound)
    more = (changed - sound)[:, :3].reshape(32, -1)
    assert more.std(axis=1).max() < 1e-6
    assert -0.1 <= more.min() < -0.05
    assert 0.05 < more.max() <= 0.1
    assert (changed[:, 3] == 0).all()


def test_the_seed_decides(batch):
    augmentation = Augmentation(shift=0.2, noise=0.1)
    np.testing.assert_array_equal(_apply(augmentation, batch), _apply(augmentation, batch))
    assert not np.array_equal(_apply(augmentation, batch), _apply(augmentation, batch, seed=4))


@pytest.mark.parametrize(
    ("layout", "samples", "params", "least"),
    [("image", 48_000, 12_000, 120), ("image", 48_000, 47_578, 31), ("image", 537, 5_000, 4), ("series", 48_000, 9, 0)],
)
def test_pictures_are_varied_from_a_length_on(layout, samples, params, least):
    assert varied_from(layout, samples, params) == least


def test_what_suits_a_layout():
    assert augmentation_for("image") == Augmentation(shift=0.07)
    assert augmentation_for("series").shift == 0
    assert augmentation_for("image", "none") == Augmentation()
    assert augmentation_for("series", "shift, flip") == Augmentation(shift=0.07, flip=True)
    with pytest.raises(UsageError, match=r"'rotate'.*shift, flip, noise, scale"):
        augmentation_for("image", "rotate")


def test_a_warped_series_is_faster_or_slower_about_a_moment_of_its_own(tensorflow):
    """Of a ramp every value is a step of it: how far two lie apart is the speed."""
    ramp = np.broadcast_to(np.arange(101, dtype=np.float32)[None, :, None, None], (64, 101, 1, 2))
    warped = _apply(Augmentation(warp=0.25), ramp)
    assert warped.shape == ramp.shape
    speeds, moments = [], []
    for sample in warped[..., 0, 0]:
        assert set(sample) <= set(range(101))
        inside = np.flatnonzero((sample > 0) & (sample < 100))
        first, last = inside[0], inside[-1]
        speeds.append((sample[last] - sample[first]) / (last - first))
        assert np.all(np.abs(np.diff(sample) - speeds[-1]) <= 1.26)  # even, but for the rounding to a step
        moments.append(int(np.argmin(np.abs(sample - np.arange(101)))))
    assert 0.74 < min(speeds) < 0.85
    assert 1.15 < max(speeds) < 1.26
    assert min(moments) < 20 < 80 < max(moments)
    np.testing.assert_array_equal(warped[..., 0], warped[..., 1])  # all channels alike


def test_warp_takes_the_nearest_step(tensorflow):
    from tinynas.training.augment import _warp

    series = np.random.default_rng(1).random((5, 30, 1, 1), dtype=np.float32)
    seed = np.array([3, 4], np.int32)
    drawn = tensorflow.random.stateless_uniform((2, 5, 1), seed).numpy()
    for sample, found, luck, centre in zip(series, _warp(series, 0.3, seed).numpy(), drawn[0], drawn[1], strict=True):
        at = centre * 29 + (np.arange(30) - centre * 29) * (1 + 0.3 * (2 * luck - 1))
        np.testing.assert_array_equal(found[:, 0, 0], sample[np.clip(np.round(at), 0, 29).astype(int), 0, 0])


def test_noise_stays_below_the_detail_of_a_series():
    """A peak of 1.0 makes the range; what tells the classes apart is a hundredth of it."""
    x = np.full((20, 100, 1, 1), 0.05, np.float32)
    x[:, ::3] -= 0.005
    x[:, 1::3] += 0.005
    x[:, 50] = 1.0
    assert detail_of(x) == pytest.approx(0.005, abs=1e-6)
    assert augmentation_for("series", "auto", detail_of(x)).noise == pytest.approx(0.0005, rel=1e-3)
    assert augmentation_for("series", "auto", 0.5).noise == 0.02
    assert augmentation_for("series", "noise", 0.005).noise == 0.02  # who names it has it


def test_pictures_are_as_they_are_in_the_last_fifth_of_a_training():
    assert plain_end("image") == 0.2
    assert plain_end("series") == 0.0
    assert plain_end("image", IntLogMel.for_sound(16_000, 16_000)) == 0.0

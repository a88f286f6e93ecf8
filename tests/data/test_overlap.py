"""Windows that overlap: the recordings that they were cut from are known again, however the windows were mixed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynas.data import from_arrays
from tinynas.data.check import check
from tinynas.data.overlap import find_overlaps


def windows(recording: np.ndarray, length: int, stride: int) -> np.ndarray:
    """(n, length, 1, C) of a recording of (steps, C)."""
    starts = range(0, len(recording) - length + 1, stride)
    return np.stack([recording[start : start + length] for start in starts])[:, :, None, :]


def partners(x: np.ndarray) -> set[tuple[int, int]]:
    """Which windows share an eighth of their steps at the least, each pair compared."""
    n, length = x.shape[:2]
    least = max(4, -(-length // 8))
    return {
        (one, other)
        for one in range(n)
        for other in range(n)
        for shift in range(1, length - least + 1)
        if one != other and np.array_equal(x[one, shift:], x[other, : length - shift])
    }


@settings(max_examples=30)
@given(
    counts=st.lists(st.integers(2, 9), min_size=3, max_size=8),
    length=st.integers(16, 40),
    overlap=st.floats(0.3, 0.9),
    channels=st.integers(1, 3),
    dtype=st.sampled_from([np.uint8, np.int16, np.float32, np.float64]),
    seed=st.integers(0, 9),
)
def test_mixed_windows_are_put_together_as_they_were_cut(counts, length, overlap, channels, dtype, seed) -> None:
    rng, stride = np.random.default_rng(seed), max(1, round(length * (1 - overlap)))
    cut = []
    for count in counts:
        steps = length + (count - 1) * stride
        cut.append(windows((100 * rng.random((steps, channels))).astype(dtype), length, stride))
    x, of = np.concatenate(cut), np.repeat(np.arange(len(counts)), counts)
    mixed = rng.permutation(len(x))
    x, of = x[mixed], of[mixed]
    found = find_overlaps([x], np.zeros(len(x), dtype=np.int64))
    assert found is not None
    assert not found.is_cut
    assert len(set(zip(found.codes.tolist(), of.tolist(), strict=True))) == len(counts) == found.codes.max() + 1
    assert found.sharing == len({window for pair in partners(x) for window in pair})
    assert found.steps == length - stride


def test_neither_folds_nor_the_test_part_take_a_recording_apart() -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([windows(rng.random((150, 3)), 30, 15) for _ in range(24)])
    of = np.repeat(np.arange(24), len(x) // 24)
    mixed = rng.permutation(len(x))
    data = from_arrays(x[mixed, :, 0], (of % 3)[mixed])
    assert data.groups is not None
    assert data.groups.shared() == ()
    assert not partners(np.concatenate([data.x, data.x_test])) & {
        (one, other) for one in range(len(data.x)) for other in range(len(data.x), len(x))
    }
    for fold in data.folds(5, 0):
        codes = data.groups.codes
        assert not set(codes[fold.train]) & set(codes[fold.validation])
    assert any(
        "216 of 216 samples share up to 15 of their 30 steps with another: they are taken for windows of 24 recordings"
        in note
        for note in data.notes
    )
    own = from_arrays(x[mixed, :, 0], (of % 3)[mixed], groups=np.arange(len(x)))  # what a person says beats it
    assert own.groups is None
    assert not any("recordings" in note for note in own.notes)


def test_a_split_that_was_drawn_among_the_windows_is_told_as_a_leak() -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([windows(rng.random((150, 3)), 30, 15) for _ in range(24)])[:, :, 0]
    y = np.repeat(np.arange(24), len(x) // 24) % 3
    mixed = rng.permutation(len(x))
    train, test = mixed[:160], mixed[160:]
    found = check(from_arrays(x[train], y[train], x[test], y[test]))
    both = {int(part) for part in np.unique(np.arange(24).repeat(9)[train]) if part in np.arange(24).repeat(9)[test]}
    assert found.warnings[0].startswith(f"The split leaks: {len(both)} groups (recording ")
    assert len(both) > 20


def test_a_recording_that_holds_all_of_a_class_is_cut_into_successive_blocks() -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([windows(rng.random((40 + 59 * 10, 2)), 40, 10) for _ in range(3)])
    y, mixed = np.repeat(np.arange(3), 60), rng.permutation(180)
    found = find_overlaps([x[mixed]], y[mixed])
    assert found is not None
    assert found.is_cut
    codes = np.empty(180, dtype=np.int64)
    codes[mixed] = found.codes
    assert [len(set(codes[y == label])) for label in range(3)] == [10, 10, 10]
    assert all((np.diff(codes[y == label]) != 0).sum() == 9 for label in range(3))  # each block is a run of windows
    data = from_arrays(x[mixed, :, 0], y[mixed])
    assert data.most_folds >= 5
    assert any("30 blocks of recordings, which share steps where they meet" in note for note in data.notes)


def test_one_recording_in_which_classes_follow_one_another_can_still_be_split() -> None:
    x = windows(np.random.default_rng(0).random((20 + 89 * 5, 1)), 20, 5)
    data = from_arrays(x[:, :, 0], np.repeat(np.arange(3), 30))
    assert data.most_folds >= 3
    assert set(data.y_test) == {0, 1, 2}


def repeated_sine() -> np.ndarray:
    """Windows of one sine, in phases of which each occurs often: equal stretches are no recording."""
    phases = np.random.default_rng(0).integers(0, 16, 200)
    return np.sin(2 * np.pi * (np.arange(48) + phases[:, None]) / 16).round(6)


def flat_with_a_step() -> np.ndarray:
    """Windows of nothing but a step, at any place."""
    return (np.arange(48) >= np.random.default_rng(0).integers(0, 48, 200)[:, None]).astype(np.float32)


def all_the_same() -> np.ndarray:
    return np.tile(np.random.default_rng(0).random(48), (200, 1))


def noise() -> np.ndarray:
    return np.random.default_rng(0).random((200, 48))


def coarse_noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 2, (200, 48)).astype(np.uint8)


def few() -> np.ndarray:
    return np.random.default_rng(0).random((6, 3))


@pytest.mark.parametrize("made", [repeated_sine, flat_with_a_step, all_the_same, noise, coarse_noise, few])
def test_what_is_alike_by_accident_is_no_recording(made) -> None:
    x = made()
    assert find_overlaps([x[:, :, None, None]], np.arange(len(x)) % 2) is None


def test_pictures_are_not_looked_through() -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([windows(rng.random((90, 8)), 8, 4) for _ in range(6)])[:, :, 0]
    y = np.arange(len(x)) % 2
    assert from_arrays(x, y, layout="image").groups is None
    assert from_arrays(x, y, layout="series").groups is not None

"""Windows that overlap: the recordings that they were cut from are known again, however the windows were mixed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynas.data import from_arrays, overlap
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
    assert data.notes[-1] == (
        "216 of 216 samples share up to 15 of their 30 steps with another: they are windows of 24 recordings; neither "
        "the test part nor a fold takes one apart. Groups of your own beat this (docs/data.md)."
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
    assert "windows of 3 recordings, of which some were cut into blocks" in data.notes[-1]


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


def recordings(n: int, of_each: int, classes: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(windows (m, 30, 1, 2), labels, recordings) of n recordings with so many windows each, in order."""
    rng = np.random.default_rng(seed)
    x = np.concatenate([windows(rng.normal(size=(30 + 15 * (of_each - 1), 2)), 30, 15) for _ in range(n)])
    of = np.repeat(np.arange(n), of_each)
    return x, of % classes, of


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("one", [True, False])
def test_three_groups_of_a_class_are_enough_to_test_it(one, seed) -> None:
    """Whether they are blocks of one recording or three recordings."""
    x, y, _ = recordings(1, 85, 1) if one else recordings(9, 20, 3)
    y = np.arange(85) // 17 if one else y
    data = from_arrays(x[:, :, 0], y, layout="series", seed=seed)
    assert data.groups is not None
    assert set(data.y_test) == set(y)
    assert data.most_folds >= 2


def test_folds_are_found_where_recordings_hold_several_classes() -> None:
    """Dealt by size, the two recordings of a rare class lie in one fold whatever the seed."""
    x, y, of = recordings(8, 15, 2)
    rows = [np.flatnonzero(of == each) for each in range(8)]
    for each, part, label in ((0, slice(6), 2), (1, slice(3), 2), (2, slice(3), 2), (3, slice(2), 3), (4, slice(5), 3)):
        y[rows[each][part]] = label
    y[rows[1][5:9]] = 3
    data = from_arrays(x[:, :, 0], y, layout="series")
    assert data.groups is not None
    for k in range(2, data.most_folds + 1):
        for fold in data.folds(k, 0):
            assert set(data.y[fold.train]) == set(y)
            assert not set(data.groups.codes[fold.train]) & set(data.groups.codes[fold.validation])


def test_what_counts_are_the_recordings_of_the_training_part() -> None:
    x, y, of = recordings(12, 9, 3)
    train = of < 3  # one of each class
    data = from_arrays(x[train, :, 0], y[train], x[~train, :, 0], y[~train], layout="series")
    assert data.most_folds >= 3
    assert "no fold takes one apart" in data.notes[-1]


def test_where_groups_would_leave_no_folds_it_is_told_and_they_are_left_away() -> None:
    x, _, _ = recordings(1, 200, 1)
    y = np.zeros(200, dtype=np.int64)
    y[[0, 1]] = 1
    data = from_arrays(x[:, :, 0], y, layout="series", test_fraction=0.3)
    assert data.groups is None
    assert data.notes[-1].startswith("Warning: 200 of 200 samples share")
    assert data.notes[-1].endswith("too few to keep them apart, so validation scores will flatter.")


def test_bytes_may_come_in_any_order_and_parts_of_any_type() -> None:
    x, y, of = recordings(12, 9, 3)
    x = (100 * x).astype(np.int16)
    for dtype in (">i2", np.int64, ">f8", np.longdouble, np.float32):
        found = find_overlaps([x.astype(dtype)], y)
        assert found is not None
        assert found.recordings == 12
    mixed = np.random.default_rng(0).permutation(len(x))
    one, other = mixed[:80], mixed[80:]
    data = from_arrays(x[one, :, 0], y[one], x[other, :, 0].astype(np.int64), y[other], layout="series")
    assert data.groups is not None
    assert len(data.groups.shared()) == len(set(of[one]) & set(of[other]))
    zeros = np.where(x == 0, -0.0, x.astype(np.float64))
    zeros[::2] = x[::2]
    found = find_overlaps([zeros], y)
    assert found is not None
    assert found.recordings == 12


def test_copies_of_a_window_are_with_their_original_and_hide_nothing() -> None:
    x, y, of = recordings(12, 9, 3)
    rows = np.concatenate([np.arange(len(x)), np.flatnonzero(y == 2), np.random.default_rng(0).integers(0, len(x), 50)])
    found = find_overlaps([x[rows]], y[rows])
    assert found is not None
    assert len(set(zip(found.codes.tolist(), of[rows].tolist(), strict=True))) == 12 == found.codes.max() + 1
    lone = np.random.default_rng(1).normal(size=(40, 30, 1, 2))
    assert find_overlaps([np.concatenate([lone, lone])], np.arange(80) % 2) is None


def test_windows_that_repeat_themselves_make_no_shift_sure() -> None:
    """Each of 200 windows has a pattern of its own, eight steps long; two pairs beside them share steps by accident."""
    rng = np.random.default_rng(0)
    own = np.tile(rng.normal(size=(200, 8)), (1, 6))[:, :, None, None]
    pairs = np.concatenate([windows(rng.normal(size=(68, 1)), 48, 20) for _ in range(2)])
    assert find_overlaps([np.concatenate([own, pairs])], np.arange(204) % 2) is None


def test_a_class_that_was_cut_more_densely_is_put_together_too() -> None:
    """To balance the classes: 20 recordings with half of a window between two, 4 of a rare class with a twentieth."""
    rng = np.random.default_rng(0)
    usual = [windows(rng.normal(size=(100 + 50 * 29, 1)), 100, 50) for _ in range(20)]
    dense = [windows(rng.normal(size=(100 + 5 * 9, 1)), 100, 5) for _ in range(4)]
    y = np.repeat([0, 1], [600, 40])
    found = find_overlaps([np.concatenate(usual + dense)], y)
    assert found is not None
    assert found.recordings == 24 == found.codes.max() + 1
    assert not found.is_cut


def test_very_long_windows_are_looked_through_at_some_shifts(monkeypatch) -> None:
    monkeypatch.setattr(overlap, "_MOST_LOOKS", 5)
    x, y, _ = recordings(12, 9, 3)
    assert find_overlaps([x], y) is None  # shifted by 15, and 8, 16 and 24 are tried
    x = np.concatenate([windows(np.random.default_rng(each).normal(size=(150, 1)), 30, 16) for each in range(12)])
    found = find_overlaps([x], np.zeros(len(x), dtype=np.int64))
    assert found is not None
    assert found.recordings == 12

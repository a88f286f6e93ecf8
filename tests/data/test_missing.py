"""Missing values: marks against values that are none, what each policy does, and that every place is counted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.kinds import write_csv
from tinynas.data import from_arrays, load
from tinynas.data.missing import find_marks, interpolated, is_missing, longest_run
from tinynas.errors import DataError, UsageError

RNG = np.random.default_rng(0)


@settings(max_examples=60)
@given(
    mark=st.sampled_from([-999.0, 9999.0, -9999.0, 999.9, -99999.0, 32767.0, -32768.0, 65535.0, 2147483647.0]),
    share=st.floats(0.002, 0.6),
    scale=st.floats(0.01, 5),
    middle=st.floats(-20, 20),
    seed=st.integers(0, 99),
)
def test_known_marks_are_found_however_frequent(mark, share, scale, middle, seed) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(middle, scale, 2000).astype(np.float32)
    gone = rng.random(2000) < share
    gone[rng.integers(2000)] = True
    values[gone] = mark
    assert find_marks(values) == (np.float32(mark),)


def test_any_value_that_is_repeated_far_off_is_a_mark() -> None:
    values = RNG.normal(size=2000)
    values[[5, 50, 500]] = -500
    assert find_marks(values) == (-500,)
    values[[5, 50, 500]] = -500, -501, -502
    assert find_marks(values) == ()
    values[[7, 70]] = -999, 9999
    assert set(find_marks(values)) >= {-999, 9999}


USUAL = {
    "normal": RNG.normal(size=3000),
    "skewed": RNG.lognormal(0, 1, 3000),
    "cut off at its limit": np.clip(RNG.normal(0, 20_000, 3000), -32768, 32767),
    "two values": RNG.integers(0, 2, 3000) * 999.0,
    "a few values": RNG.choice([0.0, 1.0, 2.0, 99.0], 3000),
    "mostly nothing": np.where(RNG.random(3000) < 0.95, 0, RNG.random(3000)),
    "percent": np.round(RNG.uniform(0, 100, 3000)).clip(0, 99),
    "constant": np.full(3000, 7.0),
    "few": np.array([1.0, 2.0, 3.0, -999.0]),
}


@pytest.mark.parametrize("values", USUAL.values(), ids=USUAL.keys())
def test_usual_values_are_no_marks(values) -> None:
    assert find_marks(values) == ()


@given(st.lists(st.booleans(), max_size=40))
def test_the_longest_run_is_pythons(mask) -> None:
    text = "".join("x" if each else " " for each in mask)
    assert longest_run(np.array(mask, dtype=bool)) == max(map(len, text.split()), default=0)


@given(n=st.integers(2, 50), seed=st.integers(0, 99), share=st.floats(0, 0.9))
def test_interpolation_lies_between_its_neighbours(n, seed, share) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, 2))
    missing = rng.random((n, 2)) < share
    made = interpolated(values, missing)
    np.testing.assert_array_equal(made[~missing], values[~missing])
    for channel in range(2):
        there = np.flatnonzero(~missing[:, channel])
        for step in np.flatnonzero(missing[:, channel]) if len(there) else ():
            before, after = there[there < step], there[there > step]
            ends = [values[index[side], channel] for index, side in ((before, -1), (after, 0)) if len(index)]
            assert min(ends) - 1e-12 <= made[step, channel] <= max(ends) + 1e-12


def recordings(path, holes=(), marks=(), n=100):
    """A file of runs of n rows under a, b, c; `holes` and `marks` are (row, column, what stands there)."""
    rng = np.random.default_rng(3)
    rows = []
    for run in range(12):
        for label in "abc":
            wave = np.sin(np.arange(n) * (1 + "abc".index(label)) / 4 + run)
            rows += [[f"{v:.4f}", f"{0.1 * w:.4f}", label] for v, w in zip(wave, rng.normal(size=n), strict=True)]
    for row, column, what in (*holes, *marks):
        rows[row][column] = what
    return write_csv(path, [["v", "w", "label"], *rows])


HOLES = [(37, 0, ""), (37, 1, "NaN"), (2050, 0, "NA"), (2051, 0, "inf"), (3000, 1, "null")]


def test_holes_are_an_error_that_counts_them(tmp_path) -> None:
    path = recordings(tmp_path / "a.csv", HOLES)
    counted = r"\(5 values in 4 rows are missing: 3 in 'v', 2 in 'w'\)"
    told = rf"line 39: column 'v' holds nothing, .*{counted}.*--missing drop or"
    for options in ({}, {"missing": "error"}):
        with pytest.raises(DataError, match=told):
            load(path, window=100, **options)


def test_drop_leaves_their_windows_out_and_interpolate_none(tmp_path) -> None:
    path = recordings(tmp_path / "a.csv", HOLES)
    dropped, filled = load(path, window=100, missing="drop"), load(path, window=100, missing="interpolate")
    assert len(dropped.x) + len(dropped.x_test) == 36 - 3
    assert len(filled.x) + len(filled.x_test) == 36
    counted = "5 values in 4 rows are missing: 3 in 'v', 2 in 'w'; "
    assert f"{counted}windows that hold any were left out." in dropped.notes
    assert f"{counted}they were interpolated, at most 2 in a row." in filled.notes
    assert any("300 with windows that hold missing values" in note for note in dropped.notes)


@pytest.mark.parametrize("mark", ["-999", "9999", "32767"])
def test_marks_are_named_counted_and_treated(tmp_path, mark) -> None:
    marks = [(row, column, mark) for row in (237, 1700, 2900) for column in (0, 1)]
    path, clean = recordings(tmp_path / "a.csv", (), marks), recordings(tmp_path / "clean.csv")
    wanted = load(clean, window=100)
    plain = load(path, window=100)
    assert len(plain.notes) == len(wanted.notes) + 2
    for name, note in zip("vw", plain.notes[-2:], strict=True):
        assert note.startswith(f"Channel '{name}': ")
        assert f"such as {mark}" in note
        assert "--missing drop or interpolate treats them" in note
    assert plain.normalization == wanted.normalization
    with pytest.raises(DataError, match=rf"6 values in 3 rows are missing: 3 in 'v', 3 in 'w' \(marked by {mark}\)"):
        load(path, window=100, missing="error")
    kept = load(path, window=100, missing="drop")
    assert len(kept.x) + len(kept.x_test) == 33
    filled = load(path, window=100, missing="interpolate")
    assert np.abs(filled.x - wanted.x).mean() < 0.001
    full = load(path, window=100, range="full")
    assert full.x.max() == 1
    assert np.ptp(full.x, axis=0).mean() < 0.3


def test_rows_as_samples(tmp_path) -> None:
    rng = np.random.default_rng(1)
    rows = [[*(f"{v:.3f}" for v in rng.normal(i % 3, 0.3, 6)), "abc"[i % 3]] for i in range(90)]
    rows[4][2] = rows[50][0] = ""
    rows[60][5] = "-999"
    path = write_csv(tmp_path / "a.csv", [[*"pqrstu", "label"], *rows])
    with pytest.raises(DataError, match=r"line 6: column 'r' holds nothing, .*\(2 values in 2 rows are missing"):
        load(path)
    dropped = load(path, missing="drop")
    assert len(dropped.x) + len(dropped.x_test) == 87
    assert "3 values in 3 of 90 samples are missing (marked by -999); these samples were left out." in dropped.notes[-1]
    assert len(load(path, missing="interpolate").x) + len(load(path, missing="interpolate").x_test) == 90


def test_labels_and_groups_may_not_be_missing(tmp_path) -> None:
    rows = [[i, i % 7, "ab"[i % 2]] for i in range(40)]
    rows[3][2] = rows[9][2] = ""
    path = write_csv(tmp_path / "a.csv", [["v", "w", "label"], *rows])
    with pytest.raises(DataError, match=r"line 5 and 1 lines more: column 'label' is empty"):
        load(path, missing="drop")


X = RNG.normal(size=(60, 20, 2))
Y = np.arange(60) % 3


def spoilt():
    x = X.copy()
    x[3, 4, 0] = np.nan
    x[3, 5, 0] = np.inf
    x[40, 0, 1] = -999
    return x


def test_arrays(tmp_path) -> None:
    np.savez(tmp_path / "a.npz", x=spoilt(), y=Y, groups=Y + np.arange(60) // 6)
    with pytest.raises(
        DataError, match=r"sample 3 holds nan .*\(2 such values in 1 of 60 samples\).*--missing drop or"
    ):
        load(tmp_path / "a.npz", layout="series")
    data = load(tmp_path / "a.npz", layout="series", missing="drop")
    assert len(data.x) + len(data.x_test) == 58
    assert any("3 values in 2 of 60 samples are missing (marked by -999); these" in note for note in data.notes)
    filled = from_arrays(spoilt(), Y, layout="series", missing="interpolate")
    wanted = from_arrays(X, Y, layout="series")
    assert np.abs(filled.x - wanted.x).max() < 0.6
    assert filled.normalization.scale == pytest.approx(wanted.normalization.scale, rel=0.3)
    with pytest.raises(
        DataError, match=r"3 values in 2 of 60 samples are missing \(marked by -999\), the first in sample 3"
    ):
        from_arrays(spoilt(), Y, layout="series", missing="error")
    with pytest.raises(DataError, match="only a series can be filled in"):
        from_arrays(spoilt(), Y, layout="image", missing="interpolate")
    with pytest.raises(UsageError, match="missing is 'zero'; choose error, drop or interpolate"):
        from_arrays(X, Y, missing="zero")


def test_a_test_part_is_treated_like_the_training_part() -> None:
    data = from_arrays(X, Y, spoilt()[:30], Y[:30], layout="series", missing="drop")
    assert (len(data.x), len(data.x_test)) == (60, 29)


def test_a_mask_knows_nan_infinity_and_marks() -> None:
    values = np.array([[1, np.nan], [np.inf, -999], [1e39, 5]])
    assert is_missing(values, ((), (-999.0,))).tolist() == [[False, True], [True, True], [True, False]]
    assert is_missing(np.array([[1, -999]], dtype=np.int16), ((), (-999.0,))).tolist() == [[False, True]]

"""CSV of signals: windows counted by hand, and no step of a recording on two sides of a split."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.kinds import write_csv
from tinynas.data import load
from tinynas.data.readers import ReadOptions, read
from tinynas.errors import DataError


def recording(labels, start=0, group=None):
    """Rows whose channel t counts on: a value is in one place alone."""
    return [[start + i, np.sin(i), label, *([] if group is None else [group])] for i, label in enumerate(labels)]


def windows_of(path, **options):
    """(first channel of each window, its label, its group) as the reader gives them, before any split."""
    source = read(path, None, ReadOptions.create({"columns": "t,s", **options}), 0)
    steps = np.asarray(source.x)[:, :, 0].astype(int)
    return steps, np.asarray(source.y).tolist(), np.asarray(source.groups).tolist(), source.notes


def test_windows_by_hand(tmp_path) -> None:
    for file in range(3):
        rows = recording("a" * 10 + "b" * 7 + "a" * 2 + "b" * 6, 100 * file)
        write_csv(tmp_path / f"{file}.csv", [["t", "s", "label"], *rows])
    steps, labels, groups, notes = windows_of(tmp_path, window=4, stride=3)
    of_a_file = [0, 3, 6, 10, 13, 19]  # the stretch of two is too short
    assert steps[:, 0].tolist() == [100 * file + step for file in range(3) for step in of_a_file]
    assert (np.diff(steps, axis=1) == 1).all()
    assert labels == ["a", "a", "a", "b", "b", "b"] * 3
    assert groups == [str(tmp_path / f"{file}.csv") for file in range(3) for _ in range(6)]
    assert "3 stretches under one label are shorter than the window and were left out." in notes
    lost = "6 in stretches under one label shorter than a window, 6 at the ends of stretches, too few for a window"
    assert f"12 of 75 rows are in no window: {lost}." in notes
    assert load(tmp_path, window=4, stride=3, columns="t,s").input_shape == (4, 1, 2)


@settings(max_examples=30)
@given(
    lengths=st.lists(st.integers(20, 60), min_size=1, max_size=5),
    window=st.integers(2, 6),
    stride=st.integers(1, 6),
)
def test_windows_of_two_groups_share_no_step(tmp_path_factory, lengths, window, stride) -> None:
    """Files as groups, or blocks of a file where there is one file only; each label in at least two of them."""
    folder = tmp_path_factory.mktemp("signals")
    for file, length in enumerate(lengths):
        rows = recording("a" * length + "b" * length, 1000 * file)
        write_csv(folder / f"{file}.csv", [["t", "s", "label"], *rows])
    steps, labels, groups, notes = windows_of(folder, window=window, stride=stride)
    owner: dict[int, str] = {}
    for window_steps, group in zip(steps.tolist(), groups, strict=True):
        assert {owner.setdefault(step, group) for step in window_steps} == {group}
    for label in "ab":
        assert len({group for one, group in zip(labels, groups, strict=True) if one == label}) >= 2
    assert any("cut into up to 10 blocks" in note for note in notes) == (len(lengths) < 3)
    assert windows_of(folder, window=window, stride=stride)[2] == groups


def test_a_group_column_goes_over_files(tmp_path) -> None:
    for file in range(6):
        rows = recording("a" * 12 + "b" * 12, 100 * file, group=f"person{file // 2}")
        write_csv(tmp_path / f"{file}.csv", [["t", "s", "label", "who"], *rows])
    data = load(tmp_path, window=4, group="who")
    assert data.groups is not None
    assert data.groups.names == ("person0", "person1", "person2")
    assert data.groups.shared() == ()
    assert (len(data.x), len(data.x_test)) == (24, 12)  # a person has twelve windows


def test_a_class_with_one_group_is_told_when_groups_were_asked_for(tmp_path) -> None:
    rows = recording("a" * 60, 0, "p") + recording("a" * 60, 100, "q") + recording("b" * 60, 200, "q")
    path = write_csv(tmp_path / "one.csv", [["t", "s", "label", "who"], *rows])
    with pytest.raises(DataError, match="class 'b' is in 1 group, wanted at least 2 to split off a test part"):
        load(path, window=4, group="who")
    assert load(path, window=4, stride=2, columns="t,s").groups is not None  # its blocks


def test_train_and_test_folders_of_classes(tmp_path) -> None:
    for part, n in (("train", 3), ("test", 1)):
        for label, name in enumerate(("walk", "run")):
            for file in range(n):
                rows = [[100 * file + i, label * i] for i in range(20)]
                write_csv(tmp_path / part / name / f"{file}.csv", [["t", "s"], *rows])
    data = load(tmp_path, window=5, columns="t,s")
    assert (len(data.x), len(data.x_test)) == (24, 8)
    assert data.class_names == ("run", "walk")
    assert data.notes == ()
    assert data.groups is not None
    assert data.groups.shared() == ()


@pytest.mark.parametrize(
    ("labels", "window", "sentence"),
    [
        ("a" * 30 + "b" * 3, 4, "no stretch of label 'b' is as long as the window of 4 steps"),
        ("a" * 3 + "b" * 3, 4, "no stretch of label 'a' is as long as the window of 4 steps"),
        ("a" * 30, 4, "every training label is a"),
        ("a" * 20 + "b" * 4, 4, "class 'b' has 1 sample, wanted at least 2"),
        ("a" * 20 + "b" * 5, 4, "class 'b' has 1 sample, wanted at least 2"),
    ],
)
def test_what_gives_no_windows(tmp_path, labels, window, sentence) -> None:
    path = write_csv(tmp_path / "a.csv", [["t", "s", "label"], *recording(labels)])
    with pytest.raises(DataError, match=sentence):
        load(path, window=window)


def test_an_enormous_window_is_refused_at_once(tmp_path) -> None:
    path = write_csv(tmp_path / "a.csv", [["t", "s", "label"], *recording("a" * 20 + "b" * 20)])
    with pytest.raises(DataError, match=r"as long as the window of 2000000000 steps"):
        load(path, window=2_000_000_000)

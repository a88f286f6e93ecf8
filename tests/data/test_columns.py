"""What a column is for: options before contents before names, and every guess said with the way to say otherwise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.kinds import write_csv
from tinynas.data import load
from tinynas.data.readers import names
from tinynas.errors import DataError

RNG = np.random.default_rng(0)


def noise(n, columns):
    return [[f"{value:.3f}" for value in row] for row in RNG.normal(size=(n, columns))]


def table(path, header, *extra, n=600):
    """A CSV of noise under `header` whose last columns are the functions `extra` of the row number."""
    rows = [[*row, *(make(i) for make in extra)] for i, row in enumerate(noise(n, len(header) - len(extra)))]
    return write_csv(path, [header, *rows])


def folders(path, header, classes=("circle", "shake"), *extra, n=200):
    for name in classes:
        for number in range(3):
            table(path / name / f"{number}.csv", header, *extra, n=n)
    return path


def runs(*values, length=100):
    return lambda i: values[i // length % len(values)]


AXES = ["x,y,z", "X,Y,Z", "z,y,x", "x,y,z,w"]


@pytest.mark.parametrize("header", AXES)
def test_an_axis_in_class_folders_is_a_channel(tmp_path, header) -> None:
    columns = header.split(",")
    path = folders(tmp_path, columns)
    for options in ({}, {"columns": columns}):
        data = load(path, window=50, **options)
        assert data.channels == tuple(columns)
        assert data.class_names == ("circle", "shake")
        assert data.notes == ()


def test_columns_that_are_asked_for_are_no_label(tmp_path) -> None:
    """An option is never beaten by a name, in a file or in folders."""
    path = folders(tmp_path / "folders", ["x", "y", "label"], ("a", "b"), runs(0, 1))
    data = load(path, window=50, columns="x,y,label")
    assert (data.channels, data.class_names) == (("x", "y", "label"), ("a", "b"))
    path = table(tmp_path / "a.csv", ["x", "y", "activity"], runs(0, 1))
    assert load(path, window=50, columns="y,x").channels == ("y", "x")
    with pytest.raises(DataError, match="which column is the label"):
        load(path, window=50, columns="x,y,activity")


BETTER = {
    "a better name": (["x", "y", "z", "activity"], [runs(0, 1, 2)], "activity", ("0", "1", "2")),
    "text": (["x", "y", "z", "gesture"], [runs("up", "down")], "gesture", ("down", "up")),
    "text of any name": (["y", "v", "what"], [runs("up", "down")], "what", ("down", "up")),
    "a better name than text": (["y", "note", "class"], [runs("p", "q", "r"), runs(0, 1)], "class", ("0", "1")),
    "a label that is no measurement": (["v", "y", "Class"], [runs(5, 7)], "Class", ("5", "7")),
    "a weaker name": (["a", "b", "gesture"], [runs(0, 1)], "gesture", ("0", "1")),
    "y in a table of statistics": (["x1", "x2", "y"], [runs(0, 1)], "y", ("0", "1")),
}


@pytest.mark.parametrize(("header", "extra", "label", "classes"), BETTER.values(), ids=BETTER.keys())
def test_the_better_name_or_text_is_the_label(tmp_path, header, extra, label, classes) -> None:
    data = load(table(tmp_path / "a.csv", header, *extra), window=50)
    assert data.class_names == classes
    assert any(note.startswith(f"The label is column '{label}'") for note in data.notes)
    wanted = tuple(name for name in header if name not in (label, "note"))
    assert data.channels == wanted


def test_two_readings_are_both_said(tmp_path) -> None:
    path = table(tmp_path / "a.csv", ["v", "label", "activity"], runs(0, 1), runs("p", "q", "r", length=50))
    data = load(path, window=50)
    assert (
        "The label is column 'label' (no other was asked for; it could be 'activity' too: say which with --label)."
        in data.notes
    )
    assert load(path, window=50, label="activity").class_names == ("p", "q", "r")


def test_three_axes_alone_have_no_label(tmp_path) -> None:
    with pytest.raises(DataError, match=r"which column is the label\? give label \(--label\); the columns are x, y, z"):
        load(table(tmp_path / "a.csv", ["x", "y", "z"]), window=50)


@pytest.mark.parametrize("name", ["label", "activity", "movement"])
def test_a_label_column_goes_before_folders_of_persons(tmp_path, name) -> None:
    """A name that says label, or text that changes within files; --label folder takes the folders all the same."""
    path = folders(tmp_path, ["x", "y", "z", name], ("s1", "s2", "s3"), runs("sit", "walk"))
    data = load(path, window=50)
    assert data.class_names == ("sit", "walk")
    assert (
        f"The label is column '{name}', and not the folder or name of the file (s1, s2, s3): --label folder overrides "
        "this."
    ) in data.notes
    assert data.groups is not None
    assert data.groups.names == ("s1", "s2", "s3")
    by_folder = load(path, window=50, label="folder")
    assert by_folder.class_names == ("s1", "s2", "s3")
    assert f"Column '{name}' is left out, since it holds text." in by_folder.notes


def test_text_that_is_the_same_within_files_does_not_take_the_folders_place(tmp_path) -> None:
    for name in ("a", "b"):
        for number in range(3):
            table(tmp_path / name / f"{number}.csv", ["x", "hand"], lambda i, n=number: "lr"[n % 2], n=200)
    data = load(tmp_path, window=50)
    assert data.class_names == ("a", "b")
    assert data.notes == ("Column 'hand' is left out, since it holds text.",)


def test_a_channel_that_tells_the_folder_is_warned_of(tmp_path) -> None:
    for code, name in enumerate(("a", "b")):
        for number in range(3):
            table(tmp_path / name / f"{number}.csv", ["x", "v", "gain"], lambda i, c=code: 3 + c, n=200)
    data = load(tmp_path, window=50)
    assert data.channels == ("x", "v", "gain")
    assert any(note.startswith("Warning: Column 'gain' has one value in all of a class") for note in data.notes)


def test_a_copy_of_the_label_is_no_channel(tmp_path) -> None:
    path = table(tmp_path / "a.csv", ["v", "label", "class_id"], runs("p", "q"), runs(3, 8))
    data = load(path, window=50)
    assert data.channels == ("v",)
    assert "Column 'class_id' is left out, since it tells the label: --columns brings it back." in data.notes
    assert load(path, window=50, columns="v,class_id").channels == ("v", "class_id")


TIMES = {
    "time stamp": ("timestamp", lambda i: 20 * i),
    "seconds": ("seconds", lambda i: i // 50),
    "index": ("index", lambda i: i),
    "pandas' index": ("", lambda i: i),
    "shuffled id": ("id", lambda i: i * 7919 % 600),
    "a counter of any name": ("seq1", lambda i: 3 * i + 5),
    "that begins again": ("n", lambda i: i % 100),
    "that wraps": ("k", lambda i: i % 256),
    "with jitter": ("T", lambda i: 20 * i + i * 37 % 11),
    "steps": ("pedometer", lambda i: i // 3),
    "since 1970": ("ts", lambda i: 1700000000000 + 10 * i),
    "text": ("time", lambda i: f"12:{i // 60:02}:{i % 60:02}"),
    "with its unit": ("Time (ms)", lambda i: 20 * (i % 100)),
    "by another name": ("seconds_elapsed", lambda i: f"{i / 50:.2f}"),
}


@pytest.mark.parametrize(("name", "make"), TIMES.values(), ids=TIMES.keys())
def test_times_counters_and_row_numbers_are_no_channels(tmp_path, name, make) -> None:
    path = write_csv(
        tmp_path / "a.csv",
        [[name, "ax", "ay", "label"], *[[make(i), *row, "abc"[i // 200]] for i, row in enumerate(noise(600, 2))]],
    )
    data = load(path, window=50)
    called = name or "unnamed 1"
    assert data.channels == ("ax", "ay")
    (about,) = (note for note in data.notes if repr(called) in note)
    assert (
        about.startswith(f"Column {called!r} is left out, since it ") or "no channel unless --columns names it" in about
    )
    if name != "time":
        assert load(path, window=50, columns=f"{called},ax").channels == (called, "ax")


def test_a_counter_in_each_file_of_class_folders(tmp_path) -> None:
    data = load(folders(tmp_path, ["x", "y", "k"], ("a", "b"), lambda i: i / 50), window=50)
    assert data.channels == ("x", "y")


CHANNELS = {
    "a drift": lambda i: i / 20 + np.sin(i * 7.3),
    "a square wave": lambda i: i // 50 % 2,
    "a sine": lambda i: np.sin(i / 30),
    "a saw with noise": lambda i: i % 97 + 3 * np.sin(i * 7.3),
    "one step": lambda i: int(i > 300),
}


@pytest.mark.parametrize("make", CHANNELS.values(), ids=CHANNELS.keys())
def test_what_is_no_clock_stays(tmp_path, make) -> None:
    data = load(table(tmp_path / "a.csv", ["ax", "v", "label"], make, runs(0, 1)), window=50)
    assert data.channels == ("ax", "v")


def test_the_only_channel_stays_though_it_rises(tmp_path) -> None:
    path = write_csv(tmp_path / "a.csv", [["v", "label"], *[[i / 3, i // 100 % 2] for i in range(600)]])
    data = load(path, window=50)
    assert data.channels == ("v",)
    assert "Column 'v' only rises, as a time stamp or a counter does, but there is no other to read." in data.notes


def test_who_was_recorded_is_no_channel(tmp_path) -> None:
    path = table(tmp_path / "a.csv", ["ax", "subject", "label"], runs(1, 2, 3, 4, length=150), runs(0, 1, length=50))
    data = load(path, window=50)
    assert data.channels == ("ax",)
    assert any("'subject' is left out, since it says who or what was recorded (--group" in note for note in data.notes)
    assert load(path, window=50, group="subject").channels == ("ax",)


def test_an_empty_column_is_no_channel(tmp_path) -> None:
    path = table(tmp_path / "a.csv", ["ax", "spare", "label"], lambda i: "", runs(0, 1))
    assert "Column 'spare' is left out, since it holds no value." in load(path, window=50).notes


@settings(max_examples=20)
@given(
    whole=st.integers(0, 7),
    classes=st.integers(2, 12),
    form=st.sampled_from(["{}", "{}.0", "{}.000000000000000000e+00"]),
)
def test_without_a_header_the_one_column_of_whole_numbers_is_the_label(tmp_path_factory, whole, classes, form) -> None:
    """As the UCR archive has it first, and np.savetxt last."""
    path = tmp_path_factory.mktemp("plain") / "a.csv"
    rows = [[*row[:whole], form.format(i % classes), *row[whole:]] for i, row in enumerate(noise(120, 7))]
    data = load(write_csv(path, rows))
    assert data.class_names == tuple(map(str, range(classes)))
    assert f"The label is column '{whole + 1}' (no other was asked for)." in data.notes
    assert data.input_shape == (7, 1, 1)


def test_labels_as_savetxt_writes_them_are_in_their_order(tmp_path) -> None:
    np.savetxt(tmp_path / "a.csv", np.c_[RNG.random((120, 8)), np.arange(120) % 12], delimiter=",")
    for options in ({}, {"label": "-1"}):
        assert load(tmp_path / "a.csv", **options).class_names == tuple(map(str, range(12)))


@pytest.mark.parametrize(
    ("name", "is_time"),
    [
        *[
            (name, True)
            for name in ("time", "Time [s]", "timestamp_ms", "TIMESTAMP", "time (us)", "millis", "datetime")
        ],
        *[(name, True) for name in ("seconds since start", "time_since_boot", "Epoch", "SystemTime")][1:],
        *[(name, False) for name in ("t0", "temp", "runtime_error", "ax", "timeout", "s", "reaction_time", "min")],
    ],
)
def test_names_of_times(name, is_time) -> None:
    assert names.is_time(name) == is_time


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("time_ms", 1e-3),
        ("Time [us]", 1e-6),
        ("seconds_elapsed", 1.0),
        ("t (ns)", 1e-9),
        ("millis", 1e-3),
        ("time", None),
    ],
)
def test_units_in_names(name, unit) -> None:
    assert names.unit_of(name) == unit

"""CSV of rows: how a file is understood, held against Python's own csv, and a line's number for each fault."""

import csv
import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.kinds import write_csv
from tinynas.data import load
from tinynas.data.readers import ReadOptions
from tinynas.data.readers.labels import plain_labels
from tinynas.data.readers.sheets import Sheet, read_sheets
from tinynas.errors import DataError, UsageError

NONE = ReadOptions()


def sheet(path, options=NONE) -> tuple[Sheet, tuple[str, ...]]:
    """The one file at `path` as the reader takes it, and the names of the columns that are read."""
    sheets = read_sheets(path, options, lambda tables: None)
    (one,) = sheets.train
    return one, sheets.channels


def text(path, content, encoding="utf-8"):
    path.write_text(content, encoding=encoding)
    return path


@settings(max_examples=60)
@given(
    numbers=st.lists(
        st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=3, max_size=3), min_size=1
    ),
    labels=st.text(string.ascii_letters, min_size=1, max_size=4),
    delimiter=st.sampled_from(",;\t"),
    header=st.booleans(),
    encoding=st.sampled_from(["utf-8", "utf-8-sig"]),
    ends=st.sampled_from(["\n", "\r\n", "\n\n"]),
)
def test_numbers_and_labels_come_back(tmp_path_factory, numbers, labels, delimiter, header, encoding, ends) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    rows = [[*map(repr, row), labels + str(i)] for i, row in enumerate(numbers)]
    lines = [delimiter.join(row) for row in ([["p", "q", "r", "label"], *rows] if header else rows)]
    path.write_bytes(ends.join(lines).encode(encoding))
    names = ("p", "q", "r") if header else ("1", "2", "3")
    one, channels = sheet(path, ReadOptions(label="4", columns=names))
    np.testing.assert_array_equal(one.values, np.array(numbers, dtype=np.float32))
    assert one.labels.tolist() == [row[-1] for row in rows]
    assert channels == names


def test_a_table_longer_than_a_part_is_pythons(tmp_path) -> None:
    rng = np.random.default_rng(0)
    path = write_csv(
        tmp_path / "a.csv", [["u", "v", "class"], *[[*v, i % 3] for i, v in enumerate(rng.random((9001, 2)))]]
    )
    table, _ = sheet(path)
    with path.open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    np.testing.assert_array_equal(
        table.values, np.array([row[:2] for row in rows], dtype=np.float64).astype(np.float32)
    )
    assert table.labels.tolist() == [row[2] for row in rows]


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        ("5.1,3.5,setosa\n4.9,3.0,setosa\n", ("1", "2")),
        ("sl,sw,name\n5.1,3.5,setosa\n", ("sl", "sw")),
        ("label,0,1\nsetosa,5,3\n", ("0", "1")),
        ("label,0,1\n7,5,3\n", ("0", "1")),
        ("\n\nsl,sw,name\n\n5.1,3.5,setosa\n", ("sl", "sw")),
        ('"a,b","c",class\n1,2,x\n', ("a,b", "c")),
    ],
)
def test_headers_are_told_from_rows(tmp_path, content, columns) -> None:
    assert sheet(text(tmp_path / "a.csv", content))[1] == columns


@pytest.mark.parametrize(
    ("label", "columns"),
    [("b", ("a", "c")), ("B", ("a", "c")), ("2", ("a", "c")), ("-1", ("a", "b")), ("1", ("b", "c"))],
)
def test_the_label_by_name_or_number(tmp_path, label, columns) -> None:
    path = text(tmp_path / "a.csv", "a,b,c\n1,2,3\n")
    assert sheet(path, ReadOptions(label=label))[1] == columns


def test_labels_that_are_numbers_are_in_their_order(tmp_path) -> None:
    assert plain_labels(["10", "9", "+1"]).tolist() == [10, 9, 1]
    assert plain_labels(["1.0", "2.00"]).tolist() == [1, 2]
    assert plain_labels(["1", "a"]).tolist() == ["1", "a"]
    rows = [[i % 12, i / 100, (i % 12) / 12] for i in range(120)]
    assert load(write_csv(tmp_path / "a.csv", rows), label="1").class_names == tuple(map(str, range(12)))


@pytest.mark.parametrize(
    ("label", "extra", "is_recording"),
    [
        (lambda i: i % 2, [], False),
        (lambda i: i // 100, [], False),  # sorted by class
        (lambda i: i // 25 % 2, [], True),
        (lambda i: i % 2, ["time"], True),
    ],
)
def test_rows_that_look_like_a_recording_are_doubted(tmp_path, label, extra, is_recording) -> None:
    rng = np.random.default_rng(0)
    rows = [[*rng.random(2), *(20 * i for _ in extra), label(i)] for i in range(200)]
    path = write_csv(tmp_path / "a.csv", [["v", "w", *extra, "label"], *rows])
    notes = load(path).notes
    assert any(note.startswith("Warning: Each row is read as a sample") for note in notes) == is_recording


def test_train_and_test_files(tmp_path) -> None:
    rows = [[i % 2, i / 40] for i in range(40)]
    for name, part in (("Train", rows[:30]), ("test", rows[30:]), ("other", rows)):
        write_csv(tmp_path / f"{name}.csv", [["y", "v"], *part])
    data = load(tmp_path)
    assert (len(data.x), len(data.x_test)) == (30, 10)
    assert "Beside Train.csv and test.csv these were left out: other.csv." in data.notes
    (tmp_path / "other.csv").unlink()
    write_csv(tmp_path / "test.csv", [["y", "w"], *rows[30:]])
    with pytest.raises(DataError, match=r"test\.csv: its columns are w, those of Train\.csv v; wanted the same"):
        load(tmp_path)


def test_several_files_are_joined_and_groups_kept_whole(tmp_path) -> None:
    for file in range(3):
        rows = [[i % 2, i / 40 + file, f"p{i % 5}"] for i in range(40)]
        write_csv(tmp_path / f"{file}.csv", [["y", "v", "person"], *rows])
    data = load(tmp_path, group="person")
    assert len(data.x) + len(data.x_test) == 120
    assert data.groups is not None
    assert data.groups.names == ("p0", "p1", "p2", "p3", "p4")
    assert data.groups.shared() == ()
    assert len(data.groups.codes) == len(data.x)


def test_columns_are_chosen_and_ordered(tmp_path) -> None:
    path = text(tmp_path / "a.csv", "volts,a,b,y\n12V,1,2,0\n13V,3,4,1\n")
    with pytest.raises(DataError, match=r"line 2: column 'volts' holds '12V', wanted a finite number .*--columns"):
        sheet(path)
    table, channels = sheet(path, ReadOptions(columns=("b", "a")))
    assert channels == ("b", "a")
    np.testing.assert_array_equal(table.values, [[2, 1], [4, 3]])


GOOD = "a,b,y\n1,2,0\n3,4,1\n"
BAD = {
    "empty": ("", "is empty"),
    "blank": ("\n , \n", "is empty|has no column"),
    "header only": ("a,b,y\n", "has a header and no rows"),
    "text": (GOOD + "5,abc,1\n", "line 4: column 'b' holds 'abc', wanted a finite number"),
    "late text": (GOOD + "5,6,1\n" * 5000 + "5,x,1\n", "line 5004: column 'b' holds 'x'"),
    "nothing": (GOOD + "5,,1\n", "line 4: column 'b' holds nothing"),
    "nan": (GOOD + "5,nan,1\n", "line 4: column 'b' holds 'nan'"),
    "infinite": (GOOD + "5,-inf,1\n", "line 4: column 'b' holds '-inf'"),
    "huge": (GOOD + "5,1e39,1\n", "line 4: column 'b' holds '1e39'"),
    "beyond double": (GOOD + "5,1e400,1\n", "line 4: column 'b' holds '1e400'"),
    "mixed decimals": ("a;b;y\n1.5;2;0\n1,5;2;0\n", "line 3: column 'a' holds '1,5'"),
    "short row": (GOOD + "5,6\n", "line 4: has 2 cells, wanted 3"),
    "long row": (GOOD + "5,6,7,8\n", "line 4: has 4 cells, wanted 3"),
    "no label": (GOOD + "5,6,\n", "line 4: column 'y' is empty"),
    "only a label": ("y\n1\n2\n", "has no column beside label and group"),
    "no label column": ("a,b\n1,2\n3,4\n", "which column is the label.*the columns are a, b"),
    "neither": (GOOD.replace("a", "\xe9\x81"), "cannot be read as CSV: it is neither UTF-8, UTF-16 nor Windows"),
    "nul": (GOOD + "5,\x00,1\n", "line 4: column 'b' holds|cannot be read as CSV"),
    "long field": ("a" * 200_000 + ",b,y\n1,2,3\n", "cannot be read as CSV"),
    "open quote": (GOOD + '"5,6,1\n', "line 4: has 1 cells|cannot be read"),
}


@pytest.mark.parametrize(("content", "sentence"), BAD.values(), ids=BAD.keys())
def test_a_fault_is_told_with_its_line(tmp_path, content, sentence) -> None:
    path = text(tmp_path / "a.csv", content, "latin-1")
    with pytest.raises(DataError, match=rf"a\.csv.*({sentence})") as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_a_label_that_is_a_measurement_is_refused(tmp_path) -> None:
    path = write_csv(tmp_path / "a.csv", [["a", "y"], *[[i, i / 7] for i in range(60)]])
    with pytest.raises(DataError, match=r"the label takes 60 values in 60 rows, such as '0\.0', which are no classes"):
        load(path)


def test_columns_that_are_not_there(tmp_path) -> None:
    path = text(tmp_path / "a.csv", "a,b,b,y\n1,2,3,0\n")
    for options, sentence in (
        ({"label": "z"}, r"has no column 'z' \(label\); the columns are a, b, b, y"),
        ({"label": "0"}, "has no column '0'"),
        ({"label": "5"}, "has no column '5'"),
        ({"label": "-5"}, "has no column '-5'"),
        ({"label": "b"}, "several columns are called 'b'"),
        ({"group": "z"}, r"has no column 'z' \(group\)"),
        ({"columns": "z"}, r"has no column 'z' \(columns\)"),
    ):
        with pytest.raises(DataError, match=sentence):
            load(path, **options)
    with pytest.raises(UsageError, match="group is y, which is the label too"):
        load(path, group="y", label="y")
    with pytest.raises(DataError, match="which column is the label"):
        load(path, group="y")


def test_columns_of_unlike_ranges_are_channels_with_a_range_each(tmp_path) -> None:
    rng = np.random.default_rng(0)
    raw = rng.random((60, 3)) * [1, 500, 2]
    data = load(write_csv(tmp_path / "a.csv", [["y", "a", "b", "c"], *[[i % 2, *row] for i, row in enumerate(raw)]]))
    assert data.input_shape == (1, 1, 3)
    np.testing.assert_allclose(data.x.max(axis=(0, 1, 2)), 1)
    np.testing.assert_allclose(data.x.min(axis=(0, 1, 2)), 0)
    assert load(tmp_path / "a.csv", reshape=(3, 1)).input_shape == (3, 1, 1)

"""Classes from where files lie: nested folders, names, and lists beside them; each said, each with another way."""

import numpy as np
import pytest
from PIL import Image

from tests.data.kinds import write_csv, write_wav
from tinynas.data import load
from tinynas.data.readers.places import names_as_labels
from tinynas.errors import DataError, UsageError

RNG = np.random.default_rng(0)
SAVE = {
    "csv": lambda path: write_csv(path, [["ax", "ay"], *RNG.normal(size=(100, 2)).tolist()]),
    "wav": lambda path: write_wav(path, RNG.normal(0, 0.1, 1200)),
    "png": lambda path: _picture(path),
}
OPTIONS = {"csv": {"window": 20}, "wav": {}, "png": {}}
EVERY = pytest.mark.parametrize("suffix", SAVE)


def _picture(path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RNG.integers(0, 256, (6, 6), dtype=np.uint8)).save(path)


@EVERY
@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (("walk_01", "walk_02", "walk_03", "run_01", "run_02", "run_03"), ("run", "walk")),
        (("yes.1a2b", "yes.77", "yes.x.y", "no.1", "no.2", "no.3"), ("no", "yes")),
        (("cat (1)", "cat (2)", "cat (3)", "dog1", "dog2", "dog33"), ("cat", "dog")),
    ],
)
def test_names_of_flat_files(tmp_path, suffix, names, classes) -> None:
    for name in names:
        SAVE[suffix](tmp_path / f"{name}.{suffix}")
    data = load(tmp_path, **OPTIONS[suffix])
    assert data.class_names == classes
    assert any(
        note.startswith(f"The class is taken from the name of each file ({', '.join(classes)})") for note in data.notes
    )
    assert len(data.x) + len(data.x_test) == (30 if suffix == "csv" else 6)


def test_one_recording_a_class(tmp_path) -> None:
    for name in ("punch", "flex"):
        SAVE["csv"](tmp_path / f"{name}.csv")
    assert load(tmp_path, window=10).class_names == ("flex", "punch")
    with pytest.raises(
        DataError, match=r"does not say how many rows are a sample: give window \(--window\), such as 100"
    ):
        load(tmp_path)


@EVERY
def test_names_that_say_nothing(tmp_path, suffix) -> None:
    for name in ("01", "02", "03"):
        SAVE[suffix](tmp_path / f"{name}.{suffix}")
    with pytest.raises(DataError, match=r"whose class is not known \(01\..*, 02|which column is the label"):
        load(tmp_path, **OPTIONS[suffix])


@EVERY
@pytest.mark.parametrize(
    "persons", [("u01", "u02", "u03", "u04"), ("1", "2", "3"), ("subject_5", "subject_6", "subject_9")]
)
def test_persons_with_folders_of_classes(tmp_path, suffix, persons) -> None:
    for person in persons:
        for name in ("walk", "run"):
            for number in range(2):
                SAVE[suffix](tmp_path / person / name / f"{number}.{suffix}")
    data = load(tmp_path, **OPTIONS[suffix])
    assert data.class_names == ("run", "walk")
    assert data.groups is not None
    assert data.groups.names == persons
    assert data.groups.shared() == ()
    assert any("the inner ones are taken for classes, the outer ones count persons" in note for note in data.notes)
    assert load(tmp_path, label="folder", **OPTIONS[suffix]).class_names == persons


@EVERY
def test_classes_with_folders_of_persons(tmp_path, suffix) -> None:
    for name in ("walk", "run"):
        for person in ("s1", "s2", "s3"):
            SAVE[suffix](tmp_path / name / person / f"0.{suffix}")
    data = load(tmp_path, **OPTIONS[suffix])
    assert data.class_names == ("run", "walk")
    assert not any("inner" in note for note in data.notes)


@EVERY
def test_two_readings_of_nested_folders_are_said(tmp_path, suffix) -> None:
    for name in ("walk", "run"):
        for person in ("anna", "ben"):
            for number in range(3):
                SAVE[suffix](tmp_path / name / person / f"{number}.{suffix}")
    data = load(tmp_path, **OPTIONS[suffix])
    assert data.class_names == ("run", "walk")
    assert any("the outer ones are taken for classes (--label subfolder overrides this)" in note for note in data.notes)
    assert load(tmp_path, label="subfolder", **OPTIONS[suffix]).class_names == ("anna", "ben")


@pytest.mark.parametrize("suffix", ["png", "wav"])
@pytest.mark.parametrize("how", ["name", "stem", "path", "backslash"])
def test_a_list_of_labels_beside_the_files(tmp_path, suffix, how) -> None:
    listed = []
    for number in range(12):
        SAVE[suffix](tmp_path / "files" / f"img{number:03}.{suffix}")
        name = f"img{number:03}.{suffix}"
        written = {"name": name, "stem": name[:6], "path": f"files/{name}", "backslash": f"files\\{name}"}[how]
        listed.append([written, "cat" if number % 3 else "dog", ["train", "test"][number >= 9]])
    write_csv(tmp_path / "labels.csv", [["file", "what", "split"], *listed])
    data = load(tmp_path)
    assert data.class_names == ("cat", "dog")
    assert (len(data.x), len(data.x_test)) == (9, 3)
    assert "The classes are those that labels.csv lists (--label folder takes folders instead)." in data.notes
    write_csv(
        tmp_path / "labels.csv", [["file", "what", "who"], *[[*row[:2], f"p{i // 2}"] for i, row in enumerate(listed)]]
    )
    data = load(tmp_path, label="what", group="who")
    assert data.groups is not None
    assert len(data.groups.names) == 6


def test_what_a_list_does_not_hold_is_said(tmp_path) -> None:
    for number in range(20):
        _picture(tmp_path / f"{number}.png")
    listed = [[f"{number}.png", "ab"[number % 2]] for number in range(19)]
    write_csv(tmp_path / "labels.csv", [["image", "class"], *listed, ["gone.png", "a"]])
    data = load(tmp_path)
    assert len(data.x) + len(data.x_test) == 19
    assert "1 rows of labels.csv name no file that is there." in data.notes
    assert "1 files that labels.csv does not list were left out." in data.notes


def test_a_table_that_lists_a_few_leaves_the_folders_their_say(tmp_path) -> None:
    for name in "ab":
        for number in range(6):
            _picture(tmp_path / name / f"{name}{number}.png")
    write_csv(tmp_path / "notes.csv", [["file", "label"], ["a0.png", "odd"]])
    assert load(tmp_path).class_names == ("a", "b")


def test_options_that_need_a_list(tmp_path) -> None:
    for name in "ab":
        for number in range(6):
            _picture(tmp_path / name / f"{number}.png")
    with pytest.raises(DataError, match="label is 'what', but no CSV file there lists the pictures"):
        load(tmp_path, label="what")
    with pytest.raises(UsageError, match=r"^columns is for"):
        load(tmp_path, columns="a")


def test_files_beside_folders_are_said(tmp_path) -> None:
    for name in "ab":
        for number in range(4):
            _picture(tmp_path / name / f"{number}.png")
    _picture(tmp_path / "overview.png")
    assert "1 pictures beside the folders were left out." in load(tmp_path).notes
    folder = tmp_path / "csv"
    SAVE["csv"](folder / "a" / "0.csv")
    for number in range(3):
        write_csv(folder / f"{number}.csv", [["v", "label"], *[[i * i % 19, "ab"[i // 20 % 2]] for i in range(80)]])
    assert "Beside the CSV files these folders were left out: a." in load(folder, window=10).notes


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["punch", "flex"], ["punch", "flex"]),
        (["a1", "a2", "b1"], ["a", "a", "b"]),
        (["walk_train", "walk_test", "run_train"], ["walk", "walk", "run"]),
        (["1", "2"], None),
        (["rec1", "rec2"], None),
        (["x"], None),
    ],
)
def test_labels_in_names(names, labels, tmp_path) -> None:
    assert names_as_labels([tmp_path / f"{name}.csv" for name in names], False) == labels


@EVERY
@pytest.mark.parametrize(
    ("folders", "classes", "said"),
    [
        (("s1", "s2", "s3"), ("run", "walk"), "--label folder"),
        (("user_01", "user_02", "user_03"), ("run", "walk"), "--label folder"),
        (("1", "2", "3"), ("1", "2", "3"), "--label file"),
        (("class1", "class2", "class3"), ("class1", "class2", "class3"), "--label file"),
    ],
)
def test_persons_with_files_called_by_the_class(tmp_path, suffix, folders, classes, said) -> None:
    """Folders that count persons are no classes where the files of each are called alike; either way it is said."""
    for folder in folders:
        for name in ("walk", "run"):
            for number in range(4):
                SAVE[suffix](tmp_path / folder / f"{name}_{number}.{suffix}")
    found = load(tmp_path, **OPTIONS[suffix])
    assert found.class_names == classes
    assert any(said in note for note in found.notes)
    other = said.split()[1]
    assert load(tmp_path, label=other, **OPTIONS[suffix]).class_names == tuple(
        sorted(folders) if other == "folder" else ("run", "walk")
    )

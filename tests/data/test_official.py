"""Splits that come with the data are kept, however they are named; what is joined or left out is said."""

import numpy as np
import pytest
from PIL import Image

from tests.data.kinds import write_csv, write_wav
from tinynas.data import load
from tinynas.data.readers.official import part_of

RNG = np.random.default_rng(0)


def rows(path, n, columns=3, header=True, delimiter=","):
    names = [[*(f"f{i}" for i in range(columns)), "label"]] if header else []
    body = [[*(f"{v:.3f}" for v in row), i % 3] for i, row in enumerate(RNG.normal(size=(n, columns)))]
    return write_csv(path, [*names, *body], delimiter)


NAMES = [
    ("mnist_train", "mnist_test"),
    ("ECG200_TRAIN", "ECG200_TEST"),
    ("train", "val"),
    ("train", "test"),
    ("Train", "valid"),
    ("data-training", "data-validation"),
    ("trainSet", "testSet"),
    ("x.train", "x.test"),
    ("train_1", "test_1"),
    ("GunPoint_TRAIN", "GunPoint_TEST"),
]


@pytest.mark.parametrize(("train", "test"), NAMES)
@pytest.mark.parametrize("suffix", ["csv", "tsv"])
def test_files_of_two_parts(tmp_path, train, test, suffix) -> None:
    delimiter = "\t" if suffix == "tsv" else ","
    for name, n in ((train, 90), (test, 30)):
        rows(tmp_path / f"{name}.{suffix}", n, delimiter=delimiter)
    data = load(tmp_path)
    assert (len(data.x), len(data.x_test)) == (90, 30)
    said = f"The training and the test part are {train}.{suffix} and {test}.{suffix}, as the files are called."
    assert said in data.notes


def test_the_test_file_goes_before_that_for_validation(tmp_path) -> None:
    for name, n in (("a_train_1", 60), ("a_train_2", 30), ("a_val", 21), ("a_test", 30)):
        rows(tmp_path / f"{name}.csv", n)
    data = load(tmp_path)
    assert (len(data.x), len(data.x_test)) == (90, 30)
    assert any("these were left out: a_val.csv." in note for note in data.notes)


@pytest.mark.parametrize(
    "names", [("train_ride", "test_drive"), ("train", "bus"), ("test", "other"), ("a_train", "b_test")]
)
def test_names_that_say_no_split_are_joined_and_said(tmp_path, names) -> None:
    for name in names:
        rows(tmp_path / f"{name}.csv", 60)
    data = load(tmp_path)
    assert len(data.x) + len(data.x_test) == 120
    assert f"2 files were joined: {', '.join(sorted(f'{name}.csv' for name in names))}." in data.notes


def test_a_test_file_without_labels_is_none(tmp_path) -> None:
    rows(tmp_path / "train.csv", 90)
    write_csv(tmp_path / "test.csv", [["f0", "f1", "f2"], *RNG.normal(size=(30, 3)).tolist()])
    data = load(tmp_path)
    assert len(data.x) + len(data.x_test) == 90
    assert "test.csv holds no column 'label', so it is no test part and was left out." in data.notes


@pytest.mark.parametrize("names", [("train", "test"), ("Training", "PublicTest"), ("train", "val")])
@pytest.mark.parametrize("window", [None, 10])
def test_a_column_that_says_the_part(tmp_path, names, window) -> None:
    body = [[*RNG.normal(size=2).tolist(), "ab"[i // 20 % 2], names[i // 40 % 3 == 1]] for i in range(720)]
    write_csv(tmp_path / "a.csv", [["v", "w", "label", "split"], *body])
    data = load(tmp_path / "a.csv", window=window)
    assert (len(data.x), len(data.x_test)) == ((480, 240) if window is None else (48, 24))
    assert "The training and the test part are as column 'split' says." in data.notes
    assert data.channels in ((), ("v", "w"))


def test_folders_called_val(tmp_path) -> None:
    for part, n in (("train", 4), ("val", 2)):
        for name in "ab":
            for number in range(n):
                place = tmp_path / part / name
                place.mkdir(parents=True, exist_ok=True)
                Image.fromarray(RNG.integers(0, 256, (6, 6), dtype=np.uint8)).save(place / f"{number}.png")
    data = load(tmp_path)
    assert (len(data.x), len(data.x_test)) == (8, 4)
    assert "The test part is val/, since there is no test folder." in data.notes


def test_files_of_class_folders_that_are_called_by_their_part(tmp_path) -> None:
    for name in ("a", "b"):
        for part, n in (("train", 4), ("test", 2)):
            for number in range(n):
                write_wav(tmp_path / name / f"{part}_{number}.wav", RNG.normal(0, 0.1, 1200))
    data = load(tmp_path)
    assert (len(data.x), len(data.x_test)) == (8, 4)


def test_a_list_of_test_files(tmp_path) -> None:
    """As the Speech Commands have it."""
    for name in ("yes", "no"):
        for number in range(6):
            write_wav(tmp_path / name / f"{number}.wav", RNG.normal(0, 0.1, 1200))
    (tmp_path / "testing_list.txt").write_text("yes/1.wav\nyes/3.wav\nno/0.wav\n")
    data = load(tmp_path)
    assert (len(data.x), len(data.x_test)) == (9, 3)
    assert "The 3 files that testing_list.txt names are the test part." in data.notes


def test_arrays_of_two_files_and_those_called_val(tmp_path) -> None:
    x, y = RNG.normal(size=(60, 8)), np.arange(60) % 3
    np.savez(tmp_path / "set_train.npz", x=x, y=y)
    np.savez(tmp_path / "set_test.npz", x=x[:30] + 1, y=y[:30])
    data = load(tmp_path)
    assert (len(data.x), len(data.x_test)) == (60, 30)
    np.savez(tmp_path / "whole.npz", x_train=x, y_train=y, x_val=x[:30], y_val=y[:30])
    data = load(tmp_path / "whole.npz")
    assert (len(data.x), len(data.x_test)) == (60, 30)
    assert "The test part is x_val and y_val, since there is no x_test." in data.notes
    assert any("these were left out: whole.npz." in note for note in load(tmp_path).notes)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        *[(name, "train") for name in ("train", "X_train", "TRAIN", "mnist-train", "trainSet", "training")],
        *[(name, "test") for name in ("test", "ECG_TEST", "PrivateTest", "testing_1")],
        *[(name, "val") for name in ("val", "valid", "dev", "Validation")],
        *[(name, None) for name in ("strain", "testimony", "latest", "train_test", "trainer", "values", "")],
    ],
)
def test_words_that_say_a_part(name, part) -> None:
    assert part_of(name) == part

"""Finding sets on disk: meta.json, and sentences that say what was wanted and what is there."""

import gzip
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tinynas.data import load, load_pair, write_idx
from tinynas.errors import DataError

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (30, 6, 5), dtype=np.uint8)
Y = (np.arange(30) % 3).astype(np.uint8)


def save(path: Path, array: np.ndarray) -> Path:
    data = write_idx(array)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ("{}-images-idx3-ubyte", "{}-labels-idx1-ubyte"),
        ("{}-images-idx3-ubyte.gz", "{}-labels-idx1-ubyte.gz"),
        ("{}-images-idx3-ubyte", "{}-labels-idx1-ubyte.gz"),
        ("{}-images.idx3-ubyte", "{}-labels.idx1-ubyte"),
        ("{}-images-idx2-float.gz", "{}-labels-idx1-int"),
        ("{}_images.idx", "{}_labels.idx"),
        ("emnist-digits-{}-images-idx3-ubyte.gz", "emnist-digits-{}-labels-idx1-ubyte.gz"),
        ("{}-IMAGES-IDX3-UBYTE", "{}-LABELS-IDX1-UBYTE"),
    ],
)
@pytest.mark.parametrize("test", ["test", "t10k"])
def test_usual_names(tmp_path: Path, images: str, labels: str, test: str) -> None:
    for part, rows in (("train", slice(20)), (test, slice(20, 30))):
        save(tmp_path / images.format(part), X[rows])
        save(tmp_path / labels.format(part), Y[rows])
    data = load(tmp_path)
    np.testing.assert_array_equal(data.x[..., 0], (X[:20] / 255).astype(np.float32))
    np.testing.assert_array_equal(data.x_test[..., 0], (X[20:] / 255).astype(np.float32))
    assert data.y.tolist() == Y[:20].tolist()
    assert data.y_test.tolist() == Y[20:].tolist()
    assert data.name == tmp_path.name


@pytest.mark.parametrize("part", ["train-", ""])
def test_one_pair_is_split(tmp_path: Path, part: str) -> None:
    save(tmp_path / f"{part}images-idx3-ubyte.gz", X)
    save(tmp_path / f"{part}labels-idx1-ubyte", Y)
    data = load(tmp_path, test_fraction=0.3, seed=5)
    assert (len(data.x), len(data.x_test)) == (21, 9)
    beside = load(tmp_path / f"{part}images-idx3-ubyte.gz", test_fraction=0.3, seed=5)
    pair = load_pair(
        tmp_path / f"{part}images-idx3-ubyte.gz",
        tmp_path / f"{part}labels-idx1-ubyte",
        test_fraction=0.3,
        seed=5,
    )
    assert data.digest == beside.digest == pair.digest


def test_a_named_file_is_taken_without_its_neighbours(tmp_path: Path) -> None:
    for part, rows in (("train", slice(20)), ("t10k", slice(20, 30))):
        save(tmp_path / f"{part}-images-idx3-ubyte", X[rows])
        save(tmp_path / f"{part}-labels-idx1-ubyte", Y[rows])
    data = load(tmp_path / "t10k-images-idx3-ubyte", test_fraction=0.3)
    assert len(data.x) + len(data.x_test) == 10


def test_plain_goes_before_gz(tmp_path: Path) -> None:
    save(tmp_path / "train-images-idx3-ubyte", X)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"not read")
    save(tmp_path / "train-labels-idx1-ubyte", Y)
    assert len(load(tmp_path).x) == 24


def folder(path: Path, meta: object = None, text: str | None = None) -> Path:
    save(path / "train-images-idx3-ubyte", X)
    save(path / "train-labels-idx1-ubyte", Y)
    if meta is not None or text is not None:
        (path / "meta.json").write_text(json.dumps(meta) if text is None else text)
    return path


def test_meta_gives_name_classes_and_layout(tmp_path: Path) -> None:
    meta = {"name": "gestures", "classes": ["up", "down", "rest"], "layout": "series", "shape": [6, 5]}
    data = load(folder(tmp_path, meta))
    assert (data.name, data.class_names) == ("gestures", ("up", "down", "rest"))
    assert (data.layout, data.input_shape) == ("series", (6, 1, 5))
    assert data.layout_reason == 'meta.json says layout "series"'
    assert load(tmp_path, layout="image").input_shape == (6, 5, 1)
    assert load(tmp_path, reshape=(5, 6)).layout == "image"


@pytest.mark.parametrize(
    ("meta", "text", "sentence"),
    [
        (None, "{", r"meta\.json: cannot be read as JSON"),
        ([1], None, r"meta\.json: holds a list, wanted an object"),
        ({"classes": "abc"}, None, r"meta\.json: classes is 'abc', wanted a list of strings"),
        ({"classes": [1, 2, 3]}, None, "wanted a list of strings"),
        ({"layout": "sound"}, None, r"meta\.json: layout is 'sound'"),
        ({"classes": ["a", "b"]}, None, "2 class names, but the training labels hold 3"),
    ],
)
def test_bad_meta(tmp_path: Path, meta, text, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        load(folder(tmp_path, meta, text))


def test_missing_files_name_what_was_looked_for_and_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        load(tmp_path / "absent")
    with pytest.raises(DataError, match=r"it holds nothing; wanted IDX files named like train-images-idx3-ubyte"):
        load(tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    save(tmp_path / "t10k-images-idx3-ubyte", X)
    with pytest.raises(DataError, match=r"no training images.*holds notes\.txt, t10k-images-idx3-ubyte"):
        load(tmp_path)
    save(tmp_path / "train-images-idx3-ubyte", X)
    with pytest.raises(DataError, match="no labels beside it; looked for train-labels-idx1-ubyte, plain or"):
        load(tmp_path)
    save(tmp_path / "train-labels-idx1-ubyte", Y)
    with pytest.raises(DataError, match="looked for t10k-labels-idx1-ubyte"):
        load(tmp_path)
    with pytest.raises(DataError, match="not named like an images file"):
        load(tmp_path / "notes.txt")
    with pytest.raises(DataError, match="not named like an images file"):
        load(tmp_path / "train-labels-idx1-ubyte")


def test_a_crowded_folder_is_listed_in_short(tmp_path: Path) -> None:
    for i in range(12):
        (tmp_path / f"photo{i:02}.raw").touch()
    with pytest.raises(DataError, match=r"photo07\.raw and 4 more;"):
        load(tmp_path)


def test_two_sets_in_one_folder_are_told(tmp_path: Path) -> None:
    folder(tmp_path)
    save(tmp_path / "kuzushiji-train-images-idx3-ubyte", X)
    with pytest.raises(DataError, match=r"several files for the same part: .*; keep one, or give a pair"):
        load(tmp_path)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    folder(tmp_path)
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte: the header promises .*\(30, 6, 5\)"):
        load(tmp_path)
    shutil.copy(tmp_path / "train-labels-idx1-ubyte", path)
    with pytest.raises(DataError, match=r"samples have shape \(30,\)"):
        load(tmp_path)

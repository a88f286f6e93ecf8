"""NumPy's files and tf.data: every way the arrays may be called, and files that would lie, run code or never end."""

import contextlib
import io
import zipfile

import numpy as np
import pytest

from tests.data.kinds import patterns
from tinynas.data import Dataset, Samples, from_arrays, from_tf_data, load, load_pair
from tinynas.errors import DataError, UsageError

X, Y = patterns(10, (4, 5))
X_TEST, Y_TEST = patterns(4, (4, 5), seed=1)
WANTED = from_arrays(X, Y, X_TEST, Y_TEST, class_names=("a", "b", "c"))


@pytest.mark.parametrize("names", [("x", "y"), ("x_train", "y_train"), ("X", "labels")])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz(tmp_path, names, save) -> None:
    arrays = {names[0]: X, names[1]: Y, "x_test": X_TEST, "y_test": Y_TEST, "class_names": np.array(["a", "b", "c"])}
    save(tmp_path / "set.npz", **arrays)
    assert load(tmp_path / "set.npz").digest == load(tmp_path).digest == WANTED.digest
    assert load(tmp_path).name == "set"


def test_npy_in_a_folder_or_as_a_pair(tmp_path) -> None:
    for name, array in (
        ("x", X),
        ("y", Y),
        ("x_test", X_TEST),
        ("y_test", Y_TEST),
        ("classes", np.array(["a", "b", "c"])),
    ):
        np.save(tmp_path / f"{name}.npy", array)
    assert load(tmp_path).digest == load(tmp_path / "x.npy").digest == WANTED.digest
    (tmp_path / "y.npy").rename(tmp_path / "answers.npy")
    pair = load_pair(tmp_path / "x.npy", tmp_path / "answers.npy")
    assert pair.digest == load(tmp_path / "x.npy", labels=tmp_path / "answers.npy").digest == from_arrays(X, Y).digest
    with pytest.raises(DataError, match="has no array y; wanted x and y"):
        load(tmp_path)
    with pytest.raises(DataError, match=r"answers\.npy: its labels are not known"):
        load(tmp_path / "answers.npy")
    with pytest.raises(UsageError, match="label cannot be given with a labels file"):
        load_pair(tmp_path / "x.npy", tmp_path / "answers.npy", label="a")


OBJECTS = {
    "text": (np.array(["b", "a"] * 15, dtype=object), ("a", "b")),
    "NumPy's text": (np.array([np.str_("b"), np.str_("a")] * 15, dtype=object), ("a", "b")),
    "bytes": (np.array([b"b", b"a"] * 15, dtype=object), ("a", "b")),
    "numbers": (np.array([7, 3] * 15, dtype=object), ("3", "7")),
    "NumPy's numbers": (np.array([np.int64(7), np.int64(3)] * 15, dtype=object), ("3", "7")),
    "whole floats": (np.array([7.0, 3.0] * 15, dtype=object), ("3", "7")),
    "a column": (np.array(["b", "a"] * 15, dtype=object)[:, None], ("a", "b")),
}


@pytest.mark.parametrize(("y", "names"), OBJECTS.values(), ids=OBJECTS.keys())
def test_labels_that_pandas_left_as_objects(tmp_path, y, names) -> None:
    np.savez(tmp_path / "set.npz", x=X, y=y)
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", y)
    data = load(tmp_path / "set.npz")
    assert data.class_names == names
    assert load(tmp_path / "x.npy").digest == data.digest
    plain = np.array([value.decode() if isinstance(value, bytes) else value for value in y.ravel()]).tolist()
    assert data.digest == from_arrays(X, plain).digest


class Bomb:
    def __reduce__(self):
        return open, ("bomb-went-off", "w")


@pytest.mark.parametrize(
    ("y", "sentence"),
    [
        (np.array([Bomb()] * 30, dtype=object), "where a label must be"),
        (np.array(["a", None] * 15, dtype=object), r"holds nothing and str where a label must be \(the first at 1\)"),
        (np.array(["a", float("nan")] * 15, dtype=object), "holds float and str where a label must be"),
        (np.array(["a", ["b"]] * 15, dtype=object), "holds list and str where a label must be"),
    ],
)
def test_objects_that_are_no_labels_are_told_and_run_nothing(tmp_path, monkeypatch, y, sentence) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "set.npz", x=X, y=y)
    with pytest.raises(DataError, match=rf"set\.npz, y\.npy: .*{sentence}"):
        load(tmp_path / "set.npz")
    np.savez(tmp_path / "set.npz", x=np.array([Bomb()] * 30, dtype=object), y=Y)
    with pytest.raises(DataError, match=r"x\.npy: holds Python objects, wanted numbers or strings"):
        load(tmp_path / "set.npz")
    assert not (tmp_path / "bomb-went-off").exists()


def test_damaged_objects_are_told(tmp_path) -> None:
    whole = _npy(np.array(["b", "a"] * 15, dtype=object))
    rng = np.random.default_rng(0)
    for end in (len(whole) - 1, len(whole) - 40, 140):
        _npz(tmp_path / "set.npz", x=_npy(X), y=whole[:end])
        with pytest.raises(DataError, match=r"y\.npy: holds Python objects"):
            load(tmp_path / "set.npz")
    for _ in range(60):
        content = bytearray(whole)
        content[int(rng.integers(128, len(whole)))] = int(rng.integers(256))
        _npz(tmp_path / "set.npz", x=_npy(X), y=bytes(content))
        with contextlib.suppress(DataError):
            load(tmp_path / "set.npz")


def test_large_npy_files_stay_on_disk(tmp_path) -> None:
    np.save(tmp_path / "x.npy", X.astype(np.float32))
    np.save(tmp_path / "y.npy", Y)
    data = load(tmp_path, in_memory_bytes=100)
    assert isinstance(data.x, Samples)
    assert isinstance(data.x.raw, np.memmap)


def test_groups_come_with_the_arrays(tmp_path) -> None:
    groups = np.arange(len(Y)) // 2
    np.savez(tmp_path / "set.npz", x=X, y=Y, groups=groups)
    data = load(tmp_path)
    assert data.groups is not None
    assert data.digest == from_arrays(X, Y, groups=groups).digest


def _npy(array) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def _npz(path, **members) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)


BAD_NPY = {
    "objects": (_npy(np.array([{1}, None], dtype=object)), "holds Python objects"),
    "cut off": (_npy(X)[:-8], "promises shape|header promises"),
    "surplus": (_npy(X) + b"0", "promises shape|header promises"),
    "no header": (b"\x93NUMPY", "cannot be read"),
    "nothing": (b"", "cannot be read"),
    "noise": (b"noise" * 30, "cannot be read"),
    "huge": (_npy(X).replace(b"(30, 4, 5), }", b"(30, 4,9**9)}", 1), "cannot be read|promises"),
    "negative": (_npy(X).replace(b"(30, 4, 5)", b"(-3, 4, 5)", 1), "promises shape|header promises|cannot be read"),
    "enormous": (_npy(X).replace(b"(30, 4, 5), }         ", b"(30, 4, 5000000000), }", 1), "promises"),
    "open bracket": (_npy(X).replace(b"(30, 4, 5), }", b"(30, 4, 5  , ", 1), "cannot be read"),
    "version": (b"\x93NUMPY\x09\x00" + bytes(100), "is .npy version|cannot be read"),
}


@pytest.mark.parametrize(("content", "sentence"), BAD_NPY.values(), ids=BAD_NPY.keys())
def test_damaged_files_are_told(tmp_path, content, sentence) -> None:
    np.save(tmp_path / "y.npy", Y)
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(DataError, match=rf"x\.npy: .*({sentence})") as caught:
        load(tmp_path)
    assert "\n" not in str(caught.value)
    _npz(tmp_path / "set.npz", x=content, y=_npy(Y))
    with pytest.raises(DataError, match=rf"set\.npz, x\.npy: .*({sentence})"):
        load(tmp_path / "set.npz")


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"a": X}, r"has no array x; wanted x and y.*; it holds a"),
        ({"x": X}, "has no array y"),
        ({"x": X, "y": Y, "x_test": X}, "a test part needs both samples and labels"),
        ({"x": X, "y": Y, "class_names": np.arange(3)}, "class_names is int64 of shape"),
        ({"x": X, "y": Y, "class_names": np.array(["a", "b"])}, "2 class names, but the training labels hold 3"),
        ({"x": X, "y": Y[:3]}, "30 samples but 3 labels"),
        ({"x": X * np.nan, "y": Y}, "sample 0 holds nan"),
        ({"x": np.array(3.0), "y": Y}, r"samples have shape \(\)"),
        ({"x": X[:0], "y": Y[:0]}, r"samples have shape \(0, 4, 5\)"),
        ({"x": X.astype("M8[s]"), "y": Y}, "samples are of type datetime64"),
        ({"x": np.zeros(30, [("a", float)]), "y": Y}, r"samples have shape \(30,\)"),
        ({"x": np.zeros((30, 2), [("a", float)]), "y": Y}, "wanted numbers"),
    ],
)
def test_arrays_that_do_not_fit_together(tmp_path, arrays, sentence) -> None:
    np.savez(tmp_path / "set.npz", **arrays)
    with pytest.raises(DataError, match=sentence):
        load(tmp_path / "set.npz")


def test_archives_that_cannot_be_read(tmp_path) -> None:
    path = tmp_path / "set.npz"
    for content in (b"", b"PK", b"noise" * 100):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"set\.npz: cannot be read as \.npz"):
            load(path)
    np.savez_compressed(path, x=X, y=Y)
    whole = bytearray(path.read_bytes())
    whole[120:160] = bytes(40)
    path.write_bytes(bytes(whole))
    with pytest.raises(DataError, match=r"set\.npz"):
        load(path)
    np.savez(tmp_path / "other.npz", x=X, y=Y)
    with pytest.raises(DataError, match=r"holds 2 \.npz files \(other\.npz, set\.npz\)"):
        load(tmp_path)


@pytest.mark.parametrize("batch", [None, 7])
@pytest.mark.parametrize("labels", ["numbers", "one-hot", "strings"])
def test_tf_data(tensorflow, batch, labels) -> None:
    tf = tensorflow
    y, y_test = (
        {"numbers": v, "one-hot": np.eye(3)[v], "strings": np.array(["a", "b", "c"])[v]}[labels] for v in (Y, Y_TEST)
    )
    train, test = (tf.data.Dataset.from_tensor_slices(pair) for pair in ((X, y), (X_TEST, y_test)))
    if batch:
        train, test = train.batch(batch), test.batch(batch)
    data = from_tf_data(train, test, class_names=("a", "b", "c"))
    assert data.digest == WANTED.digest
    assert data.name == "tf.data"
    assert from_tf_data(train).digest == from_arrays(X, y).digest


def test_tf_data_that_cannot_be_read(tensorflow) -> None:
    tf = tensorflow
    pairs = tf.data.Dataset.from_tensor_slices((X, Y))
    for dataset, sentence in (
        (pairs.repeat(), "the training dataset never ends"),
        (pairs.take(0), "the training dataset is empty"),
        (tf.data.Dataset.from_tensor_slices(X), "element 0: is no pair"),
        (tf.data.Dataset.from_tensor_slices(({"a": X}, Y)), "element 0: a sample and a label must be one array each"),
        (pairs.batch(8).concatenate(tf.data.Dataset.from_tensors((X[:2, :, :3], Y[:2]))), "differ in shape"),
        ([(X, Y)], "is a list, wanted a tf.data.Dataset"),
    ):
        with pytest.raises(DataError, match=sentence):
            Dataset.from_tf_data(dataset)
    with pytest.raises(DataError, match="batched is True, but an element has not as many labels"):
        Dataset.from_tf_data(pairs, batched=True)


@pytest.mark.parametrize(("more", "said"), [("x_val", "x_val, y_val"), ("X_train", "X_train, Y_train")])
def test_arrays_that_are_left_out_are_told(tmp_path, more, said):
    x, y = np.random.default_rng(0).random((40, 8), np.float32), np.arange(40) % 2
    other = "y_val" if more == "x_val" else "Y_train"
    np.savez(tmp_path / "d.npz", x=x, y=y, x_test=x[:8] / 2, y_test=y[:8], extra=y, **{more: x, other: y})
    notes = " ".join(load(tmp_path / "d.npz").notes)
    assert f"{said} beside them are left out" in notes
    assert "their names are not known: extra" in notes


@pytest.mark.parametrize(("kind", "number"), [("<U1", 0x110000), (">U1", 0x110000), ("S1", 0x80)])
@pytest.mark.parametrize("key", ["y", "class_names"])
def test_texts_of_what_is_no_character_are_refused(tmp_path, kind, number, key):
    """NumPy fails on them later, with a SystemError."""
    texts = np.array(["a", "b"] * (20 if key == "y" else 1), dtype=kind)
    texts.view(np.uint8 if kind == "S1" else np.dtype(np.uint32).newbyteorder(kind[0]))[1] = number
    arrays = {"x": np.random.default_rng(0).random((40, 8, 8)), "y": np.arange(40) % 2, key: texts}
    np.savez(tmp_path / "d.npz", **arrays)
    with pytest.raises(DataError, match=rf"{key}.npy: holds texts with {number:#x} in them, which is no character"):
        load(tmp_path / "d.npz")

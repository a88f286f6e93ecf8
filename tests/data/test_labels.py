"""Labels of every kind become 0 .. n-1 with names, or one sentence that says what is wrong."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynas.data import from_arrays
from tinynas.data.labels import encode_labels, flat_labels
from tinynas.errors import DataError


def encoded(y, y_test=None, names=None):
    test = None if y_test is None else flat_labels(y_test, "set")
    return encode_labels(flat_labels(y, "set"), test, names, "set")


@settings(deadline=None)
@given(
    st.lists(st.integers(-(2**40), 2**40), min_size=2).filter(lambda v: len(set(v)) > 1)
    | st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4), min_size=2).filter(
        lambda v: len(set(v)) > 1
    )
)
def test_numbers_lead_back_to_the_labels(labels: list) -> None:
    y, _, names = encoded(labels)
    assert [names[i] for i in y] == [str(label) for label in labels]
    assert len(names) == len(set(labels))


@pytest.mark.parametrize(
    ("labels", "expected", "names"),
    [
        ([3, 5, 3, 9], [0, 1, 0, 2], ("3", "5", "9")),
        (np.array([3.0, 5.0, 3.0]), [0, 1, 0], ("3", "5")),
        (np.array([[4], [2], [4]], dtype=np.uint8), [1, 0, 1], ("2", "4")),
        ([[0, 1, 0], [1, 0, 0], [0, 0, 1]], [1, 0, 2], ("0", "1", "2")),
        (np.eye(3, dtype=bool), [0, 1, 2], ("0", "1", "2")),
        ([True, False, True], [1, 0, 1], ("0", "1")),
        (["b", "a", "b"], [1, 0, 1], ("a", "b")),
        (np.array(["b", "a", "b"], dtype=object), [1, 0, 1], ("a", "b")),
    ],
)
def test_kinds_of_labels(labels, expected: list[int], names: tuple[str, ...]) -> None:
    y, test, found = encoded(labels)
    assert (y.tolist(), test, found) == (expected, None, names)
    assert y.dtype == np.int64


def test_class_names_order_strings_and_name_integers_in_turn() -> None:
    assert encoded(["cat", "dog", "cat"], names=["dog", "cat"])[0].tolist() == [1, 0, 1]
    y, test, names = encoded([1, 2, 3], [3, 1], ["a", "b", "c"])
    assert (y.tolist(), names) == ([0, 1, 2], ("a", "b", "c"))
    assert test is not None
    assert test.tolist() == [2, 0]


BAD = {
    "half classes": ({"y": [0.0, 1.5]}, "label 1.5 of sample 1 is no class"),
    "nan": ({"y": [0.0, float("nan")]}, "label nan of sample 1"),
    "not one-hot": ({"y": [[1, 1], [0, 1]]}, r"shape \(2, 2\) are not one-hot"),
    "soft": ({"y": [[0.9, 0.1], [0.2, 0.8]]}, "not one-hot"),
    "three axes": ({"y": np.zeros((2, 2, 2))}, r"wanted \(n,\) or one-hot"),
    "ragged": ({"y": [[1], [1, 2]]}, "not one array"),
    "objects": ({"y": np.array([1, "a"], dtype=object)}, "of type object, wanted integers or strings"),
    "complex": ({"y": [1j, 2j]}, "of type complex128"),
    "too large": ({"y": np.array([1, 2**64 - 1], dtype=np.uint64)}, "beyond 64-bit"),
    "one class": ({"y": [7, 7, 7]}, "every training label is 7; wanted at least two classes"),
    "only in test": ({"y": [0, 1], "y_test": [1, 2]}, "test label 2 has no training sample"),
    "other kind": ({"y": [0, 1], "y_test": ["0", "1"]}, "training labels are int64, test labels str"),
    "twice": ({"y": [0, 1], "names": ["a", "a"]}, "class name 'a' occurs twice"),
    "absent": ({"y": [0, 2, 0], "names": ["a", "b", "c"]}, r"no training sample is labelled 1 \('b'\)"),
    "unnamed": ({"y": [0, 1, 2], "names": ["a", "b"]}, "2 class names, but the training labels hold 3"),
    "unknown name": ({"y": ["a", "c"], "names": ["a", "b"]}, "'b' is a class name but no label"),
    "nameless": ({"y": ["a", "c"], "names": ["a", "d", "c", "e"]}, "'d' is a class name but no label"),
}


@pytest.mark.parametrize(("arguments", "sentence"), BAD.values(), ids=BAD.keys())
def test_bad_labels_get_one_sentence(arguments, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence) as caught:
        encoded(**arguments)
    assert "\n" not in str(caught.value)


def test_the_sentence_names_the_set_and_the_part() -> None:
    with pytest.raises(DataError, match=r"^mine, test part: label 0\.5 of sample 0"):
        from_arrays(np.eye(4), [0, 1, 0, 1], np.eye(4), [0.5, 1, 0, 1], name="mine")

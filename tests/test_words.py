"""Pieces of sentences."""

import pytest

from tinynas.words import counted, known, one_of


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 trials"), (1, "1 trial"), (2, "2 trials"), (1200, "1,200 trials"), (-1, "-1 trials")]
)
def test_a_count_agrees_with_its_noun(count, said):
    assert counted(count, "trial") == said


def test_another_plural():
    assert counted(1, "child", "children") == "1 child"
    assert counted(3, "child", "children") == "3 children"


def test_lists_in_words():
    assert one_of(["a"]) == "a"
    assert one_of(["a", "b"]) == "a or b"
    assert one_of(("a", "b", "c"), "and") == "a, b and c"


def test_the_nearest_name_is_offered():
    assert known("max_dept", ("max_depth", "dropout")) == "known: dropout, max_depth; did you mean max_depth?"
    assert known("MAX_DEPTH", ("max_depth",)) == "known: max_depth; did you mean max_depth?"
    assert known("zzz", {"b": 1, "a": 2}) == "known: a, b"
    assert known(3, ["a"]) == "known: a"

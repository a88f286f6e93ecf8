"""Pieces of sentences."""

import pytest

from tinynas.words import between, counted, known, one_of, within


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


def test_no_step_and_no_range_are_said_in_one_word():
    assert [within(steps) for steps in (0, 1, 3)] == ["exactly", "within 1 int8 step", "within 3 int8 steps"]
    assert (between(48, 48), between(20, 1200)) == ("48", "20 to 1,200")

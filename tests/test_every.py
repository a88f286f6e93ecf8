import re

import pytest

from tests.every import every


@pytest.fixture
def ten():
    return 10


@every("number", range(3))
def test_each_case_runs_with_the_fixtures(number, ten):
    assert (number, ten) in [(0, 10), (1, 10), (2, 10)]


@every("a, b", [(1, 2), (3, 4)])
def test_several_names(a, b):
    assert b == a + 1


def test_all_that_fail_are_named_with_what_they_said():
    ran = []

    @every("number", [1, 2, 3, 4])
    def fails(number):
        ran.append(number)
        if number == 3:
            raise ValueError("is three")
        if number == 4:
            pytest.fail("is four")
        assert number == 1, "is not one"

    with pytest.raises(AssertionError, match="3 of 4 failed") as told:
        fails()
    assert ran == [1, 2, 3, 4]
    lines = str(told.value).splitlines()
    assert [re.match(r"number=(\d): (\w+): is", line) is not None for line in lines if "number=" in line] == [True] * 3
    assert "number=3: ValueError: is three" in lines


def test_without_cases_it_fails():
    with pytest.raises(AssertionError, match="no cases of x"):
        every("x", [])(lambda x: None)()

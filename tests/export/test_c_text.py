"""Pieces of C source: numbers against float32, arrays against what they came from, names against C's rules."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynas.errors import ModelError
from tinynas.export import c_text


@given(st.floats(-3.4e38, 3.4e38))
def test_numbers_read_back_as_the_nearest_float32(value: float) -> None:
    text = c_text.number(value)
    assert re.fullmatch(r"-?(\d+\.\d+|\d+(\.\d+)?e[+-]\d+)f", text)
    assert np.float32(text[:-1]) == np.float32(value)


def test_a_number_that_no_float_holds() -> None:
    with pytest.raises(ModelError, match=r"1e\+39 cannot be written as a C float"):
        c_text.number(1e39)


@given(st.binary(max_size=100))
def test_bytes_read_back(data: bytes) -> None:
    assert bytes(int(word, 16) for word in c_text.byte_array(data).replace(",", " ").split()) == data


@given(st.lists(st.text(st.characters(codec="ascii", exclude_characters=" ,"), min_size=1, max_size=30), max_size=40))
def test_arrays_break_between_values_alone(values: list[str]) -> None:
    text = c_text.array(values)
    assert [piece.strip() for piece in text.split(",")][:-1] == [value.strip() for value in values]
    assert all(len(line) <= 101 for line in text.split("\n"))


@given(st.text(max_size=30))
def test_any_text_has_a_name_near_it(text: str) -> None:
    c_text.check_name(c_text.as_name(text))

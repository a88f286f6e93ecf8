"""Pieces of C source: resolver calls against TFLM's naming rule, numbers against float32."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynas.errors import ModelError, UnsupportedOperatorError
from tinynas.tflite import c_text
from tinynas.tflite.read import read

ARENA = Path(__file__).parent.parent / "fixtures" / "arena"


@pytest.mark.parametrize("path", sorted(ARENA.glob("*.tflite")), ids=lambda path: path.stem)
def test_every_operator_of_the_fixtures_has_its_call(path: Path) -> None:
    names = [operator.name for operator in read(path.read_bytes()).operators]
    calls = c_text.resolver_calls(names)
    assert len(calls) == len(set(names))
    for name, call in zip(dict.fromkeys(names), calls, strict=True):
        method = re.fullmatch(r"\(r\)\.Add(\w+)\(.*\)", call)
        assert method is not None
        assert method[1].lower() == name.replace("_", "").lower()


def test_operators_beside_int8_get_the_full_kernels() -> None:
    assert c_text.resolver_calls(["ADD", "CONV_2D", "ADD"], {"ADD"}) == (
        "(r).AddAdd()",
        "(r).AddConv2D(::tflite::Register_CONV_2D_INT8())",
    )
    with pytest.raises(UnsupportedOperatorError, match="operator GELU: no method"):
        c_text.resolver_calls(["GELU"])


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

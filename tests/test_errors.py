"""What all errors of tinynas have in common."""

import pickle

import pytest

from tinynas.errors import DataError, RunError, TinynasError


@pytest.mark.parametrize("of", ["two\nlines", "a\r\n\tb", "bell \x07 and \x1b[31mred", "next\x85line", "\u2028"])
def test_the_text_of_an_error_is_one_line_that_steers_no_terminal(of):
    text = str(RunError(f"x.npy cannot be read ({of})."))
    assert text.isprintable()
    assert text.startswith("x.npy cannot be read (")
    assert text.endswith(").")


def test_a_text_that_is_one_line_stays_as_it_is():
    text = "  data/größe 2/x  y.npy: 'π' \u00a0 ended."
    assert str(DataError(text)) == text


def test_an_error_may_travel_between_processes():
    error = pickle.loads(pickle.dumps(RunError("a\nb")))
    assert isinstance(error, TinynasError)
    assert str(error) == "a b"

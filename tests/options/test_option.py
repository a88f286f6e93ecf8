"""Options in words and as words: the range that is told is the range that holds, and what is written is read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynas.cli.options import DATA, LIMITS, _value, in_options
from tinynas.data.captures import CaptureOptions
from tinynas.errors import UsageError
from tinynas.options import PANELS, RUNNING, SETTINGS, SPACE, Option
from tinynas.options.captures import CAPTURES, DEFAULT_MASK

SEARCH = (RUNNING, SETTINGS, SPACE, LIMITS, DATA)  # of one command
ROWS = {name: row for table in (*SEARCH, CAPTURES) for name, row in table.items()}


def test_a_name_and_an_option_mean_one_thing():
    rows = [row for table in SEARCH for row in table.values()]
    assert len({row.name for row in rows}) == len(rows)
    options = [row.option for row in rows if row.option]
    assert len(set(options)) == len(options)
    for row in CAPTURES.values():  # the sentences of one command may speak of another's keywords
        assert row.option is None or {row.option} == {each.option for each in (*rows, row) if each.name == row.name}
    assert all(name == row.name for name, row in ROWS.items())


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_row_is_in_order(row):
    assert row.panel in PANELS
    assert row.help[0].isupper()
    assert row.help.endswith(".")
    assert "efault" not in row.help, "the default is said by the row's own field"
    if isinstance(row.default, int | float | str) and not isinstance(row.default, bool):
        assert row.holds(row.default)
        said = f"{row.default:g}" if isinstance(row.default, float) else str(row.default)
        assert said in row.says_default, "what is said of the default names it"
    assert row.text.startswith(row.help)
    assert row.text.count("Default: ") == bool(row.says_default)


@pytest.mark.parametrize(
    ("option", "wanted"),
    [
        (Option("n", "", "whole", least=1), "a whole number of at least 1"),
        (Option("n", "", "whole", least=1, most=1000), "a whole number from 1 to 1,000"),
        (Option("n", "", "number", above=0, below=1), "a number above 0 and below 1"),
        (Option("n", "", "time", above=0, most=2000), "a number above 0 and at most 2,000"),
        (Option("n", "", "size", above=0), "a whole number above 0"),
        (Option("n", "", "number"), "a number"),
        (Option("n", "", "choice", choices=("a", "b", "c")), "a, b or c"),
        (Option("n", "", "names", choices=("a", "b")), "names out of a, b"),
        (Option("n", "", "switch"), "True or False"),
        (Option("n", "", "text"), "a text"),
    ],
)
def test_what_is_wanted_in_words(option, wanted):
    assert option.wanted == wanted


@given(st.sampled_from([row for row in ROWS.values() if row.kind in ("whole", "number")]), st.integers(-3, 2**31 + 3))
def test_only_what_lies_in_the_range_holds(row, value):
    low = row.least if row.least is not None else row.above
    high = row.most if row.most is not None else row.below
    inside = (low is None or value >= low) and (high is None or value <= high)
    assert row.holds(value) == (inside and value not in (row.above, row.below))
    assert not row.holds(float("nan"))


def _values(row):
    """Values that the option may have."""
    if row.kind == "choice":
        return st.sampled_from(row.choices)
    if row.kind == "names":
        return st.lists(st.sampled_from(row.choices), min_size=1, unique=True).map(tuple)
    if row.kind in ("whole", "size"):
        return st.integers(int(row.least or 1), int(row.most or 10**9))
    if row.kind == "time":
        return st.floats(1.0, row.most)
    return st.floats(row.above, row.below or 1e6, exclude_min=True, exclude_max=True)


@given(st.data())
def test_what_is_written_is_read_back(data):
    kinds = ("choice", "names", "whole", "size", "time", "number")
    row = data.draw(st.sampled_from([row for row in ROWS.values() if row.kind in kinds and row.option]))
    value = data.draw(_values(row))
    option, word = row.words(value)
    assert option == row.option
    assert _value(row, word) == (pytest.approx(value, rel=1e-9) if row.kind in ("time", "number") else value)


def test_switches_are_words_alone():
    assert SETTINGS["qat"].words(False) == ["--no-qat"]
    assert SETTINGS["balance"].words(True) == ["--balance"]
    with pytest.raises(ValueError, match="reduction has no option"):
        SETTINGS["reduction"].words(3)


@pytest.mark.parametrize(
    ("python", "line"),
    [
        ("n_children is 0; wanted more.", "--children is 0; wanted more."),
        ("The space's max_depth 2.", "The space's --max-depth 2."),
        ("The limit ram_bytes is 0.", "The limit --max-ram is 0."),
        ("Search ends: label and seed.", "Search ends: label and seed."),
        ("There is no 'max_depth'.", "There is no 'max_depth'."),
        ("/a/max_depth/b is no folder.", "/a/max_depth/b is no folder."),
        ("no max_depth_b, no_max_depth.", "no max_depth_b, no_max_depth."),
        ("reduction is 99.", "reduction is 99."),
        ("", ""),
    ],
)
def test_a_sentence_about_keywords_becomes_one_about_options(python, line):
    assert in_options(python) == line


@pytest.mark.parametrize("row", CAPTURES.values(), ids=CAPTURES)
def test_capture_options_are_the_rows(row):
    usual = CaptureOptions()
    assert set(CAPTURES) == set(CaptureOptions.__dataclass_fields__)
    assert getattr(usual, row.name) == (() if row.name == "mask" else row.default)
    bounds = [bound for bound in (row.above, row.below) if bound is not None]
    bounds += [row.least - 1] if row.least is not None else []
    bounds += [row.most + 1] if row.most is not None else []
    for value in (*bounds, "x", True, None if row.name != "mask" else ("x",)):
        with pytest.raises(UsageError, match=f"^{row.name} "):
            CaptureOptions(**{row.name: value})
    for layers, mask in DEFAULT_MASK.items():
        assert CaptureOptions(layers=layers).mask == mask
        assert (",".join(mask) + f" with --layers {layers}" in CAPTURES["mask"].text) == bool(mask)

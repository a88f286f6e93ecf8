import pytest

from tinynas.cli.formats import duration, parse_duration, parse_reshape, parse_size, share, size
from tinynas.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("20m", 1200), ("1.5h", 5400), ("1h30m", 5400), (" 2H ", 7200), ("1m30s", 90)],
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "20x", "-5m", "1h 30m", "0", "0s", "m20", "20m!"])
def test_what_is_no_duration(text):
    with pytest.raises(UsageError, match="time budget"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("64000", 64000), ("64k", 64000), ("64KiB", 65536), ("1M", 10**6), ("1.5 kib", 1536), ("0", 0)],
)
def test_sizes(text, value):
    assert parse_size(text, "--max-ram") == value


@pytest.mark.parametrize("text", ["", "k", "-1", "64 kilos", "1e3"])
def test_what_is_no_size(text):
    with pytest.raises(UsageError, match="--max-ram"):
        parse_size(text, "--max-ram")


def test_reshape():
    assert parse_reshape("784,1") == (784, 1)
    assert parse_reshape("28x28x1") == (28, 28, 1)
    for text in ("", "784,", "0,784", "a,b", "-1,784"):
        with pytest.raises(UsageError, match="--reshape"):
            parse_reshape(text)


def test_shown_to_people():
    assert (size(101232), size(None)) == ("101,232", "-")
    assert [duration(s) for s in (42.4, 200, 3900)] == ["42s", "3m 20s", "1h 05m"]
    assert share(0.93125) == "93.12 %"

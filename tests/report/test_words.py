"""How a page says numbers."""

from datetime import datetime

import pytest

from tinynas.report import words


def _plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (words.number(16546), "16,546"),
        (words.number(1234.5), "1,234"),
        (words.number(0.12345), "0.123"),
        (words.number(84.0), "84"),
        (words.number(None), "–"),
        (words.bytes_text(8544), "8,544 B"),
        (words.bytes_text(None), "–"),
        (words.kib(8544), "8.34 KiB"),
        (words.kib(524288), "512 KiB"),
        (words.percent(0.98468), "98.47 %"),
        (words.percent(1.0, 0), "100 %"),
        (words.percent(None), "–"),
        (words.millis(12.21), "12.2 ms"),
        (words.millis(1234.5), "1,234 ms"),
        (words.millis(None), "–"),
        (words.duration(42.4), "42 s"),
        (words.duration(200), "3 min 20 s"),
        (words.duration(3900), "1 h 05 min"),
        (words.duration(100_000), "1 d 3 h"),
        (words.moment(datetime(2026, 3, 4, 5, 6)), "2026-03-04 05:06"),
        (words.shape_text((8, 1, 16)), "8 × 1 × 16"),
    ],
)
def test_what_is_said(said, wanted):
    assert _plain(said) == wanted

"""Pictures and series: the rule, what overrules it, and that laying out never moves a value."""

import itertools
import math

import numpy as np
import pytest

from tinynas.data import from_arrays
from tinynas.data.layout import arrange, choose_layout
from tinynas.errors import DataError


def made(shape, **options):
    x = np.arange(40 * math.prod(shape), dtype=np.float32).reshape(40, *shape)
    return from_arrays(x / x.max(), np.arange(40) % 4, x / x.max(), np.arange(40) % 4, **options), x / x.max()


CASES = [
    ((28, 28), {}, "image", (28, 28, 1)),
    ((8, 6, 3), {}, "image", (8, 6, 3)),
    ((100, 6), {}, "image", (100, 6, 1)),
    ((100, 6), {"layout": "series"}, "series", (100, 1, 6)),
    ((40, 1), {}, "series", (40, 1, 1)),
    ((1, 40), {}, "series", (40, 1, 1)),
    ((1, 40), {"layout": "series"}, "series", (40, 1, 1)),
    ((1, 40), {"layout": "image"}, "image", (1, 40, 1)),
    ((40,), {}, "series", (40, 1, 1)),
    ((40, 1, 6), {}, "series", (40, 1, 6)),
    ((1, 40, 6), {}, "series", (40, 1, 6)),
    ((10, 6, 1), {"layout": "series"}, "series", (10, 1, 6)),
    ((28, 28), {"reshape": (784, 1)}, "series", (784, 1, 1)),
    ((28, 28), {"reshape": (784,)}, "series", (784, 1, 1)),
    ((784,), {"reshape": (28, 28)}, "image", (28, 28, 1)),
    ((600,), {"reshape": [100, 6], "layout": "series"}, "series", (100, 1, 6)),
    ((4, 4, 2, 3), {"reshape": (8, 4, 3)}, "image", (8, 4, 3)),
]


@pytest.mark.parametrize(("shape", "options", "layout", "input_shape"), CASES)
def test_layouts(shape, options, layout: str, input_shape) -> None:
    data, x = made(shape, **options)
    assert (data.layout, data.input_shape) == (layout, input_shape)
    np.testing.assert_array_equal(data.x.ravel(), x.ravel())
    assert data.layout_reason in data.summary()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (((28, 28), "series", "image"), 'layout "series" was asked for'),
        (((28, 28), None, "series"), 'meta.json says layout "series"'),
        (((28, 1),), "a side of the 28 x 1 sample is 1"),
        (((28,),), "a sample has one axis of 28"),
        (((28, 28),), "both sides of the 28 x 28 sample are longer than 1"),
    ],
)
def test_the_reason_is_said(arguments, reason: str) -> None:
    assert choose_layout(*arguments)[1] == reason


def test_a_series_keeps_steps_and_channels_apart() -> None:
    data, x = made((10, 6), layout="series")
    for step, channel in itertools.product(range(10), range(6)):
        np.testing.assert_array_equal(data.x[:, step, 0, channel], x[:, step, channel])


@pytest.mark.parametrize(
    ("shape", "options", "sentence"),
    [
        ((40,), {"layout": "image"}, 'sample of 40 cannot be laid out as "image", wanted H x W'),
        ((4, 4, 2, 3), {}, "give reshape"),
        ((8, 6, 3), {"layout": "series"}, 'sample of 8 x 6 x 3 cannot be laid out as "series"'),
        ((28, 28), {"reshape": (783, 1)}, "28 x 28 .784 values. cannot be reshaped to 783 x 1"),
        ((28, 28), {"reshape": (-1, 28)}, "cannot be reshaped to -1 x 28"),
        ((28, 28), {"reshape": ()}, "cannot be reshaped to nothing"),
        ((28, 28), {"layout": "sound"}, "layout is 'sound', wanted"),
    ],
)
def test_what_cannot_be_laid_out(shape, options, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        made(shape, **options)


def test_arrange_copies_nothing() -> None:
    x = np.zeros((5, 8, 6), dtype=np.uint8)
    assert np.shares_memory(arrange(x, "series", "x"), x)
    assert np.shares_memory(arrange(x, "image", "x"), x)

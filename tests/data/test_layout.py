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
    ((64, 2), {}, "series", (64, 1, 2)),
    ((100, 6), {}, "series", (100, 1, 6)),
    ((9, 3), {}, "series", (9, 1, 3)),
    ((100, 6), {"layout": "image"}, "image", (100, 6, 1)),
    ((6, 100), {"layout": "series"}, "series", (6, 1, 100)),
    ((6, 100), {"reshape": (6, 100)}, "image", (6, 100, 1)),
    ((1, 28, 28), {"reshape": (28, 1, 28)}, "series", (28, 1, 28)),
    ((3, 16, 12), {"reshape": (3, 16, 12)}, "image", (3, 16, 12)),
    ((50, 13), {}, "image", (50, 13, 1)),
    ((4, 5), {}, "image", (4, 5, 1)),
    ((5, 2, 5), {}, "image", (5, 2, 5)),
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


TURNED = [
    ((1, 28, 28), {}, (28, 28, 1), (1, 2, 0)),
    ((3, 16, 12), {}, (16, 12, 3), (1, 2, 0)),
    ((3, 16, 12), {"layout": "image"}, (16, 12, 3), (1, 2, 0)),
    ((2, 64), {}, (64, 1, 2), (1, 0)),
    ((6, 1, 100), {}, (100, 1, 6), (2, 1, 0)),
    ((1, 6, 100), {}, (100, 1, 6), (2, 0, 1)),
]


@pytest.mark.parametrize(("shape", "options", "input_shape", "order"), TURNED)
def test_channels_that_come_first_are_turned_and_said(shape, options, input_shape, order) -> None:
    data, x = made(shape, **options)
    assert data.input_shape == input_shape
    turned = np.transpose(x, (0, *(axis + 1 for axis in order)))
    np.testing.assert_array_equal(data.x, turned.reshape(len(x), *input_shape))
    text = " x ".join(map(str, shape))
    assert any(note.startswith(f"Warning: A sample is {text}: it is read as") for note in data.notes)


@pytest.mark.parametrize("shape", [(64, 2), (2, 64), (50, 13), (64, 16, 1), (1, 28, 28)])
def test_what_is_doubtful_is_warned_of(shape) -> None:
    data, _ = made(shape)
    assert any(note.startswith("Warning: A sample ") for note in data.notes)
    asked, _ = made(shape[:2], layout="series") if len(shape) == 2 else made(shape, reshape=(*shape[:2], shape[2]))
    assert not any("device" in note for note in asked.notes)


@pytest.mark.parametrize("shape", [(28, 28), (8, 6, 3), (24, 32), (49, 40), (40,), (40, 1), (40, 1, 6), (96, 64, 3)])
def test_what_is_plain_is_not(shape) -> None:
    assert made(shape)[0].notes == ()


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

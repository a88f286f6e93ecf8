"""The picture of a network against the network: its shapes, its weights, its maps in proportion."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynas.architecture import SearchSpace
from tinynas.report.drawing import draw
from tinynas.screening import lower
from tinynas.tflite import analyze

CONVOLUTIONS = {"conv": 1, "depthwise": 1, "separable": 2, "inverted": 3}
SHAPES = ((8, 8, 1), (28, 28, 3), (64, 1, 9))


def _network(shape, seed):
    return SearchSpace.for_input(shape, 5).random_architecture(np.random.default_rng(seed))


def _box(points):
    pairs = [tuple(map(float, point.split(","))) for point in points.split()]
    return max(x for x, _ in pairs) - min(x for x, _ in pairs), max(y for _, y in pairs) - min(y for _, y in pairs)


@given(st.sampled_from(SHAPES), st.integers(0, 500))
def test_every_shape_of_the_network_is_drawn_in_its_order(shape, seed):
    network = _network(shape, seed)
    drawing = draw(network)
    shown = [tuple(int(n) for n in card.shape.split("×")) for card in drawing.cards]
    assert shown[: len(network.shapes)] == list(network.shapes)
    assert shown[-1] == (1, 1, 5)
    assert [card.residual for card in drawing.cards[1 : len(network.shapes)]] == [b.residual for b in network.blocks]
    tops = [card.y for card in drawing.cards]
    assert tops == sorted(tops)
    assert tops[-1] + 58 <= drawing.height + 6
    for card in drawing.cards:
        assert len(card.details) <= 2
        assert all(len(line) <= 38 for line in card.details)
        for face in card.faces:
            x = [float(point.split(",")[0]) for point in face.split()]
            assert max(x) <= drawing.width


@given(st.sampled_from(SHAPES), st.integers(0, 500))
def test_weights_and_macs_add_up_to_the_file_s(shape, seed):
    network = _network(shape, seed)
    operators = analyze(lower(network)).operators
    cards = draw(network, operators).cards
    assert sum(card.weights_bytes or 0 for card in cards) == sum(o.weights_bytes for o in operators)
    assert sum(card.macs or 0 for card in cards) == sum(o.macs for o in operators)
    made = iter(o for o in operators if o.macs)
    for block, card in zip(network.blocks, cards[1:], strict=False):
        own = [next(made) for _ in range(CONVOLUTIONS[block.kind])]
        assert card.macs == sum(o.macs for o in own)
        assert card.weights_bytes == sum(o.weights_bytes for o in own)
    assert cards[-1].macs == operators[-2].macs  # the softmax stands behind the classes


def test_operators_of_another_file_give_no_figures():
    cards = draw(_network((8, 8, 1), 0), analyze(lower(_network((64, 1, 9), 1))).operators * 3).cards
    assert all(card.weights_bytes is None for card in cards)
    network = _network((8, 8, 1), 0)
    operators = list(analyze(lower(network)).operators)
    assert draw(network, operators).cards[1].macs == operators[0].macs
    operators[0], operators[-1] = operators[-1], operators[0]
    assert all(card.macs is None for card in draw(network, operators).cards)


def test_a_map_with_more_channels_is_wider_and_a_larger_one_higher():
    from tinynas.architecture import Architecture, Block, Head

    network = Architecture((16, 16, 4), (Block("conv", 16, 3), Block("conv", 16, 3, pool="max")), Head(), 3)
    boxes = [_box(card.faces[0]) for card in draw(network).cards]
    assert boxes[1][0] == pytest.approx(2 * boxes[0][0], rel=0.01)  # by the square root of the channels
    assert boxes[2][1] == pytest.approx(boxes[1][1] / 2**0.5, rel=0.02)

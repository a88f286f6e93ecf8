from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynas.architecture import Architecture, Block, Head, SearchSpace, mutate
from tinynas.training.build import build, set_weights
from tinynas.training.convert import clear, fill_untrained
from tinynas.training.fit import predict
from tinynas.training.inherit import inherit, match_blocks
from tinynas.training.keras import layer_weights

NET = Architecture(
    (8, 8, 1),
    (Block("conv", 6, 3, pool="max"), Block("separable", 8, 3), Block("depthwise", 8, 3), Block("conv", 8, 1)),
    Head("gap", 16),
    3,
)
X = np.random.default_rng(0).random((20, 8, 8, 1), np.float32)


def _trained(architecture):
    """A network whose weights are far from fresh ones."""
    model = build(architecture)
    fill_untrained(model, np.random.default_rng(1))
    return model


def _child(architecture, parent, trained):
    model = build(architecture)
    set_weights(model, inherit(architecture, layer_weights(model), parent, trained))
    return model


def test_the_same_network_gets_the_same_weights(seeded):
    parent = _trained(NET)
    np.testing.assert_array_equal(predict(_child(NET, NET, layer_weights(parent)), X), predict(parent, X))


@pytest.mark.parametrize("number", [0, 1, 3])
def test_a_wider_block_computes_what_it_did(seeded, number):
    """What the next layer makes of new filters starts at zero."""
    block = NET.blocks[number]
    blocks = list(NET.blocks)
    blocks[number] = replace(block, filters=block.filters + 5)
    if number == 1:
        blocks[2] = replace(blocks[2], filters=block.filters + 5)
    wider = Architecture(NET.input_shape, tuple(blocks), NET.head, 3)
    parent = _trained(NET)
    np.testing.assert_allclose(predict(_child(wider, NET, layer_weights(parent)), X), predict(parent, X), atol=1e-5)


@pytest.mark.parametrize("change", [{"expansion": 5}, {"filters": 11}, {"kernel_size": 5}])
@pytest.mark.parametrize("number", [1, 2])
def test_a_larger_inverted_block_computes_what_it_did(seeded, number, change):
    small = replace(
        NET, blocks=(NET.blocks[0], *(Block("inverted", 8, 3, expansion=3) for _ in range(2)), Block("conv", 8, 1))
    )
    blocks = list(small.blocks)
    blocks[number] = replace(blocks[number], **change)
    parent = _trained(small)
    child = _child(replace(small, blocks=tuple(blocks)), small, layer_weights(parent))
    np.testing.assert_allclose(predict(child, X), predict(parent, X), atol=1e-5)


def test_a_wider_map_before_flatten_computes_what_it_did(seeded):
    flat = replace(NET, blocks=NET.blocks[:1], head=Head("flatten", 8))
    wider = replace(flat, blocks=(replace(NET.blocks[0], filters=9),))
    parent = _trained(flat)
    np.testing.assert_allclose(predict(_child(wider, flat, layer_weights(parent)), X), predict(parent, X), atol=1e-5)


def test_a_larger_kernel_computes_what_it_did(seeded):
    larger = replace(NET, blocks=(replace(NET.blocks[0], kernel_size=5), *NET.blocks[1:]))
    parent = _trained(NET)
    np.testing.assert_allclose(predict(_child(larger, NET, layer_weights(parent)), X), predict(parent, X), atol=1e-5)


def test_a_block_put_in_or_taken_out_leaves_the_others_matched():
    more = replace(NET, blocks=(*NET.blocks[:2], Block("conv", 8, 5), *NET.blocks[2:]))
    assert match_blocks(more, NET) == {0: 0, 1: 1, 3: 2, 4: 3}
    assert match_blocks(NET, more) == {0: 0, 1: 1, 2: 3, 3: 4}


def test_another_kind_starts_afresh(seeded):
    other = replace(NET, blocks=(Block("separable", 6, 3, pool="max"), *NET.blocks[1:]))
    assert 0 not in match_blocks(other, NET)
    model = build(other)
    fresh = layer_weights(model)
    got = inherit(other, fresh, NET, layer_weights(_trained(NET)))
    np.testing.assert_array_equal(got["block0_depthwise"][0], fresh["block0_depthwise"][0])


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**31), steps=st.integers(1, 6), shape=st.sampled_from([(8, 8, 1), (40, 1, 2)]))
def test_any_child_gets_weights_of_its_shapes(tensorflow, seed, steps, shape):
    rng = np.random.default_rng(seed)
    space = SearchSpace.for_input(shape, 3)
    parent = space.random_architecture(rng)
    child = mutate(parent, space, rng, steps)
    clear()
    model = build(child)
    fresh = layer_weights(model)
    weights = inherit(child, fresh, parent, layer_weights(build(parent)))
    set_weights(model, weights)  # ArchitectureError if a shape were wrong
    assert all(np.isfinite(array).all() for arrays in weights.values() for array in arrays)

"""Mutation and shrink: in the space, another network, smaller where that was asked."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.architecture.strategies import architectures, narrow_spaces, seeds
from tinynas.architecture import (
    GENES,
    Architecture,
    Block,
    Head,
    SearchSpace,
    add_block,
    change_block,
    change_head,
    mutate,
    remove_block,
    shrink,
)
from tinynas.architecture.shrink import costs
from tinynas.errors import ArchitectureError

Drawn = tuple[Architecture, SearchSpace]


@given(architectures(), seeds, st.integers(1, 4))
def test_a_child_is_another_network_of_the_space(drawn: Drawn, seed: int, n_mutations: int) -> None:
    parent, space = drawn
    child = mutate(parent, space, np.random.default_rng(seed), n_mutations)
    assert child.key != parent.key
    assert space.contains(child)
    assert mutate(parent, space, np.random.default_rng(seed), n_mutations) == child


@given(narrow_spaces(), seeds)
def test_narrow_spaces_mutate_or_say_why_not(space: SearchSpace, seed: int) -> None:
    rng = np.random.default_rng(seed)
    parent = space.random_architecture(rng)
    child = mutate(parent, space, rng)  # max_depth is at least 2, so that a block can always come or go
    assert space.contains(child)
    assert child.key != parent.key


@given(architectures(), seeds)
def test_each_operator_does_what_its_name_says(drawn: Drawn, seed: int) -> None:
    parent, space = drawn
    rng = np.random.default_rng(seed)
    depth = len(parent.blocks)
    assert len(add_block(parent, space, rng).blocks) == min(depth + 1, space.max_depth)
    assert len(remove_block(parent, space, rng).blocks) == max(depth - 1, 1)
    changed = change_block(parent, space, rng)
    assert len(changed.blocks) == depth
    assert changed.blocks != parent.blocks
    other = change_head(parent, space, rng)
    assert other.blocks == parent.blocks
    if parent.shapes[-1][:2] != (1, 1):
        assert other.head != parent.head
    assert all(space.contains(a) for a in (changed, other))


@given(architectures(), seeds, st.sampled_from((("flash", 0), ("ram", 1), ("compute", 2))))
@settings(max_examples=200)
def test_shrink_never_grows_what_it_shrinks(drawn: Drawn, seed: int, asked: tuple[str, int]) -> None:
    parent, space = drawn
    what, index = asked
    child = shrink(parent, space, np.random.default_rng(seed), what)
    assert space.contains(child)
    assert child == parent or costs(child)[index] < costs(parent)[index]


@pytest.mark.parametrize("what", ["flash", "ram", "compute"])
def test_shrinking_again_and_again_ends_small(what: str) -> None:
    space, rng = SearchSpace.for_input((28, 28, 1), 10), np.random.default_rng(3)
    network = space.handmade()[-1]
    start = costs(network)
    for _ in range(300):
        smaller = shrink(network, space, rng, what)
        if smaller == network:
            break
        network = smaller
    else:
        pytest.fail("300 steps did not reach the smallest network")
    index = ("flash", "ram", "compute").index(what)
    assert costs(network)[index] < 0.25 * start[index]


def test_costs_are_those_counted_by_hand() -> None:
    blocks = (Block("conv", 4, 3, pool="max"), Block("separable", 4, 3, residual=True))
    network = Architecture((8, 8, 2), blocks, Head("gap", 5), 3)
    weights = 9 * 2 * 4 + (9 * 4 + 4 * 4) + (4 * 5 + 5 * 3)
    macs = 64 * 9 * 2 * 4 + 16 * (9 * 4 + 4 * 4) + (4 * 5 + 5 * 3)
    assert costs(network) == (weights, 8 * 8 * 2 + 8 * 8 * 4, macs)
    inverted = Architecture((8, 8, 2), (Block("inverted", 2, 5, 2, expansion=3),), Head(), 3)
    assert costs(inverted) == (
        2 * 6 + 25 * 6 + 6 * 2 + 2 * 3,
        64 * (2 + 6),
        64 * 2 * 6 + 16 * 25 * 6 + 16 * 6 * 2 + 2 * 3,
    )
    summed = Architecture((8, 8, 2), (Block("inverted", 2, 5, expansion=3, residual=True),), Head(), 3)
    assert costs(summed)[1] == 64 * (6 + 6 + 2)  # the block's input waits for the sum
    flat = Architecture((8, 8, 2), (Block("depthwise", 2, 3),), Head("flatten"), 3)
    assert costs(flat) == (9 * 2 + 128 * 3, 256, 64 * 9 * 2 + 128 * 3)


def test_unknown_shrink_is_refused() -> None:
    space = SearchSpace.for_input((8, 8, 1), 2)
    with pytest.raises(ArchitectureError, match="can shrink in flash, ram, compute, got 'size'"):
        shrink(space.handmade()[0], space, np.random.default_rng(0), "size")


def test_a_space_of_one_network_says_so() -> None:
    space = SearchSpace.for_input(
        (8, 8, 1),
        2,
        kinds=("conv",),
        filters=(4,),
        kernel_sizes=(3,),
        strides=(1,),
        paddings=("same",),
        activations=("relu",),
        batch_norm=(True,),
        pools=(None,),
        residual=(False,),
        head_poolings=("gap",),
        hidden_units=(0,),
        initial_depth=1,
        max_depth=1,
    )
    only = space.random_architecture(np.random.default_rng(0))
    with pytest.raises(ArchitectureError, match=r"No mutation of conv4k3 bn relu > gap .* widen the search space"):
        mutate(only, space, np.random.default_rng(0))
    with pytest.raises(ArchitectureError, match="must be at least 1, got 0"):
        mutate(only, space, np.random.default_rng(0), 0)


def test_every_gene_of_a_block_has_its_choices_in_the_space() -> None:
    assert set(GENES) == {field.name for field in fields(Block)}
    assert set(GENES.values()) <= {field.name for field in fields(SearchSpace)}

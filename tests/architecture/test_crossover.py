"""Crossover: a network of the space, made of the first blocks of one parent and the last of the other."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.architecture.strategies import architectures, seeds
from tinynas.architecture import Architecture, SearchSpace, crossover

Drawn = tuple[Architecture, SearchSpace]


def _partner(space: SearchSpace, seed: int) -> Architecture:
    return space.random_architecture(np.random.default_rng(seed))


@given(architectures(), seeds, seeds)
def test_a_child_is_a_network_of_the_space_and_follows_from_the_generator(drawn: Drawn, other: int, seed: int) -> None:
    a, space = drawn
    b = _partner(space, other)
    child = crossover(a, b, space, np.random.default_rng(seed))
    assert space.contains(child)
    assert child == crossover(a, b, space, np.random.default_rng(seed))


@given(architectures(), seeds, seeds)
def test_a_child_is_some_cut_of_its_parents(drawn: Drawn, other: int, seed: int) -> None:
    """Every pair of cuts tried out: one of them gives the child, at maps as near in size as that cut allows."""
    a, space = drawn
    b = _partner(space, other)
    child = crossover(a, b, space, np.random.default_rng(seed))

    def gap(i: int, j: int) -> float:
        return abs(np.log(np.prod(a.shapes[i][:2])) - np.log(np.prod(b.shapes[j][:2])))

    def cuts(i: int) -> list[int]:
        possible = [j for j in range(len(b.blocks) + 1) if i > 0 or j < len(b.blocks)]
        least = min(gap(i, j) for j in possible)
        return [j for j in possible if gap(i, j) <= least + 1e-6]

    children = {space.assemble(a.blocks[:i] + b.blocks[j:], b.head) for i in range(len(a.blocks) + 1) for j in cuts(i)}
    assert child in children


@given(st.integers(0, 20))
def test_parents_that_halve_at_each_block_keep_their_depth(seed: int) -> None:
    """Where each map has a size of its own a child of a network with itself is that network."""
    space = SearchSpace.for_input((32, 32, 3), 10)
    halving = space.handmade()[0].blocks[0]
    blocks = tuple(type(halving)("conv", 8 * (n + 1), 3, stride=2) for n in range(3))
    network = space.assemble(blocks, space.handmade()[0].head)
    assert crossover(network, network, space, np.random.default_rng(seed)) == network

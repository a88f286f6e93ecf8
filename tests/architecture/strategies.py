"""Hypothesis strategies for genomes: wild blocks, all input shapes that matter, networks of a space."""

import numpy as np
from hypothesis import strategies as st

from tinynas.architecture import KINDS, Architecture, Block, Head, SearchSpace

SHAPES = (
    (8, 8, 1),
    (28, 28, 1),
    (32, 32, 3),
    (96, 96, 3),
    (784, 1, 1),
    (100, 1, 6),
    (40, 1, 1),
    (10, 1, 3),
    (5, 7, 2),
    (1, 1, 4),
    (1, 64, 1),
)

shapes = st.sampled_from(SHAPES)
seeds = st.integers(0, 2**32 - 1)
kinds = st.sampled_from(tuple(KINDS))
heads = st.builds(Head, st.sampled_from(("gap", "flatten")), st.integers(0, 100))
blocks = st.builds(
    Block,
    kind=kinds,
    filters=st.integers(1, 300),
    kernel_size=st.integers(1, 40),
    stride=st.integers(1, 9),
    padding=st.sampled_from(("same", "valid")),
    activation=st.sampled_from(("relu", "relu6")),
    batch_norm=st.booleans(),
    pool=st.sampled_from((None, "max", "avg")),
    pool_size=st.integers(2, 9),
    residual=st.booleans(),
    expansion=st.integers(1, 9),
)
spaces = st.builds(SearchSpace.for_input, shapes, st.integers(2, 12))


@st.composite
def narrow_spaces(draw: st.DrawFn) -> SearchSpace:
    """A space with any non-empty part of the choices, even one that never holds the safe values."""

    def some(*choices: object) -> tuple[object, ...]:
        return tuple(draw(st.lists(st.sampled_from(choices), min_size=1, unique=True)))

    return SearchSpace.for_input(
        draw(shapes),
        draw(st.integers(2, 5)),
        kinds=some(*KINDS),
        filters=some(1, 3, 8, 20),
        kernel_sizes=some(1, 2, 3, 8, 31),
        strides=some(1, 2, 3, 5),
        paddings=some("same", "valid"),
        activations=some("relu", "relu6"),
        batch_norm=some(True, False),
        pools=some(None, "max", "avg"),
        pool_sizes=some(2, 3, 7),
        residual=some(True, False),
        head_poolings=some("gap", "flatten"),
        hidden_units=some(0, 5, 9),
        expansions=some(1, 2, 3, 6),
        initial_depth=2,
        max_depth=draw(st.integers(2, 6)),
        smallest_map=draw(st.integers(1, 5)),
    )


@st.composite
def architectures(draw: st.DrawFn) -> tuple[Architecture, SearchSpace]:
    """A random network, mutated a few times by its space, with the space."""
    from tinynas.architecture import mutate

    space = draw(spaces)
    rng = np.random.default_rng(draw(seeds))
    architecture = space.random_architecture(rng)
    for _ in range(draw(st.integers(0, 6))):
        architecture = mutate(architecture, space, rng)
    return architecture, space

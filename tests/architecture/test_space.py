"""SearchSpace: repair is total and idempotent; random and hand-made networks lie in it and are sound."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.architecture.strategies import SHAPES, architectures, blocks, heads, narrow_spaces, seeds, spaces
from tinynas.architecture import Architecture, Block, Head, SearchSpace
from tinynas.errors import ArchitectureError

any_space = st.one_of(spaces, narrow_spaces())
block_lists = st.lists(blocks, max_size=14)


@given(any_space, block_lists, heads)
@settings(max_examples=300)
def test_any_list_of_blocks_becomes_a_network_of_the_space(space, genes, head) -> None:
    architecture = space.assemble(genes, head)
    assert space.repair(architecture) == architecture
    assert space.contains(architecture)
    assert 1 <= len(architecture.blocks) <= space.max_depth
    assert all(n >= 1 for shape in architecture.shapes for n in shape)


@given(any_space, block_lists, heads)
@settings(max_examples=200)
def test_every_gene_lies_on_a_choice_or_a_safe_value(space, genes, head) -> None:
    architecture = space.assemble(genes, head)
    for block, shape in zip(architecture.blocks, architecture.shapes, strict=False):
        assert block.kind in space.kinds
        assert block.filters == shape[2] if block.kind == "depthwise" else block.filters in space.filters
        assert block.kernel_size in space.kernel_sizes
        assert block.stride in (1, *space.strides)
        assert block.padding in ("same", *space.paddings)
        assert block.activation in space.activations
        assert block.batch_norm in space.batch_norm
        assert block.pool in (None, *space.pools)
        assert block.pool_size in space.pool_sizes
        assert not block.residual or True in space.residual
        assert block.expansion in (space.expansions if block.kind == "inverted" else (4,))
        assert not block.residual or block.conv_shape(shape) == shape
        for before, after in zip(shape[:2], block.output_shape(shape)[:2], strict=True):
            assert after >= min(before, space.smallest_map)
    assert architecture.head.pooling in space.head_poolings
    assert architecture.head.hidden_units in space.hidden_units


@given(any_space, seeds)
@settings(max_examples=200)
def test_random_networks_lie_in_the_space(space: SearchSpace, seed: int) -> None:
    architecture = space.random_architecture(np.random.default_rng(seed))
    assert space.contains(architecture)
    assert 1 <= len(architecture.blocks) <= space.initial_depth
    assert space.random_architecture(np.random.default_rng(seed)) == architecture


@pytest.mark.parametrize("shape", SHAPES)
def test_random_networks_differ(shape: tuple[int, int, int]) -> None:
    space, rng = SearchSpace.for_input(shape, 5), np.random.default_rng(1)
    assert len({space.random_architecture(rng).key for _ in range(50)}) > 35


@given(any_space, seeds, st.data())
def test_a_random_block_fits_any_map_of_a_network(space: SearchSpace, seed: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(seed)
    shape = data.draw(st.sampled_from(space.random_architecture(rng).shapes))
    block = space.random_block(rng, shape)
    assert block.fault(shape) is None


def _int8_weights(architecture: Architecture) -> int:
    total = 0
    for block, shape in zip(architecture.blocks, architecture.shapes, strict=False):
        taps, out = int(np.prod(block.kernel(shape))), block.conv_shape(shape)[2]
        if block.kind == "conv":
            total += taps * shape[2] * out
        elif block.kind == "inverted":
            total += block.expansion * shape[2] * (shape[2] + taps + out)
        else:
            total += taps * shape[2] + (shape[2] * out if block.kind == "separable" else 0)
    last, units = architecture.shapes[-1], architecture.head.hidden_units
    features = last[2] if architecture.head.pooling == "gap" else int(np.prod(last))
    return total + (features + architecture.n_classes) * units + (0 if units else features * architecture.n_classes)


def test_most_random_networks_for_small_pictures_suit_a_small_board() -> None:
    space, rng = SearchSpace.for_input((28, 28, 1), 10), np.random.default_rng(0)
    drawn = [space.random_architecture(rng) for _ in range(400)]
    largest = [max(int(np.prod(s)) for s in a.shapes) for a in drawn]
    fits = [_int8_weights(a) <= 64 * 1024 and 2 * n <= 64 * 1024 for a, n in zip(drawn, largest, strict=True)]
    assert sum(fits) > 0.9 * len(drawn)
    assert sum(b.batch_norm for a in drawn for b in a.blocks) > 0.85 * sum(len(a.blocks) for a in drawn)
    assert sum(a.shapes[-1][0] < 28 for a in drawn) > 0.8 * len(drawn)
    assert sum(a.shapes[-1][2] >= a.shapes[1][2] for a in drawn) > 0.9 * len(drawn)


def test_random_blocks_suit_their_map() -> None:
    """No kind that finds little in raw data stands on it; an expanded map is one that a board has room for."""
    space, rng = SearchSpace.for_input((28, 28, 1), 10), np.random.default_rng(0)
    drawn = [space.random_architecture(rng) for _ in range(300)]
    assert {a.blocks[0].kind for a in drawn} == {"conv", "separable"}
    expanded = [
        (block.expansion, int(np.prod(shape)))
        for a in drawn
        for block, shape in zip(a.blocks, a.shapes, strict=False)
        if block.kind == "inverted"
    ]
    assert len(expanded) > 0.1 * sum(len(a.blocks) for a in drawn)
    assert {expansion for expansion, _ in expanded} == set(space.expansions)
    assert all(expansion == 2 or expansion * values <= 32_768 for expansion, values in expanded)


@pytest.mark.parametrize("shape", SHAPES)
def test_handmade_starts_lie_in_the_space(shape: tuple[int, int, int]) -> None:
    space = SearchSpace.for_input(shape, 7)
    made = space.handmade()
    assert 3 <= len(made) <= 7
    assert all(space.contains(a) for a in made)
    assert len({a.key for a in made}) == len(made)
    assert made == space.handmade()


def test_handmade_starts_hold_the_strong_one() -> None:
    strong = SearchSpace.for_input((28, 28, 1), 10, dropout=(0.0, 0.0)).handmade()[-1]
    assert str(strong) == (
        "conv32k3 bn relu max2 > conv32k3 bn relu > sep64k3 bn relu max2 > sep96k3 bn relu > sep112k3 bn relu"
        " > sep128k3 bn relu > gap > dense10"
    )
    series = SearchSpace.for_input((784, 1, 1), 11).handmade()
    assert all(a.blocks[0].stride == 4 and a.blocks[0].kernel_size >= 9 for a in series)


def test_long_series_get_long_kernels_and_strides() -> None:
    space = SearchSpace.for_input((784, 1, 1), 11)
    assert space.kernel_sizes == (3, 5, 7, 9, 11, 15)
    assert max(space.strides) == max(space.pool_sizes) == 4
    assert SearchSpace.for_input((1, 784, 1), 11).kernel_sizes == space.kernel_sizes


@given(seeds)
def test_a_small_picture_is_not_pooled_away(seed: int) -> None:
    space = SearchSpace.for_input((8, 8, 1), 10, initial_depth=10)
    architecture = space.random_architecture(np.random.default_rng(seed))
    assert min(architecture.shapes[-1][:2]) >= 2


def test_contains_refuses_what_lies_outside() -> None:
    space = SearchSpace.for_input((28, 28, 1), 10, dropout=(0.0, 0.0))
    inside = Architecture((28, 28, 1), (Block("conv", 8, 3),), Head(), 10)
    assert space.contains(inside)
    for outside in (
        Architecture((28, 28, 1), (Block("conv", 9, 3),), Head(), 10),
        Architecture((28, 28, 1), (Block("conv", 8, 3),), Head(hidden_units=5), 10),
        Architecture((28, 28, 1), (Block("conv", 8, 3),), Head(), 9),
        Architecture((28, 28, 3), (Block("conv", 8, 3),), Head(), 10),
        Architecture((28, 28, 1), (Block("conv", 8, 3),), Head(), 10, (0.0, 0.5)),
        Architecture((28, 28, 1), (Block("conv", 8, 3),) * 11, Head(), 10),
    ):
        assert not space.contains(outside)


@given(any_space)
def test_space_json_round_trip(space: SearchSpace) -> None:
    assert SearchSpace.from_dict(json.loads(json.dumps(space.to_dict()))) == space


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"filters": ()}, "The space's filters is empty; it needs at least one value."),
        ({"filters": (0,)}, "Each of the space's filters must be a whole number of at least 1, got 0."),
        ({"kinds": ("dense",)}, "Each of the space's kinds must be one of 'conv'"),
        ({"kinds": "conv"}, "The space's kinds must be a list, got 'conv'."),
        ({"initial_depth": 11}, "The space's initial_depth 11 is more than its max_depth 10."),
        ({"max_depth": 0}, "The space's max_depth must be a whole number of at least 1, got 0."),
        ({"expansions": (2, 0)}, "Each of the space's expansions must be a whole number of at least 1, got 0."),
        ({"expansions": (64,)}, "Each of the space's expansions must be at most 32, got 64."),
        ({"dropout": (0.5, 1.5)}, "The space's dropout must be two rates"),
        (
            {"kernels": (3,)},
            "The search space has no range 'kernels' (known: activations, batch_norm, dropout",
        ),
        ({"n_classes": 1}, "n_classes must be a whole number of at least 2, got 1."),
    ],
)
def test_a_bad_space_is_one_sentence(overrides: dict[str, object], words: str) -> None:
    n_classes = overrides.pop("n_classes", 10) if "n_classes" in overrides else 10
    with pytest.raises(ArchitectureError) as caught:
        SearchSpace.for_input((28, 28, 1), n_classes, **overrides)
    assert words in str(caught.value)
    assert str(caught.value).endswith(".")


def test_unknown_space_key_is_named() -> None:
    data = SearchSpace.for_input((8, 8, 1), 2).to_dict()
    with pytest.raises(ArchitectureError, match="The search space: unknown key 'depth'"):
        SearchSpace.from_dict({**data, "depth": 3})


@given(architectures())
def test_genes_without_effect_are_fixed(drawn: tuple[Architecture, SearchSpace]) -> None:
    architecture, space = drawn
    for block, shape in zip(architecture.blocks, architecture.shapes, strict=False):
        if block.pool is None:
            assert block.pool_size == space.pool_sizes[0]
        if block.kind != "inverted":
            assert block.expansion == 4
        if block.kernel(shape) == (1, 1):
            assert block.padding == "same"
        if shape[:2] == (1, 1):
            assert (block.stride, block.kernel_size) == (1, space.kernel_sizes[0])

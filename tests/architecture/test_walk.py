"""The walk over any network: a chain of layers that agrees with the blocks, their shapes and the names of Keras."""

from itertools import groupby, pairwise

from hypothesis import given

from tests.architecture.strategies import architectures, blocks, shapes
from tinynas.architecture import CONVOLUTIONS, INPUT, KINDS, Architecture, Block, Head, walk
from tinynas.architecture.walk import convolutions


@given(architectures())
def test_each_layer_takes_what_the_one_before_makes(drawn) -> None:
    architecture, _ = drawn
    layers = walk(architecture)
    assert layers[0].shape_in == architecture.input_shape
    assert layers[-1].shape_out == (1, 1, architecture.n_classes)
    assert all(before.shape_out == after.shape_in for before, after in pairwise(layers))
    assert len({layer.name for layer in layers}) == len(layers)


@given(architectures())
def test_each_block_s_layers_are_those_of_its_genes(drawn) -> None:
    architecture, _ = drawn
    groups = {number: list(group) for number, group in groupby(walk(architecture), key=lambda layer: layer.block)}
    assert list(groups) == [*range(len(architecture.blocks)), None]
    for number, block in enumerate(architecture.blocks):
        before, after = architecture.shapes[number : number + 2]
        layers = groups[number]
        stages = KINDS[block.kind].stages
        assert (layers[0].shape_in, layers[-1].shape_out) == (before, after)
        assert [layer.name for layer in layers[: len(stages)]] == [f"block{number}_{s.name}" for s in stages]
        assert len(layers) == len(stages) + block.residual + (block.pool is not None)
        assert all(layer.batch_norm == (block.batch_norm and layer.operator in CONVOLUTIONS) for layer in layers)
        for layer in layers:
            if layer.operator == "add":
                place = walk(architecture)[layer.skip] if layer.skip != INPUT else None
                assert before == (architecture.input_shape if place is None else place.shape_out) == layer.shape_out


@given(blocks, shapes)
def test_one_convolution_has_the_stride_and_only_spatial_ones_a_kernel(block: Block, shape) -> None:
    layers = convolutions(block, shape)
    assert sum(layer.strides != (1, 1) for layer in layers) <= 1
    for layer, stage in zip(layers, KINDS[block.kind].stages, strict=True):
        assert stage.spatial or (layer.kernel, layer.strides) == ((1, 1), (1, 1))
        assert layer.operator == "conv" or layer.shape_in[2] == layer.shape_out[2]


def test_the_walk_of_an_inverted_block() -> None:
    network = Architecture(
        (8, 8, 4),
        (Block("inverted", 4, 5, expansion=3, residual=True, pool="max"), Block("inverted", 6, 3, 2, batch_norm=False)),
        Head("gap", 5),
        3,
    )
    assert [(x.operator, x.name, x.shape_out, x.kernel, x.activation) for x in walk(network)] == [
        ("conv", "block0_expand", (8, 8, 12), (1, 1), "relu"),
        ("depthwise", "block0_depthwise", (8, 8, 12), (5, 5), "relu"),
        ("conv", "block0_project", (8, 8, 4), (1, 1), ""),
        ("add", "block0_add", (8, 8, 4), (1, 1), ""),
        ("max_pool", "block0_pool", (4, 4, 4), (2, 2), ""),
        ("conv", "block1_expand", (4, 4, 16), (1, 1), "relu"),
        ("depthwise", "block1_depthwise", (2, 2, 16), (3, 3), "relu"),
        ("conv", "block1_project", (2, 2, 6), (1, 1), ""),
        ("average_pool", "head_pool", (1, 1, 6), (2, 2), ""),
        ("flatten", "head_flatten", (1, 1, 6), (1, 1), ""),
        ("dense", "head_hidden", (1, 1, 5), (1, 1), "relu"),
        ("dense", "head_classes", (1, 1, 3), (1, 1), "softmax"),
    ]
    assert [x.weights for x in walk(network)] == [48, 300, 48, 0, 0, 64, 144, 96, 0, 0, 30, 15]

"""The layers of the int8 file: which operators it has, and which of the walk it has not."""

from itertools import pairwise

from hypothesis import given

from tests.architecture.strategies import architectures
from tinynas.architecture import INPUT, Architecture, Block, Head
from tinynas.screening.layers import layers

BLOCKS = (
    Block("conv", 8, 3, stride=2),
    Block("separable", 8, 5, activation="relu6", residual=True, pool="max"),
    Block("depthwise", 8, 3, batch_norm=False, pool="avg", pool_size=3),
)


def test_operators_of_a_picture_network() -> None:
    walk = layers(Architecture((28, 28, 1), BLOCKS, Head(hidden_units=16), 10))
    assert [(layer.operator, layer.name, layer.activation) for layer in walk] == [
        ("conv", "block0_conv", "relu"),
        ("depthwise", "block1_depthwise", "relu6"),
        ("conv", "block1_pointwise", ""),
        ("add", "block1_add", "relu6"),
        ("max_pool", "block1_pool", ""),
        ("depthwise", "block2_depthwise", "relu"),
        ("average_pool", "block2_pool", ""),
        ("average_pool", "head_pool", ""),
        ("dense", "head_hidden", "relu"),
        ("dense", "head_classes", ""),
        ("softmax", "softmax", ""),
    ]
    assert walk[3].skip == 0
    assert [layer.batch_norm for layer in walk[:6]] == [True, True, True, False, False, False]
    assert walk[7].kernel == (2, 2)


def test_flatten_is_an_operator_only_after_a_map() -> None:
    flat = layers(Architecture((28, 28, 1), BLOCKS, Head("flatten"), 10))
    assert [layer.operator for layer in flat[-3:]] == ["flatten", "dense", "softmax"]
    assert flat[-3].shape_out == (1, 1, 32)
    point = layers(Architecture((1, 1, 4), (Block("conv", 8, 3),), Head("flatten"), 10))
    assert [layer.operator for layer in point] == ["conv", "dense", "softmax"]


def test_a_residual_of_the_first_block_reads_the_input() -> None:
    walk = layers(Architecture((8, 8, 4), (Block("conv", 4, 3, residual=True),), Head(), 2))
    assert walk[1].operator == "add"
    assert walk[1].skip == INPUT


@given(architectures())
def test_each_layer_takes_what_the_one_before_makes(drawn) -> None:
    architecture, _ = drawn
    walk = layers(architecture)
    assert walk[0].shape_in == architecture.input_shape
    assert walk[-1].shape_out == (1, 1, architecture.n_classes)
    for before, after in pairwise(walk):
        assert after.shape_in == before.shape_out or after.operator == "dense"
        if after.operator == "add":
            skip = architecture.input_shape if after.skip == INPUT else walk[after.skip].shape_out
            assert skip == after.shape_in

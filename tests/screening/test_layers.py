"""The walk over an architecture: which operators the int8 file has, and which it has not."""

from itertools import pairwise

from hypothesis import given

from tests.architecture.strategies import architectures
from tinynas.architecture import Architecture, Block, Head
from tinynas.screening.layers import INPUT, layers

BLOCKS = (
    Block("conv", 8, 3, stride=2),
    Block("separable", 8, 5, activation="relu6", residual=True, pool="max"),
    Block("depthwise", 8, 3, batch_norm=False, pool="avg", pool_size=3),
)


def test_operators_of_a_picture_network() -> None:
    walk = layers(Architecture((28, 28, 1), BLOCKS, Head(hidden_units=16), 10))
    assert [(layer.operator, layer.name, layer.activation) for layer in walk] == [
        ("CONV_2D", "block0_conv", "relu"),
        ("DEPTHWISE_CONV_2D", "block1_depthwise", "relu6"),
        ("CONV_2D", "block1_pointwise", ""),
        ("ADD", "", "relu6"),
        ("MAX_POOL_2D", "", ""),
        ("DEPTHWISE_CONV_2D", "block2_depthwise", "relu"),
        ("AVERAGE_POOL_2D", "", ""),
        ("AVERAGE_POOL_2D", "", ""),
        ("FULLY_CONNECTED", "head_hidden", "relu"),
        ("FULLY_CONNECTED", "head_classes", ""),
        ("SOFTMAX", "", ""),
    ]
    assert walk[3].skip == 0
    assert [layer.batch_norm for layer in walk[:6]] == [True, True, True, False, False, False]
    assert walk[7].kernel == (2, 2)


def test_flatten_is_an_operator_only_after_a_map() -> None:
    flat = layers(Architecture((28, 28, 1), BLOCKS, Head("flatten"), 10))
    assert [layer.operator for layer in flat[-3:]] == ["RESHAPE", "FULLY_CONNECTED", "SOFTMAX"]
    assert flat[-3].shape_out == (1, 1, 32)
    point = layers(Architecture((1, 1, 4), (Block("conv", 8, 3),), Head("flatten"), 10))
    assert [layer.operator for layer in point] == ["CONV_2D", "FULLY_CONNECTED", "SOFTMAX"]


def test_a_residual_of_the_first_block_reads_the_input() -> None:
    walk = layers(Architecture((8, 8, 4), (Block("conv", 4, 3, residual=True),), Head(), 2))
    assert walk[1].operator == "ADD"
    assert walk[1].skip == INPUT


@given(architectures())
def test_each_layer_takes_what_the_one_before_makes(drawn) -> None:
    architecture, _ = drawn
    walk = layers(architecture)
    assert walk[0].shape_in == architecture.input_shape
    assert walk[-1].shape_out == (1, 1, architecture.n_classes)
    for before, after in pairwise(walk):
        assert after.shape_in == before.shape_out or after.operator == "FULLY_CONNECTED"
        if after.operator == "ADD":
            skip = architecture.input_shape if after.skip == INPUT else walk[after.skip].shape_out
            assert skip == after.shape_in

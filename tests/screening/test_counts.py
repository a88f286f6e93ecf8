"""FLOPs, MACs and parameters against sums done by hand; test_real.py holds them against keras-flops."""

from hypothesis import given

from tests.architecture.strategies import architectures
from tinynas.architecture import Architecture, Block, Head
from tinynas.screening import count_flops, count_macs, count_params
from tinynas.screening.counts import deployed_params_of
from tinynas.screening.layers import layers


def test_counts_of_a_network_done_by_hand() -> None:
    blocks = (
        Block("conv", 4, 3, pool="max"),
        Block("separable", 4, 5, batch_norm=False, residual=True, pool="avg"),
    )
    network = Architecture((8, 8, 2), blocks, Head("gap", 5), 3)
    conv_macs, conv_out = 3 * 3 * 2 * 8 * 8 * 4, 8 * 8 * 4
    depth_macs, point_macs, map_out = 5 * 5 * 4 * 4 * 4, 4 * 4 * 4 * 4, 4 * 4 * 4
    dense_macs = 4 * 5 + 5 * 3
    assert count_macs(network) == conv_macs + depth_macs + point_macs + dense_macs
    assert count_flops(network) == (
        (2 * conv_macs + 2 * conv_out + 6 * 4)  # convolution, batch norm
        + 4 * map_out  # 2x2 max pool
        + (2 * depth_macs + map_out)  # with bias
        + (2 * point_macs + map_out)
        + map_out  # the sum
        + 4 * 2 * 2 * 4  # 2x2 average pool
        + 4 * 4  # average over the 2x2 map
        + (2 * dense_macs + 5 + 3)
        + 5 * 3  # softmax
    )
    kernels = 3 * 3 * 2 * 4 + 5 * 5 * 4 + 4 * 4 + dense_macs
    assert count_params(network) == kernels + 4 * 4 + (4 + 4 + 5 + 3)
    assert deployed_params_of(layers(network)) == kernels + (4 + 4 + 4 + 5 + 3)


def test_flatten_counts_every_value_of_the_map() -> None:
    network = Architecture((784, 1, 1), (Block("conv", 8, 9, stride=4),), Head("flatten"), 11)
    assert count_macs(network) == 9 * 196 * 8 + 196 * 8 * 11
    assert count_params(network) == 9 * 8 + 4 * 8 + 196 * 8 * 11 + 11


@given(architectures())
def test_a_multiply_add_is_two_flops(drawn) -> None:
    architecture, _ = drawn
    assert 2 * count_macs(architecture) < count_flops(architecture)
    norms = sum(layer.shape_out[2] for layer in layers(architecture) if layer.batch_norm)
    assert count_params(architecture) - 3 * norms == deployed_params_of(layers(architecture))

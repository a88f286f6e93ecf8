"""Simplifications: exact, and each gains what it says."""

from dataclasses import replace

import numpy as np
import pytest

from tests.engine.host import samples
from tests.engine.random_graphs import random_graph
from tests.tflite.models import NAMES, fixture
from tinynas.engine.dead import with_plain_constants, without_dead_channels
from tinynas.engine.evaluate import evaluate
from tinynas.engine.lower import lower
from tinynas.engine.net import Clamp, Convolution, Depthwise, Scaling
from tinynas.engine.ranges import Range, ranges, sums
from tinynas.engine.simplify import simplify
from tinynas.engine.weights import biases_with_shifts, has_wide_biases
from tinynas.tflite import Graph, Operator, Tensor, read


@pytest.mark.parametrize("name", NAMES)
def test_nothing_changes_a_bit(name: str) -> None:
    net = lower(read(fixture(name)))
    simpler, gains = simplify(net)
    inputs = samples(net, 4, 1)
    assert (evaluate(net, inputs) == evaluate(simpler, inputs)).all()
    assert gains[-1].macs <= gains[0].macs
    assert gains[-1].weights_bytes <= gains[0].weights_bytes
    assert gains[-1].memory_bytes <= gains[0].memory_bytes


def tensor(
    shape: tuple[int, ...], values: object = None, dtype: str = "INT8", scales: tuple[float, ...] = (0.05,)
) -> Tensor:
    kind = {"INT8": "<i1", "INT32": "<i4"}[dtype]
    data = None if values is None else np.broadcast_to(np.array(values, kind), shape).astype(kind).tobytes()
    return Tensor("", shape, dtype, data, scales, (0,) * len(scales))


CONV = {"padding": 0, "stride_w": 1, "stride_h": 1, "dilation_w_factor": 1, "dilation_h_factor": 1}


def dead_channels_graph(constant: int, second_padding: int) -> Graph:
    """conv 1x1 -> depthwise 3x3 -> conv 1x1 -> dense: of four channels two are clamped to a constant.

    `constant`: the bias in steps of the output, which with weights of 0 is what those channels hold.
    """
    rng = np.random.default_rng(0)
    first = rng.integers(-90, 90, (4, 1, 1, 3)).astype(np.int8)
    first[1::2] = 0
    bias = np.array([3, constant * 20, -5, constant * 20])
    depthwise = rng.integers(-90, 90, (1, 3, 3, 4)).astype(np.int8)
    second = rng.integers(-90, 90, (2, 1, 1, 4)).astype(np.int8)
    tensors = (
        tensor((1, 5, 5, 3)),
        tensor((4, 1, 1, 3), first, scales=(0.05,)),
        tensor((4,), bias, "INT32", (0.0025,)),
        tensor((1, 5, 5, 4)),
        tensor((1, 3, 3, 4), depthwise, scales=(0.01,)),
        tensor((4,), [1, 2, 3, 4], "INT32", (0.0005,)),
        tensor((1, 5, 5, 4) if second_padding == 0 else (1, 3, 3, 4)),
        tensor((2, 1, 1, 4), second, scales=(0.01,)),
        tensor((2,), [7, 8], "INT32", (0.0005,)),
        tensor((1, 5, 5, 2) if second_padding == 0 else (1, 3, 3, 2)),
    )
    operators = (
        Operator("CONV_2D", 3, (0, 1, 2), (3,), {**CONV, "fused_activation_function": 0}),
        Operator(
            "DEPTHWISE_CONV_2D",
            3,
            (3, 4, 5),
            (6,),
            {**CONV, "padding": second_padding, "fused_activation_function": 0, "depth_multiplier": 1},
        ),
        Operator("CONV_2D", 3, (6, 7, 8), (9,), {**CONV, "fused_activation_function": 0}),
    )
    return Graph(tensors, operators, (0,), (9,))


@pytest.mark.parametrize(
    ("constant", "padding", "left"),
    [(0, 0, 2), (0, 1, 2), (5, 1, 2), (5, 0, 4)],
    ids=["zero, padded", "zero, valid", "a number, valid", "a number meets the padding"],
)
def test_channels_that_no_input_changes_go(constant: int, padding: int, left: int) -> None:
    """A constant that is not the zero point stays where padding meets it: at the border its channel varies."""
    net = lower(dead_channels_graph(constant, padding))
    thinner = without_dead_channels(net)
    assert [thinner.values[layer.output].shape[-1] for layer in thinner.layers] == [left, left, 2]
    inputs = samples(net, 12, 2)
    assert (evaluate(net, inputs) == evaluate(thinner, inputs)).all()


def test_constants_that_stay_are_made_of_small_biases() -> None:
    """A channel of no weights may have a bias as great as int32 in the file, and a factor as small."""
    net = without_dead_channels(lower(dead_channels_graph(5, 0)))
    first = net.layers[0].spec
    assert isinstance(first, Convolution)
    bias, shifts = first.bias.copy(), first.scaling.shifts.copy()
    bias[1], shifts[1] = -(2**30), -26
    great = replace(first, bias=bias, scaling=replace(first.scaling, shifts=shifts))
    net = replace(net, layers=(replace(net.layers[0], spec=great), *net.layers[1:]))
    plain = with_plain_constants(net)
    assert has_wide_biases(net)
    assert not has_wide_biases(plain)
    inputs = samples(net, 12, 2)
    assert (evaluate(net, inputs) == evaluate(plain, inputs)).all()


def test_a_bias_lies_above_its_shift() -> None:
    scaling = Scaling(np.array([2**30, 0, 2**30]), np.array([-3, 0, -31]), 0, Clamp(-128, 127))
    bias = np.array([5, -7, -(2**26)])
    packed = biases_with_shifts(bias, scaling, wide=False)
    assert (packed >> 5).tolist() == bias.tolist()
    assert (packed & 31).tolist() == [3, 1, 31]
    assert abs(packed).max() <= 2**31
    assert biases_with_shifts(bias, scaling, wide=True).tolist() == [5, -3, -7, -1, -(2**26), -31]


@pytest.mark.parametrize("name", NAMES[::5])
def test_every_value_lies_in_its_range(name: str) -> None:
    from tinynas.engine.evaluate import evaluate_all

    net = lower(read(fixture(name)))
    known = ranges(net)
    for number, values in evaluate_all(net, samples(net, 12, 3)).items():
        channels = net.values[number].shape[-1]
        found = values.reshape(-1, channels)
        assert (found.min(0) >= known[number].low).all()
        assert (found.max(0) <= known[number].high).all()


@pytest.mark.parametrize("number", [*range(0, 60, 10), *range(1, 61, 10), *range(2, 62, 10)])
def test_the_least_and_the_greatest_sum_are_those_of_the_weights_one_by_one(number: int) -> None:
    """Convolutions of one group and several, depthwise ones, dense layers."""
    rng = np.random.default_rng(number)
    (layer,) = lower(random_graph(number)).layers
    spec = layer.spec
    assert isinstance(spec, Convolution | Depthwise)
    ends = np.sort(rng.integers(-128, 128, (2, spec.window.channels)), 0)
    shifted = ends - spec.zero
    if spec.window.touches_border:
        shifted = np.stack([np.minimum(shifted[0], 0), np.maximum(shifted[1], 0)])
    low, high = sums(spec, Range(*ends))
    depth = spec.window.channels // (spec.groups if isinstance(spec, Convolution) else spec.window.channels)
    for channel in range(len(spec.bias)):
        weights = spec.weights[..., channel, None] if isinstance(spec, Depthwise) else spec.weights[channel]
        first = channel * (spec.window.channels // depth) // len(spec.bias) * depth
        products = [weights.astype(np.int64) * each[first : first + depth] for each in shifted]
        assert low[channel] == np.minimum(*products).sum() + spec.bias[channel]
        assert high[channel] == np.maximum(*products).sum() + spec.bias[channel]


def test_gains_name_what_they_are_of() -> None:
    _, gains = simplify(lower(read(fixture("mn_zeropad"))))
    assert [gain.what for gain in gains] == ["the file's operators", "padding folded into convolutions"]
    assert gains[1].layers == gains[0].layers - 2
    assert gains[1].memory_bytes < gains[0].memory_bytes

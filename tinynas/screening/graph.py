"""Layers to an int8 Graph: tensors, operators and options in the order of TensorFlow 2.21's converter.

The order, read off converted files: the input; the shape constant of a RESHAPE; bias and weights of each
layer, from the last to the first; then the output of each operator in execution order. Weights and biases
have one scale a channel, in dense layers too.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from struct import pack
from typing import NamedTuple

from tinynas.architecture import INPUT, Layer
from tinynas.screening.layers import TFLITE
from tinynas.tflite import Graph, Operator, Tensor

TAG_BYTES = 2

_ACTIVATIONS = {"": 0, "relu": 1, "relu6": 3}  # schema.fbs, ActivationFunctionType
_PADDINGS = {"same": 0, "valid": 1}  # schema.fbs, Padding
_VERSIONS = {
    "conv": 3,
    "depthwise": 3,
    "dense": 4,
    "add": 2,
    "max_pool": 2,
    "average_pool": 2,
    "flatten": 1,
    "softmax": 2,
}


class Quantization(NamedTuple):
    """Scale and zero point of one activation: real value = scale * (int8 value - zero_point)."""

    scale: float
    zero_point: int


class Constants(NamedTuple):
    """Weights and bias of one layer as they lie in the file; one scale a channel."""

    weights: bytes
    weight_scales: tuple[float, ...]
    bias: bytes
    bias_scales: tuple[float, ...]


def assemble(
    walk: Sequence[Layer], constants: Sequence[Constants | None], activations: Sequence[Quantization]
) -> Graph:
    """Return the Graph of `walk`: `constants` has one entry a layer, `activations` one more, the input's."""
    quantization = activations[0]
    tensors = [_activation(walk[0].shape_in, quantization, 4)]
    at: dict[int, tuple[int, ...]] = {}
    for number, layer in enumerate(walk):
        if layer.operator == "flatten":
            at[number] = (len(tensors),)
            # -1 is the batch, as Keras's Flatten has it even where the batch is known to be 1
            tensors.append(Tensor("", (2,), "INT32", pack("<2i", -1, layer.shape_out[2])))
    for number in range(len(walk) - 1, -1, -1):
        values = constants[number]
        if values is not None:
            at[number] = (len(tensors) + 1, len(tensors))
            tensors += _constants(walk[number], values)
    first = len(tensors)
    rank = 4
    for number, layer in enumerate(walk):
        rank = 2 if layer.operator in ("flatten", "dense") else rank
        tensors.append(_activation(layer.shape_out, activations[number + 1], rank))
    operators = tuple(_operator(layer, number, first, at.get(number, ())) for number, layer in enumerate(walk))
    return Graph(tuple(tensors), operators, (0,), (len(tensors) - 1,))


def skeleton(walk: Sequence[Layer]) -> Graph:
    """Return the Graph of `walk` with a tag of TAG_BYTES for each constant, no two alike; all the rest is real.

    A plan or a count needs no values, and not to make them is most of what makes a verdict quick.
    """
    unit = Quantization(1.0, 0)
    constants = [_tagged(number, layer.shape_out[2]) if layer.weights else None for number, layer in enumerate(walk)]
    return assemble(walk, constants, [unit] * (len(walk) + 1))


def weight_shape(layer: Layer) -> tuple[int, ...]:
    """Return the shape of the weights in the file: OHWI, 1HWC for a depthwise layer, OI for a dense one."""
    (kh, kw), channels, made = layer.kernel, layer.shape_in[2], layer.shape_out[2]
    if layer.operator == "dense":
        return (made, channels)
    return (1, kh, kw, channels) if layer.operator == "depthwise" else (made, kh, kw, channels)


def _activation(shape: tuple[int, int, int], quantization: Quantization, rank: int) -> Tensor:
    whole = (1, shape[2]) if rank == 2 else (1, *shape)
    return Tensor("", whole, "INT8", None, (quantization.scale,), (quantization.zero_point,))


def _constants(layer: Layer, values: Constants) -> tuple[Tensor, Tensor]:
    channels = layer.shape_out[2]
    zeros, axis = _zeros(channels), 3 if layer.operator == "depthwise" else 0
    return (
        Tensor("", (channels,), "INT32", values.bias, values.bias_scales, zeros),
        Tensor("", weight_shape(layer), "INT8", values.weights, values.weight_scales, zeros, axis),
    )


def _operator(layer: Layer, number: int, first: int, constants: tuple[int, ...]) -> Operator:
    before = 0 if number == 0 else first + number - 1
    skip: tuple[int, ...] = ()
    if layer.operator == "add":
        skip = (0,) if layer.skip == INPUT else (first + layer.skip,)
    options = _options(layer.operator, layer.kernel, layer.strides, layer.padding, layer.activation)
    inputs = (*skip, before, *constants)
    return Operator(TFLITE[layer.operator], _VERSIONS[layer.operator], inputs, (first + number,), options)


@lru_cache(maxsize=1024)
def _options(
    operator: str, kernel: tuple[int, int], strides: tuple[int, int], padding: str, activation: str
) -> Mapping[str, int | float | bool] | None:
    fused = {"fused_activation_function": _ACTIVATIONS[activation]}
    window = {"padding": _PADDINGS[padding], "stride_w": strides[1], "stride_h": strides[0]}
    dilation = {"dilation_w_factor": 1, "dilation_h_factor": 1}
    tables: Mapping[str, Mapping[str, int | float | bool] | None] = {
        "conv": {**window, **fused, **dilation, "quantized_bias_type": 0},
        "depthwise": {**window, "depth_multiplier": 1, **fused, **dilation},
        "dense": {
            **fused,
            "weights_format": 0,
            "keep_num_dims": False,
            "asymmetric_quantize_inputs": False,
            "quantized_bias_type": 0,
        },
        "add": {**fused, "pot_scale_int16": True},
        "flatten": None,
        "softmax": {"beta": 1.0},
    }
    if operator in tables:
        return tables[operator]
    return {**window, "filter_width": kernel[1], "filter_height": kernel[0], **fused}


@lru_cache(maxsize=256)
def _zeros(channels: int) -> tuple[int, ...]:
    return (0,) * channels


@lru_cache(maxsize=1024)
def _tagged(number: int, channels: int) -> Constants:
    scales = (1.0,) * channels
    weights, bias = (tag.to_bytes(TAG_BYTES, "little") for tag in (2 * number, 2 * number + 1))
    return Constants(weights, scales, bias, scales)

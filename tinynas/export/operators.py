"""The operators of a file as calls on TFLM's MicroMutableOpResolver, int8-only where TFLM has such a kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tinynas.errors import UnsupportedOperatorError
from tinynas.tflite import Graph

# Schema name -> method of MicroMutableOpResolver (TFLM: micro_mutable_op_resolver.h).
_METHODS: Mapping[str, str] = {
    "ADD": "AddAdd",
    "AVERAGE_POOL_2D": "AddAveragePool2D",
    "CONCATENATION": "AddConcatenation",
    "CONV_2D": "AddConv2D",
    "DEPTHWISE_CONV_2D": "AddDepthwiseConv2D",
    "DEQUANTIZE": "AddDequantize",
    "EXPAND_DIMS": "AddExpandDims",
    "FULLY_CONNECTED": "AddFullyConnected",
    "HARD_SWISH": "AddHardSwish",
    "LEAKY_RELU": "AddLeakyRelu",
    "LOGISTIC": "AddLogistic",
    "MAXIMUM": "AddMaximum",
    "MAX_POOL_2D": "AddMaxPool2D",
    "MEAN": "AddMean",
    "MINIMUM": "AddMinimum",
    "MUL": "AddMul",
    "PACK": "AddPack",
    "PAD": "AddPad",
    "PADV2": "AddPadV2",
    "PRELU": "AddPrelu",
    "QUANTIZE": "AddQuantize",
    "REDUCE_MAX": "AddReduceMax",
    "REDUCE_MIN": "AddReduceMin",
    "RELU": "AddRelu",
    "RELU6": "AddRelu6",
    "RESHAPE": "AddReshape",
    "SHAPE": "AddShape",
    "SOFTMAX": "AddSoftmax",
    "SQUEEZE": "AddSqueeze",
    "STRIDED_SLICE": "AddStridedSlice",
    "SUB": "AddSub",
    "SUM": "AddSum",
    "TANH": "AddTanh",
    "TRANSPOSE": "AddTranspose",
}
# Kernels that TFLM also has for int8 alone, which saves up to 17 kB of code each, and the header that declares it.
# Only CMSIS-NN has kernels of their own; elsewhere these headers give the full kernel by the same name.
_INT8_ONLY: Mapping[str, str] = {
    "ADD": "add.h",
    "AVERAGE_POOL_2D": "pooling.h",
    "CONV_2D": "conv.h",
    "DEPTHWISE_CONV_2D": "depthwise_conv.h",
    "FULLY_CONNECTED": "fully_connected.h",
    "MAX_POOL_2D": "pooling.h",
    "MUL": "mul.h",
    "PAD": "pad.h",
    "SOFTMAX": "softmax.h",
}
_INCLUDED = frozenset(_INT8_ONLY.values()) - {"pad.h"}  # by micro_mutable_op_resolver.h itself
_COUNTED_INPUTS = {"PAD": 1}  # inputs whose type chooses the kernel, where they are not two: paddings are always int32


@dataclass(frozen=True)
class Registration:
    """One kind of operator: its name in the schema, the resolver's method, and the int8-only kernel, if it has one."""

    operator: str
    method: str
    kernel: str | None

    @property
    def header(self) -> str | None:
        """The header of the kernel, where the resolver's own does not include it."""
        header = None if self.kernel is None else _INT8_ONLY[self.operator]
        return None if header in _INCLUDED else header


def registrations(graph: Graph) -> tuple[Registration, ...]:
    """One for each kind of operator in `graph`, in the order of their first use.

    An operator that sees other types than int8 anywhere gets the kernel for all types. UnsupportedOperatorError for
    an operator whose method is not known.
    """
    wider = {
        operator.name
        for operator in graph.operators
        for index in (*operator.inputs[: _COUNTED_INPUTS.get(operator.name, 2)], *operator.outputs)
        if index >= 0 and graph.tensors[index].dtype != "INT8"
    }
    found = []
    for name in dict.fromkeys(operator.name for operator in graph.operators):
        if name not in _METHODS:
            raise UnsupportedOperatorError(
                f"operator {name}: no method of TFLM's resolver is known (but for {', '.join(_METHODS)})"
            )
        small = name in _INT8_ONLY and name not in wider
        found.append(Registration(name, _METHODS[name], f"Register_{name}_INT8" if small else None))
    return tuple(found)

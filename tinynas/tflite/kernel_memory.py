"""What each operator's TFLM kernel asks of the arena on a 32-bit core: one row an operator.

Sizes are those of int8 models (TFLM 90b983c2, CMSIS-NN 4ab83cc3) by arm-none-eabi-gcc, whose enums are one
byte. An operator without a row is an UnsupportedOperatorError: nothing is guessed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tinynas.errors import UnsupportedOperatorError
from tinynas.hardware.kernels import KernelLibrary
from tinynas.tflite import kernel_arrays as arrays
from tinynas.tflite.graph import Graph, Operator
from tinynas.tflite.kernel_arrays import Sizes
from tinynas.tflite.sliding import OUTPUT, check_conv, check_depthwise, check_pool

_Ask = Callable[[Graph, Operator, KernelLibrary], Sizes]
_Check = Callable[[Graph, Operator], None]


def _no_check(graph: Graph, operator: Operator) -> None:
    """Nothing of this operator is checked beyond its types."""


@dataclass(frozen=True)
class KernelMemory:
    """The arena bytes of one kind of operator.

    `params` is the size and alignment of the builtin parameters (lite/core/api/flatbuffer_conversions.cc),
    size 0 for none. `op_data` is what Init allocates, in CMSIS-NN and in the reference kernels; 0 for
    nothing. `temporaries` are the tensors that Prepare looks at, each a TfLiteTensor in the free middle of
    the arena for as long as Prepare runs: input positions or OUTPUT. `per_input` adds that many for every
    input, `more_in_cmsis` those that only CMSIS-NN's Prepare adds. `persistent` are the further arrays of
    Prepare and `scratch` its scratch buffers, in order.
    """

    params: tuple[int, int] = (0, 1)
    op_data: tuple[int, int] = (0, 0)
    temporaries: tuple[int, ...] = ()
    persistent: _Ask = arrays.nothing
    scratch: _Ask = arrays.nothing
    per_input: int = 0
    more_in_cmsis: tuple[int, ...] = ()
    any_dtype: bool = False
    check: _Check = _no_check

    def op_data_bytes(self, kernels: KernelLibrary) -> int:
        """Bytes of OpData in the given kernel library."""
        return self.op_data[1] if kernels == "reference" else self.op_data[0]

    def temporary_tensors(self, operator: Operator, kernels: KernelLibrary) -> list[int]:
        """The tensors that Prepare of `operator` looks at, each as often as it does."""
        positions = [*self.temporaries, *list(range(len(operator.inputs))) * self.per_input]
        positions += () if kernels == "reference" else self.more_in_cmsis
        places = [position for position in positions if position < len(operator.inputs)]
        tensors = [operator.outputs[0] if place == OUTPUT else operator.inputs[place] for place in places]
        return [tensor for tensor in tensors if tensor >= 0]


def kernel_memory(graph: Graph, operator: Operator) -> KernelMemory:
    """The operator's row; UnsupportedOperatorError when there is none, or none for its types."""
    row = KERNEL_MEMORY.get(operator.name)
    if row is None:
        raise UnsupportedOperatorError(
            f"operator {operator.name}: what it needs of TFLM's arena is not known; the operators that are "
            f"known are {', '.join(sorted(KERNEL_MEMORY))}"
        )
    if not operator.inputs or not operator.outputs:
        raise UnsupportedOperatorError(
            f"operator {operator.name} has {len(operator.inputs)} inputs and {len(operator.outputs)} "
            "outputs, and at least one of each is wanted; convert the model again"
        )
    ends = (operator.inputs[0], *operator.outputs)
    types = {graph.tensors[index].dtype for index in ends if index >= 0}
    if not row.any_dtype and types != {"INT8"}:
        raise UnsupportedOperatorError(
            f"operator {operator.name} works on {' and '.join(sorted(types))}; what it needs of TFLM's arena "
            "is known for INT8 only, so quantise the model to int8"
        )
    row.check(graph, operator)
    return row


_WINDOW = (0, 1, OUTPUT, 0, 1, 2, OUTPUT)  # a convolution's Prepare, then its CalculateOpData...
_REDUCE = (0, OUTPUT, 1, 0, 1, OUTPUT)

KERNEL_MEMORY: Mapping[str, KernelMemory] = {
    "CONV_2D": KernelMemory((28, 4), (60, 56), _WINDOW, arrays.conv_arrays, arrays.conv_scratch, check=check_conv),
    "DEPTHWISE_CONV_2D": KernelMemory(
        (28, 4), (60, 56), _WINDOW, arrays.depthwise_arrays, arrays.depthwise_scratch, check=check_depthwise
    ),
    "FULLY_CONNECTED": KernelMemory(
        (5, 1), (72, 48), (0, 1, 2, OUTPUT), arrays.fully_connected_arrays, arrays.fully_connected_scratch
    ),
    "MAX_POOL_2D": KernelMemory((40, 4), (36, 32), (0, OUTPUT), check=check_pool),
    "AVERAGE_POOL_2D": KernelMemory(
        (40, 4),
        (36, 32),
        (0, OUTPUT),
        scratch=arrays.average_pool_scratch,
        more_in_cmsis=(0, OUTPUT),
        check=check_pool,
    ),
    "MEAN": KernelMemory((1, 1), (44, 44), _REDUCE, scratch=arrays.mean_scratch),
    "SUM": KernelMemory((1, 1), (44, 44), _REDUCE, scratch=arrays.mean_scratch),
    "REDUCE_MAX": KernelMemory((1, 1), (44, 44), _REDUCE, scratch=arrays.reduce_scratch),
    "REDUCE_MIN": KernelMemory((1, 1), (44, 44), _REDUCE, scratch=arrays.reduce_scratch),
    "SOFTMAX": KernelMemory((4, 4), (64, 56), (0, OUTPUT)),
    "ADD": KernelMemory((2, 1), (60, 60), (0, 1, OUTPUT)),
    "SUB": KernelMemory((2, 1), (52, 52), (0, 1, OUTPUT)),
    "MUL": KernelMemory((1, 1), (36, 36), (0, 1, OUTPUT)),
    "MAXIMUM": KernelMemory(),
    "MINIMUM": KernelMemory(),
    "PAD": KernelMemory(op_data=(56, 56), temporaries=(0, 1, 2, OUTPUT)),
    "PADV2": KernelMemory(op_data=(56, 56), temporaries=(0, 1, 2, OUTPUT)),
    "CONCATENATION": KernelMemory((8, 4), (24, 24), (0, OUTPUT), per_input=1),
    "LOGISTIC": KernelMemory(op_data=(16, 16), temporaries=(0, OUTPUT)),
    "TANH": KernelMemory(op_data=(16, 16), temporaries=(0, 0, OUTPUT)),
    "LEAKY_RELU": KernelMemory((4, 4), (24, 24), (0, OUTPUT)),
    "RELU": KernelMemory(op_data=(28, 28), temporaries=(0, OUTPUT)),
    "RELU6": KernelMemory(op_data=(8, 8), temporaries=(0,)),
    "HARD_SWISH": KernelMemory(op_data=(20, 20), temporaries=(0, OUTPUT)),
    "PRELU": KernelMemory(op_data=(28, 28), temporaries=(0, 1, OUTPUT)),
    "QUANTIZE": KernelMemory(op_data=(32, 32), temporaries=(0, OUTPUT), any_dtype=True),
    "DEQUANTIZE": KernelMemory(op_data=(32, 32), temporaries=(0, OUTPUT), any_dtype=True),
    "TRANSPOSE": KernelMemory(temporaries=(0, 1, OUTPUT)),
    "RESHAPE": KernelMemory((36, 4), temporaries=(0, OUTPUT), any_dtype=True),
    "SQUEEZE": KernelMemory((36, 4), temporaries=(0, OUTPUT), any_dtype=True),
    "EXPAND_DIMS": KernelMemory(temporaries=(0, 1, OUTPUT), any_dtype=True),
    "SHAPE": KernelMemory((1, 1), any_dtype=True),
    "PACK": KernelMemory((8, 4), any_dtype=True),
    "STRIDED_SLICE": KernelMemory((24, 4), (84, 84), (0, 1, 2, 3, OUTPUT), any_dtype=True),
}

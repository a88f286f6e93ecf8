"""What one kind of operator asks of the arena: the form of a row of kernel_rows.py."""

from collections.abc import Callable
from dataclasses import dataclass

from tinynas.hardware.kernels import KernelLibrary
from tinynas.tflite import kernel_arrays as arrays
from tinynas.tflite.graph import Graph, Operator
from tinynas.tflite.kernel_arrays import Sizes
from tinynas.tflite.sliding import OUTPUT

SECOND_OUTPUT = OUTPUT - 1
"""Stands for the operator's second output where an input's position could stand."""

Types = frozenset[str]
INT8: Types = frozenset({"INT8"})
FLOAT: Types = frozenset({"FLOAT32"})
FLOAT_INT8: Types = FLOAT | INT8
FLOAT_INT8_INT16: Types = FLOAT_INT8 | {"INT16"}
ANY: Types = frozenset()
"""No check: the kernel's memory does not depend on the type."""

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
    the arena for as long as Prepare runs: input positions, OUTPUT or SECOND_OUTPUT. `per_input` adds that many for
    every input, `more_in_cmsis` those that only CMSIS-NN's Prepare adds, `more_in_int8` those that only int8 data and
    `more_in_integers` those that only int8 and int16 data add. `init` are further arrays of Init, `persistent` those of
    Prepare and `scratch` its scratch buffers, in order.

    `types` are those of the data that the kernel takes, its input `data`; `results` those of its outputs, None for the
    data's own. `stateful`: it does more than make its outputs, or remembers.
    """

    params: tuple[int, int] = (0, 1)
    op_data: tuple[int, int] = (0, 0)
    temporaries: tuple[int, ...] = ()
    persistent: _Ask = arrays.nothing
    scratch: _Ask = arrays.nothing
    init: _Ask = arrays.nothing
    per_input: int = 0
    more_in_cmsis: tuple[int, ...] = ()
    more_in_int8: tuple[int, ...] = ()
    more_in_integers: tuple[int, ...] = ()
    types: Types = INT8
    results: Types | None = None
    data: int = 0
    stateful: bool = False
    check: _Check = _no_check

    def op_data_bytes(self, kernels: KernelLibrary) -> int:
        """Bytes of OpData in the given kernel library."""
        return self.op_data[1] if kernels == "reference" else self.op_data[0]

    def temporary_tensors(self, graph: Graph, operator: Operator, kernels: KernelLibrary) -> list[int]:
        """The tensors that Prepare of `operator` looks at, each as often as it does."""
        positions = [*self.temporaries, *list(range(len(operator.inputs))) * self.per_input]
        positions += () if kernels == "reference" else self.more_in_cmsis
        dtype = arrays.data_type(graph, operator, self.data)
        positions += self.more_in_int8 if dtype == "INT8" else ()
        positions += self.more_in_integers if dtype in ("INT8", "INT16") else ()
        return [tensor for tensor in (_tensor(operator, place) for place in positions) if tensor >= 0]


def _tensor(operator: Operator, position: int) -> int:
    """The tensor at a position, -1 where there is none."""
    if position < 0:
        number = OUTPUT - position
        return operator.outputs[number] if number < len(operator.outputs) else -1
    return operator.inputs[position] if position < len(operator.inputs) else -1

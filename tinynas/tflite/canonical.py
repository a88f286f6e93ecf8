"""What a graph decides of its canonical .tflite: the parts that are written once, and their order."""

import struct
from collections.abc import Sequence

from tinynas.errors import ModelError, UnsupportedOperatorError
from tinynas.tflite.graph import Graph, Operator, OptionValue, Tensor
from tinynas.tflite.layout import fields_by_name
from tinynas.tflite.options import option_tables

IDENTIFIER, SCHEMA_VERSION = b"TFL3", 3
OFFLINE_PLAN_NAME = b"OfflineMemoryAllocation"
CONSTANT_ALIGNMENT = 16
CUSTOM_PREFIX = "CUSTOM:"

OperatorKind = tuple[str, int]  # name and version
OptionKey = tuple[str, tuple[tuple[str, OptionValue], ...]]  # a table and the fields that it holds


def check_writable(graph: Graph) -> None:
    """Raise unless the graph is one subgraph whose tensor numbers are in range."""
    if graph.n_subgraphs != 1:
        raise UnsupportedOperatorError(
            f"the model has {graph.n_subgraphs} subgraphs (one that fills variables, or control flow), and only one "
            "can be written; convert the model without them"
        )
    n_tensors = len(graph.tensors)
    used = [*graph.inputs, *graph.outputs]
    for operator in graph.operators:
        used += (*operator.inputs, *operator.outputs, *operator.intermediates)
    wrong = next((index for index in used if not -1 <= index < n_tensors), None)
    if wrong is not None:
        raise ModelError(f"the graph names tensor {wrong}, but it has tensors 0 to {n_tensors - 1}")
    if graph.offline_plan is not None and len(graph.offline_plan) != n_tensors:
        raise ModelError(
            f"the graph's offline plan has {len(graph.offline_plan)} offsets for {n_tensors} tensors; wanted one each"
        )


def plan_bytes(plan: Sequence[int]) -> bytes:
    """The metadata buffer of an offline plan: format version, number of subgraphs, of offsets, offsets."""
    return struct.pack(f"<{3 + len(plan)}i", 1, 1, len(plan), *plan)


def constants_of(graph: Graph) -> dict[bytes, int]:
    """The distinct constants and their buffer numbers, in order of first use; an offline plan comes last."""
    numbers: dict[bytes, int] = {}
    for tensor in graph.tensors:
        if tensor.data:
            numbers.setdefault(tensor.data, len(numbers) + 1)
    if graph.offline_plan is not None:
        numbers.setdefault(plan_bytes(graph.offline_plan), len(numbers) + 1)
    return numbers


def operator_kinds(graph: Graph) -> dict[OperatorKind, int]:
    """The operator codes in use and their numbers, in order of first use."""
    kinds: dict[OperatorKind, int] = {}
    for operator in graph.operators:
        kinds.setdefault((operator.name, operator.version), len(kinds))
    return kinds


def shared_zero_points(graph: Graph) -> dict[tuple[int, ...], None]:
    """The distinct zero points that share their bytes, in order of first use."""
    return dict.fromkeys(t.zero_points for t in graph.tensors if shares_zero_points(t))


def shares_zero_points(tensor: Tensor) -> bool:
    """Whether the tensor's zero points share their bytes: those of constants, nearly always 0, and of channels."""
    return bool(tensor.zero_points) and (tensor.is_constant or len(tensor.zero_points) > 1)


def quantization_kinds(graph: Graph) -> dict[tuple[str, ...], None]:
    """The distinct sets of fields that the tensors' quantisations have."""
    return dict.fromkeys(fields for fields in map(quantization_fields, graph.tensors) if fields)


def quantization_fields(tensor: Tensor) -> tuple[str, ...]:
    """The fields of the tensor's quantisation that are written, none without a quantisation."""
    if not tensor.scales and not tensor.zero_points:
        return ()
    has = {
        "scale": tensor.scales,
        "zero_point": tensor.zero_points,
        "quantized_dimension": tensor.quantized_axis,
    }
    return tuple(name for name, value in has.items() if value)


def shapes_of(graph: Graph) -> dict[tuple[int, ...], None]:
    """The distinct shapes, in order of first use."""
    return dict.fromkeys(tensor.shape for tensor in graph.tensors)


def option_keys(graph: Graph) -> dict[OptionKey, None]:
    """The distinct option tables of the graph, in order of first use."""
    keys = (option_key(operator) for operator in graph.operators)
    return dict.fromkeys(key for key in keys if key is not None)


def option_key(operator: Operator) -> OptionKey | None:
    """The operator's option table and the fields that differ from their defaults, None without a table."""
    if operator.options is None:
        return None
    table = option_tables().get(operator.name)
    if table is None:
        raise UnsupportedOperatorError(
            f"operator {operator.name} has options {sorted(operator.options)}, but the schema has no table for them"
        )
    fields = fields_by_name(table)
    unknown = set(operator.options) - set(fields)
    if unknown:
        raise UnsupportedOperatorError(
            f"operator {operator.name} has the options {', '.join(sorted(unknown))}, which {table} does "
            f"not have (it has {', '.join(sorted(fields)) or 'none'})"
        )
    present = ((name, value) for name, value in operator.options.items() if value != fields[name].default)
    return table, tuple(sorted(present))

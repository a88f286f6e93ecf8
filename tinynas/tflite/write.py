"""Write a Graph as a .tflite: canonical bytes, a function of the graph alone.

No names, no description, no signatures; no metadata but an offline memory plan. Equal constants share a
buffer; equal shapes, equal option tables and equal zero points of constants share their bytes. The
file's size depends on neither the order of the tensors nor the values of weights and scales, as long as no
two constants are equal.
"""

import struct
from collections.abc import Mapping, Sequence

from tinynas.errors import ModelError, UnsupportedOperatorError
from tinynas.tflite.canonical import (
    CONSTANT_ALIGNMENT,
    CUSTOM_PREFIX,
    IDENTIFIER,
    OFFLINE_PLAN_NAME,
    SCHEMA_VERSION,
    OperatorKind,
    check_writable,
    constants_of,
    operator_kinds,
    option_key,
    option_keys,
    plan_bytes,
    quantization_kinds,
    shapes_of,
    shared_zero_points,
    shares_zero_points,
)
from tinynas.tflite.graph import Graph, OptionValue, Tensor
from tinynas.tflite.layout import Emitter, Value, fields_by_name, table_layout
from tinynas.tflite.schema import DTYPE_CODES, OPERATOR_CODES, OPTION_CODES, Field


def write(graph: Graph) -> bytes:
    """The canonical .tflite of `graph`.

    Raises UnsupportedOperatorError for an operator whose options cannot be copied, ModelError for a graph
    that no file can hold. `read(write(graph))` equals the graph but for names and defaulted options.
    """
    check_writable(graph)
    out = Emitter()
    constants = constants_of(graph)
    buffers = _write_buffers(out, constants)
    tensors = _write_tensors(out, graph, constants)
    kinds = operator_kinds(graph)
    operators = _write_operators(out, graph, kinds)
    subgraph = out.table(
        "SubGraph",
        {
            "tensors": out.references(tensors),
            "inputs": _integers(out, graph.inputs),
            "outputs": _integers(out, graph.outputs),
            "operators": out.references(operators),
        },
    )
    codes = [_write_code(out, kind) for kind in kinds]
    metadata = None
    if graph.offline_plan is not None:
        plan = out.string(OFFLINE_PLAN_NAME)
        entry = {"name": plan, "buffer": constants[plan_bytes(graph.offline_plan)]}
        metadata = out.references([out.table("Metadata", entry)])
    model: dict[str, Value] = {
        "version": SCHEMA_VERSION,
        "operator_codes": out.references(codes),
        "subgraphs": out.references([subgraph]),
        "buffers": out.references(buffers),
        "metadata": metadata,
    }
    return out.finish(out.table("Model", model), IDENTIFIER)


def _write_buffers(out: Emitter, constants: Mapping[bytes, int]) -> list[int]:
    """The buffers, 0 the empty one; the field lists come first, so that each takes a multiple of 16 bytes."""
    empty, full = table_layout("Buffer", ()), table_layout("Buffer", ("data",))
    out.vtable(empty.vtable)
    out.vtable(full.vtable)
    buffers = [out.table("Buffer", {"data": out.vector(data, len(data), CONSTANT_ALIGNMENT)}) for data in constants]
    return [out.table("Buffer", {}), *buffers]


def _write_tensors(out: Emitter, graph: Graph, constants: Mapping[bytes, int]) -> list[int]:
    zero_points = {
        points: out.vector(struct.pack(f"<{len(points)}q", *points), len(points), 8)
        for points in shared_zero_points(graph)
    }
    for present in quantization_kinds(graph):
        out.vtable(table_layout("QuantizationParameters", present).vtable)
    out.pad(0, 8)
    quantizations = [_write_quantization(out, tensor, zero_points) for tensor in graph.tensors]
    shapes = {shape: _integers(out, shape) for shape in shapes_of(graph)}
    return [
        out.table(
            "Tensor",
            {
                "shape": shapes[tensor.shape],
                "buffer": constants[tensor.data] if tensor.data else None,
                "quantization": quantization,
                "type": _dtype_code(tensor.dtype),
                "is_variable": tensor.is_variable,
            },
        )
        for tensor, quantization in zip(graph.tensors, quantizations, strict=True)
    ]


def _write_quantization(out: Emitter, tensor: Tensor, zero_points: Mapping[tuple[int, ...], int]) -> int | None:
    """The tensor's quantisation, padded to 8 bytes so that the next one's zero point is aligned."""
    if not tensor.scales and not tensor.zero_points:
        return None
    points = zero_points[tensor.zero_points] if shares_zero_points(tensor) else None
    if points is None and tensor.zero_points:
        points = out.vector(struct.pack("<q", *tensor.zero_points), 1, 8)
    scales = struct.pack(f"<{len(tensor.scales)}f", *tensor.scales)
    values: dict[str, Value] = {
        "scale": out.vector(scales, len(tensor.scales)) if tensor.scales else None,
        "zero_point": points,
        "quantized_dimension": tensor.quantized_axis,
    }
    position = out.table("QuantizationParameters", values)
    out.pad(0, 8)
    return position


def _write_operators(out: Emitter, graph: Graph, kinds: Mapping[OperatorKind, int]) -> list[int]:
    tables = {key: _write_options(out, *key) for key in option_keys(graph)}
    return [
        out.table(
            "Operator",
            {
                "opcode_index": kinds[operator.name, operator.version],
                "inputs": _integers(out, operator.inputs),
                "outputs": _integers(out, operator.outputs),
                "builtin_options": None if key is None else tables[key],
                "custom_options": out.vector(operator.custom, len(operator.custom)) if operator.custom else None,
                "intermediates": _integers(out, operator.intermediates) if operator.intermediates else None,
                "builtin_options_type": None if key is None else OPTION_CODES[key[0]],
            },
        )
        for operator, key in ((operator, option_key(operator)) for operator in graph.operators)
    ]


def _write_options(out: Emitter, table: str, present: tuple[tuple[str, OptionValue], ...]) -> int:
    fields = fields_by_name(table)
    return out.table(table, {name: _option_value(out, fields[name], value) for name, value in present})


def _option_value(out: Emitter, field: Field, value: OptionValue) -> Value:
    if isinstance(value, bytes):
        return out.string(value)
    if isinstance(value, tuple):
        return out.vector(option_payload(value), len(value))
    return value


def option_payload(value: tuple[int, ...] | tuple[float, ...]) -> bytes:
    """The bytes of an option that is a vector: all of the schema's are of 32-bit integers or floats."""
    letter = "f" if any(isinstance(number, float) for number in value) else "i"
    return struct.pack(f"<{len(value)}{letter}", *value)


def _write_code(out: Emitter, kind: OperatorKind) -> int:
    name, version = kind
    custom = None
    if name.startswith(CUSTOM_PREFIX):
        custom = out.string(name.removeprefix(CUSTOM_PREFIX).encode())
        code = OPERATOR_CODES["CUSTOM"]
    elif name in OPERATOR_CODES:
        code = OPERATOR_CODES[name]
    else:
        raise UnsupportedOperatorError(f"operator {name} is not in the schema, so it cannot be written")
    return out.table(
        "OperatorCode",
        {
            "custom_code": custom,
            "version": version,
            "builtin_code": code,
            "deprecated_builtin_code": min(code, OPERATOR_CODES["PLACEHOLDER_FOR_GREATER_OP_CODES"]),
        },
    )


def _integers(out: Emitter, values: Sequence[int]) -> int:
    return out.vector(struct.pack(f"<{len(values)}i", *values), len(values))


def _dtype_code(dtype: str) -> int:
    try:
        return DTYPE_CODES[dtype]
    except KeyError:
        raise ModelError(f"tensor type {dtype} is not in the schema (it has {', '.join(DTYPE_CODES)})") from None

"""The size of the file that `write` would make of a graph, by arithmetic alone.

What write.py lays out, counted: every object takes a multiple of 4 bytes, each quantisation and each
shared zero point a multiple of 8, each constant with its buffer a multiple of 16.
"""

from functools import cache

from tinynas.tflite.canonical import (
    CONSTANT_ALIGNMENT,
    CUSTOM_PREFIX,
    OFFLINE_PLAN_NAME,
    OperatorKind,
    OptionKey,
    check_writable,
    constants_of,
    operator_kinds,
    option_key,
    quantization_fields,
    quantization_kinds,
    shapes_of,
    shared_zero_points,
    shares_zero_points,
)
from tinynas.tflite.graph import Graph, Operator, OptionValue, Tensor
from tinynas.tflite.layout import FILE_ALIGNMENT, HEADER_BYTES, fields_by_name, present_fields, table_layout
from tinynas.tflite.planner import align_up

_LENGTH = _OFFSET = 4


def size_of(graph: Graph) -> int:
    """Bytes of `write(graph)`, exactly, without writing it; the same errors but those of wrong type names."""
    check_writable(graph)
    constants = constants_of(graph)
    kinds = operator_kinds(graph)
    count = _Count()
    _count_buffers(count, constants)
    _count_tensors(count, graph)
    _count_operators(count, graph, kinds)
    for indices in (graph.inputs, graph.outputs):
        count.vector(_OFFSET * len(indices))
    count.vector(_OFFSET * len(graph.tensors))
    count.vector(_OFFSET * len(graph.operators))
    count.table("SubGraph", ("tensors", "inputs", "outputs", "operators"))
    for kind in kinds:
        _count_code(count, kind)
    model: tuple[str, ...] = ("version", "operator_codes", "subgraphs", "buffers")
    if graph.offline_plan is not None:
        _count_string(count, len(OFFLINE_PLAN_NAME))
        count.table("Metadata", ("name", "buffer"))
        count.vector(_OFFSET)
        model = (*model, "metadata")
    for length in (len(kinds), 1, len(constants) + 1):
        count.vector(_OFFSET * length)
    count.table("Model", model)
    return align_up(count.bytes + HEADER_BYTES, FILE_ALIGNMENT)


def constant_bytes(n_bytes: int) -> int:
    """Bytes that a constant of `n_bytes` and its Buffer add to a file: length word and table, to the alignment."""
    return align_up(n_bytes + _constant_overhead(), CONSTANT_ALIGNMENT)


@cache
def _constant_overhead() -> int:
    return _LENGTH + table_layout("Buffer", ("data",)).size


class _Count:
    """An Emitter that only counts."""

    def __init__(self) -> None:
        self.bytes = 0
        self._vtables: set[bytes] = set()

    def vector(self, n_bytes: int, alignment: int = 4) -> None:
        self.bytes = align_up(self.bytes + n_bytes, alignment) + _LENGTH

    def vtable(self, name: str, present: tuple[str, ...]) -> None:
        vtable = table_layout(name, present).vtable
        if vtable not in self._vtables:
            self._vtables.add(vtable)
            self.bytes += len(vtable)

    def table(self, name: str, present: tuple[str, ...]) -> None:
        self.vtable(name, present)
        layout = table_layout(name, present)
        self.bytes = align_up(self.bytes + layout.size, layout.alignment)


def _count_string(count: _Count, length: int) -> None:
    count.vector(length + 4 - length % 4)


def _count_buffers(count: _Count, constants: dict[bytes, int]) -> None:
    count.vtable("Buffer", ())
    count.vtable("Buffer", ("data",))
    for data in constants:
        count.vector(len(data), CONSTANT_ALIGNMENT)
        count.table("Buffer", ("data",))
    count.table("Buffer", ())


def _count_tensors(count: _Count, graph: Graph) -> None:
    for points in shared_zero_points(graph):
        count.vector(8 * len(points), 8)
    for present in quantization_kinds(graph):
        count.vtable("QuantizationParameters", present)
    count.bytes = align_up(count.bytes, 8)
    for tensor in graph.tensors:
        if tensor.scales or tensor.zero_points:
            fields = quantization_fields(tensor)
            own_point = bool(tensor.zero_points) and not shares_zero_points(tensor)
            count.bytes += _quantization_bytes(len(tensor.scales), own_point, fields)
    for shape in shapes_of(graph):
        count.vector(4 * len(shape))
    for tensor in graph.tensors:
        count.table("Tensor", _tensor_fields(tensor))


@cache
def _quantization_bytes(n_scales: int, own_point: bool, fields: tuple[str, ...]) -> int:
    points = 8 + _LENGTH if own_point else 0  # others are shared and counted once
    scales = _LENGTH + 4 * n_scales if n_scales else 0
    return align_up(points + scales + table_layout("QuantizationParameters", fields).size, 8)


def _tensor_fields(tensor: Tensor) -> tuple[str, ...]:
    return _cached_tensor_fields(
        bool(tensor.data),
        bool(tensor.scales or tensor.zero_points),
        tensor.dtype != "FLOAT32",
        tensor.is_variable,
    )


@cache
def _cached_tensor_fields(data: bool, quantized: bool, typed: bool, variable: bool) -> tuple[str, ...]:
    has = {"shape": True, "buffer": data, "quantization": quantized, "type": typed, "is_variable": variable}
    return tuple(name for name, present in has.items() if present)


def _count_operators(count: _Count, graph: Graph, kinds: dict[OperatorKind, int]) -> None:
    keys = [option_key(operator) for operator in graph.operators]
    for distinct in dict.fromkeys(key for key in keys if key is not None):
        _count_options(count, distinct)
    for operator, key in zip(graph.operators, keys, strict=True):
        count.vector(_OFFSET * len(operator.inputs))
        count.vector(_OFFSET * len(operator.outputs))
        if operator.custom:
            count.vector(len(operator.custom))
        if operator.intermediates:
            count.vector(_OFFSET * len(operator.intermediates))
        count.table("Operator", _operator_fields(operator, key, kinds[operator.name, operator.version]))


def _operator_fields(operator: Operator, key: OptionKey | None, code: int) -> tuple[str, ...]:
    fields = ["opcode_index"] if code else []
    fields += ["inputs", "outputs"]
    if key is not None:
        fields += ["builtin_options"]
    if operator.custom:
        fields += ["custom_options"]
    if operator.intermediates:
        fields += ["intermediates"]
    if key is not None:
        fields += ["builtin_options_type"]
    return tuple(fields)


def _count_options(count: _Count, key: OptionKey) -> None:
    table, present = key
    for name, value in present:
        if fields_by_name(table)[name].is_reference:
            _count_option(count, value)
    count.table(table, tuple(name for name, _ in present))


def _count_option(count: _Count, value: OptionValue) -> None:
    if isinstance(value, bytes):
        _count_string(count, len(value))
    elif isinstance(value, tuple):
        count.vector(4 * len(value))


def _count_code(count: _Count, kind: OperatorKind) -> None:
    name, version = kind
    is_custom = name.startswith(CUSTOM_PREFIX)
    if is_custom:
        _count_string(count, len(name.removeprefix(CUSTOM_PREFIX).encode()))
    values = {
        "custom_code": 1 if is_custom else None,
        "version": version,
        "builtin_code": None if name == "ADD" else 1,  # ADD is number 0, the default
        "deprecated_builtin_code": None if name == "ADD" else 1,
    }
    count.table("OperatorCode", present_fields("OperatorCode", values))

"""Read a .tflite: bytes to Graph, with one sentence for whatever is wrong in them."""

from dataclasses import replace
from typing import Any

import tflite
from flatbuffers.number_types import Int32Flags

from tinynas.errors import ModelError, UnsupportedOperatorError
from tinynas.tflite.canonical import CUSTOM_PREFIX, IDENTIFIER, OFFLINE_PLAN_NAME, SCHEMA_VERSION
from tinynas.tflite.disguise import disguised
from tinynas.tflite.graph import Graph, Operator
from tinynas.tflite.guard import MAX_FILE_BYTES, Guard
from tinynas.tflite.layout import fields_by_name
from tinynas.tflite.options import read_options
from tinynas.tflite.read_tensors import numbers, read_buffers, read_tensors, text
from tinynas.tflite.schema import OPERATOR_CODES, OPERATOR_NAMES, SCHEMA_NAME

MAX_OPERATORS = 4096
MAX_SUBGRAPHS = 64
MAX_METADATA = 4096


def read(data: bytes) -> Graph:
    """The first subgraph of the .tflite in `data`, and the others within it.

    Raises ModelError, in one sentence, for anything that is not a sound .tflite; UnsupportedOperatorError
    where a part is sound but unknown here. Time and memory are bounded whatever the bytes say.
    """
    data = data if isinstance(data, bytes) else bytes(memoryview(data))
    if len(data) > MAX_FILE_BYTES:
        raise ModelError(
            f"the file has {len(data):,} bytes; a model for a microcontroller has {MAX_FILE_BYTES:,} at most"
        )
    if len(data) < 8 or data[4:8] != IDENTIFIER:
        if (words := disguised(data)) is not None:
            raise ModelError(f"these {len(data):,} bytes {words}")
        raise ModelError(
            f"these {len(data):,} bytes are not a .tflite file: 'TFL3' is missing at byte 4; "
            "pass the bytes of a model that the TFLite converter wrote"
        )
    guard = Guard(data)
    model = guard.table(tflite.Model(), int.from_bytes(data[:4], "little"))
    if model.Version() != SCHEMA_VERSION:
        raise ModelError(
            f"the model's schema version is {model.Version()}, but TFLM reads version {SCHEMA_VERSION}; "
            "convert the model again"
        )
    subgraphs = list(guard.tables(model, "Subgraphs", MAX_SUBGRAPHS))
    if not subgraphs:
        raise ModelError("the model has no subgraph, so there is nothing to run; convert the model again")
    first, *others = (_read_subgraph(guard, model, subgraph) for subgraph in subgraphs)
    plan = None if others else _read_offline_plan(guard, model, len(first.tensors))
    return replace(first, n_subgraphs=len(subgraphs), offline_plan=plan, others=tuple(others))


def _read_subgraph(guard: Guard, model: Any, subgraph: Any) -> Graph:
    tensors = read_tensors(guard, model, subgraph)
    return Graph(
        tensors=tensors,
        operators=_read_operators(guard, model, subgraph, len(tensors)),
        inputs=_indices(subgraph.InputsAsNumpy(), len(tensors), "the list of inputs"),
        outputs=_indices(subgraph.OutputsAsNumpy(), len(tensors), "the list of outputs"),
    )


def _indices(value: Any, n_tensors: int, where: str, optional: bool = False) -> tuple[int, ...]:
    """Tensor indices, each in range; -1 only where an input may be left out."""
    indices: tuple[int, ...] = tuple(numbers(value))
    lowest = -1 if optional else 0
    for index in indices:
        if not lowest <= index < n_tensors:
            raise ModelError(
                f"{where} names tensor {index}, but the model has tensors 0 to {n_tensors - 1}; "
                "convert or copy the model again"
            )
    return indices


def _operator_code(guard: Guard, table: Any, index: int) -> tuple[str, int]:
    """Name and version of operator code `index`; the code is the larger of the old field and the new one."""
    code = max(table.DeprecatedBuiltinCode(), _new_code(table))
    if code == OPERATOR_CODES["CUSTOM"]:
        return f"{CUSTOM_PREFIX}{text(table.CustomCode(), f'operator code {index}')}", table.Version()
    if code not in OPERATOR_NAMES or code == OPERATOR_CODES["PLACEHOLDER_FOR_GREATER_OP_CODES"]:
        raise UnsupportedOperatorError(
            f"operator code {index} has the number {code}, which {SCHEMA_NAME} "
            "does not know; convert the model with TensorFlow 2.21 or older"
        )
    return OPERATOR_NAMES[code], table.Version()


def _new_code(table: Any) -> int:
    """The field builtin_code as it is stored: the package's own accessor puts the old field in its place."""
    offset = table._tab.Offset(4 + 2 * fields_by_name("OperatorCode")["builtin_code"].slot)
    return int(table._tab.Get(Int32Flags, table._tab.Pos + offset)) if offset else 0


def _read_operators(guard: Guard, model: Any, subgraph: Any, n_tensors: int) -> tuple[Operator, ...]:
    codes = [
        _operator_code(guard, table, index)
        for index, table in enumerate(guard.tables(model, "OperatorCodes", MAX_OPERATORS))
    ]
    return tuple(
        _read_operator(guard, table, codes, n_tensors, f"operator {index}")
        for index, table in enumerate(guard.tables(subgraph, "Operators", MAX_OPERATORS))
    )


def _read_operator(guard: Guard, table: Any, codes: list[tuple[str, int]], n_tensors: int, where: str) -> Operator:
    opcode = table.OpcodeIndex()
    if opcode >= len(codes):
        raise ModelError(
            f"{where} names operator code {opcode}, but the model has {len(codes)}; convert or copy the model again"
        )
    name, version = codes[opcode]
    if table.BuiltinOptions2Type() or table.LargeCustomOptionsOffset() or table.LargeCustomOptionsSize():
        raise UnsupportedOperatorError(
            f"{where} ({name}) keeps its options in a place that TFLM does not read; convert the model to plain int8"
        )
    is_custom = name.startswith(CUSTOM_PREFIX)
    return Operator(
        name=name,
        version=version,
        inputs=_indices(table.InputsAsNumpy(), n_tensors, f"{where} ({name})", optional=True),
        outputs=_indices(table.OutputsAsNumpy(), n_tensors, f"{where} ({name})"),
        options=None if is_custom else read_options(guard, table, name, where),
        custom=bytes(numbers(table.CustomOptionsAsNumpy())) if is_custom else None,
        intermediates=_indices(table.IntermediatesAsNumpy(), n_tensors, f"{where} ({name})"),
    )


def _read_offline_plan(guard: Guard, model: Any, n_tensors: int) -> tuple[int, ...] | None:
    """The offsets that TFLM takes from the metadata (micro_allocation_info.cc GetOfflinePlannedOffsets)."""
    plan = None
    for entry in guard.tables(model, "Metadata", MAX_METADATA):
        if entry.Name() != OFFLINE_PLAN_NAME:
            continue
        index = entry.Buffer()
        raw = read_buffers(guard, model, {index}, model.BuffersLength())[index]
        words = memoryview(raw[: len(raw) // 4 * 4]).cast("i")
        if len(words) < 3 or words[2] != n_tensors or len(words) < 3 + n_tensors:
            raise ModelError(
                f"the model's offline memory plan has {len(raw)} bytes and is for "
                f"{words[2] if len(words) > 2 else 0} tensors, but the model has {n_tensors}; "
                "remove the plan or make it again"
            )
        plan = tuple(words[3 : 3 + n_tensors])
    return plan

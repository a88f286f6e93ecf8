"""Read the tensors of a .tflite and their constants: shapes, types, quantisation, all checked."""

import math
from typing import Any

from tinynas.errors import ModelError
from tinynas.tflite.graph import DTYPE_BYTES, Tensor
from tinynas.tflite.guard import Guard
from tinynas.tflite.schema import DTYPE_NAMES, SCHEMA_NAME, fields_of

MAX_TENSORS = 4096
MAX_RANK = 8
MAX_TENSOR_BYTES = 2**31 - 1


def numbers(value: Any) -> Any:
    """A generated vector accessor's answer; it is the number 0 where the vector is left out."""
    return () if isinstance(value, int) else value


def text(raw: bytes | None, where: str) -> str:
    """A name as text, "" where it is left out; ModelError when it is not UTF-8."""
    try:
        return (raw or b"").decode()
    except UnicodeDecodeError:
        raise ModelError(f"the name of {where} is not UTF-8 text; convert or copy the model again") from None


def read_buffers(guard: Guard, model: Any, wanted: set[int], n_buffers: int) -> dict[int, bytes]:
    """The constant bytes of each buffer in `wanted`; an empty buffer is b''."""
    found = {}
    for index in sorted(wanted):
        if index >= n_buffers:
            raise ModelError(
                f"a tensor or metadata names buffer {index}, but the model has {n_buffers} buffers; "
                "convert or copy the model again"
            )
        buffer = guard.table(model.Buffers(index))
        if buffer.Offset() > 1 or buffer.Size() > 1:
            raise ModelError(
                f"buffer {index} keeps its data behind the flatbuffer (as files above 2 GB do), where "
                "TFLM cannot read it; convert the model without that option"
            )
        found[index] = bytes(numbers(buffer.DataAsNumpy()))
    return found


def read_tensors(guard: Guard, model: Any, subgraph: Any) -> tuple[Tensor, ...]:
    """The tensors of the generated `subgraph` of `model`, each constant with its bytes."""
    tables = list(guard.tables(subgraph, "Tensors", MAX_TENSORS))
    buffer_indices = [table.Buffer() for table in tables]
    buffers = read_buffers(guard, model, set(buffer_indices), model.BuffersLength())
    return tuple(
        _read_tensor(guard, table, buffers[buffer] or None, f"tensor {index}")
        for index, (table, buffer) in enumerate(zip(tables, buffer_indices, strict=True))
    )


def _read_tensor(guard: Guard, table: Any, data: bytes | None, where: str) -> Tensor:
    if table.Sparsity() is not None or table._tab.has_field_from(fields_of("Tensor")[1]):
        raise ModelError(
            f"{where} is sparse or has fields newer than {SCHEMA_NAME}, and its size "
            "could not be told; convert the model without sparsity"
        )
    dtype = DTYPE_NAMES.get(table.Type())
    if dtype is None:
        raise ModelError(
            f"{where} has type number {table.Type()}, but the schema's types are 0 to {max(DTYPE_NAMES)}; "
            "convert or copy the model again"
        )
    shape = tuple(numbers(table.ShapeAsNumpy()))
    _check_shape(shape, dtype, data, where)
    scales, zero_points, axis = _read_quantization(guard, table, shape, where)
    name = text(table.Name(), where)
    return Tensor(name, shape, dtype, data, scales, zero_points, axis, bool(table.IsVariable()))


def _check_shape(shape: tuple[int, ...], dtype: str, data: bytes | None, where: str) -> None:
    if len(shape) > MAX_RANK or any(size < 0 for size in shape):
        raise ModelError(
            f"{where} has the shape {list(shape[: MAX_RANK + 1])}; wanted at most {MAX_RANK} sizes, none negative"
        )
    width = DTYPE_BYTES.get(dtype)
    if width is None:  # strings, resources and variants have no size of their own
        return
    elements = math.prod(shape)
    if elements * width > MAX_TENSOR_BYTES:
        raise ModelError(
            f"{where} has the shape {list(shape)} and so {elements * width:,} bytes; "
            f"a tensor has {MAX_TENSOR_BYTES:,} at most"
        )
    wanted = (elements + 1) // 2 if dtype == "INT4" else elements * width
    if data is not None and len(data) != wanted:
        raise ModelError(
            f"{where} has {len(data):,} bytes of data, but its shape {list(shape)} and type {dtype} want "
            f"{wanted:,}; convert or copy the model again"
        )


def _read_quantization(
    guard: Guard, table: Any, shape: tuple[int, ...], where: str
) -> tuple[tuple[float, ...], tuple[int, ...], int]:
    """Scales, zero points and axis; both lists are empty without quantisation."""
    stored = table.Quantization()
    if stored is None:
        return (), (), 0
    stored = guard.table(stored)
    if stored.DetailsType():
        raise ModelError(f"{where} is quantised in a way of its own (custom details); convert the model to plain int8")
    scales = tuple(numbers(stored.ScaleAsNumpy()))
    zero_points = tuple(numbers(stored.ZeroPointAsNumpy()))
    # Files exist whose biases carry the axis of their filter, 3; TFLM does not look at that of a list, TFLite does.
    axis = 0 if len(shape) == 1 else stored.QuantizedDimension()
    if any(not (math.isfinite(scale) and scale >= 0) for scale in scales):
        bad = next(scale for scale in scales if not (math.isfinite(scale) and scale >= 0))
        raise ModelError(f"{where} has the quantisation scale {bad}; wanted finite numbers, none negative")
    if any(not -(2**31) <= point < 2**31 for point in zero_points):
        raise ModelError(f"{where} has a zero point outside 32 bits; convert or copy the model again")
    if len(scales) > 1 and not (0 <= axis < len(shape) and shape[axis] == len(scales)):
        raise ModelError(
            f"{where} has {len(scales)} scales along axis {axis} of its shape {list(shape)}; "
            "wanted one scale a slice of that axis"
        )
    if len(zero_points) not in {0, 1, len(scales)} or (zero_points and not scales):
        raise ModelError(f"{where} has {len(scales)} scales but {len(zero_points)} zero points; wanted one for each")
    return scales, zero_points, axis

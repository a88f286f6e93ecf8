"""A model as C source: NAME.h and NAME.cc, the bytes and all that firmware needs to know beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tinynas.errors import ModelError
from tinynas.tflite import c_templates, c_text
from tinynas.tflite.graph import Graph, Tensor
from tinynas.tflite.read import read

if TYPE_CHECKING:
    from tinynas.hardware.target import Target
    from tinynas.tflite.analyze import Analysis


def c_files(
    name: str,
    data: bytes,
    analysis: Analysis,
    *,
    target: Target,
    normalization: Mapping[str, Any],
    class_names: Sequence[str],
    layout: str,
    golden: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
) -> dict[str, str]:
    """The texts of NAME.h and NAME.cc, by file name, for the .tflite `data` that was analysed for `target`.

    normalization: offset and scale (one value, or one a channel) and source_dtype, as a data set has them.
    golden: one int8 input and the int8 output that it must give, for a test on the board. ModelError, in one
    sentence, when the name is none in C, the model is not int8 in and out, or the facts do not match it.
    """
    c_text.check_name(name)
    if layout not in ("image", "series"):
        raise ModelError(f'the layout is {layout!r}, wanted "image" or "series"')
    graph = read(data)
    source, result = _int8(graph, graph.inputs, "input"), _int8(graph, graph.outputs, "output")
    values = {
        **_model_values(name, data),
        **_tensor_values(source, "input"),
        **_tensor_values(result, "output"),
        **_class_values(class_names, result),
        **_operator_values(graph),
        **_normalization_values(normalization, source),
        "layout": layout,
        "status": analysis.arena_status,
        "arena_bytes": analysis.arena.minimum,
        "board": c_text.string(target.name),
        "kernels": target.kernels,
    }
    usage = c_templates.USAGE.format(**values)
    declared, defined = _golden(name, golden, source, result)
    return {
        f"{name}.h": c_templates.HEADER.format(**values, usage=usage, golden=declared),
        f"{name}.cc": c_templates.SOURCE.format(**values) + defined,
    }


def _model_values(name: str, data: bytes) -> dict[str, object]:
    from tinynas import __version__

    return {
        "name": name,
        "NAME": name.upper(),
        "version": __version__,
        "version_string": c_text.string(__version__),
        "length": len(data),
        "digest": hashlib.sha256(data).hexdigest(),
        "bytes": c_text.byte_array(data),
    }


def _int8(graph: Graph, indices: tuple[int, ...], what: str) -> Tensor:
    """The model's one input or output; ModelError unless it is int8 with one scale and of batch 1."""
    tensors = [graph.tensors[index] for index in indices]
    if len(tensors) != 1:
        raise ModelError(f"the model has {len(tensors)} {what}s, but C source is made for exactly one")
    (tensor,) = tensors
    if tensor.dtype != "INT8" or len(tensor.scales) != 1 or len(tensor.zero_points) != 1:
        raise ModelError(
            f"the model's {what} is {tensor.dtype} with {len(tensor.scales)} scales; "
            "wanted INT8 with one: convert it fully quantised, input and output included"
        )
    if tensor.shape[:1] != (1,) or not tensor.elements or not tensor.scales[0] > 0:
        raise ModelError(f"the model's {what} has shape {tensor.shape}; wanted a batch of one sample")
    return tensor


def _tensor_values(tensor: Tensor, what: str) -> dict[str, object]:
    return {
        f"{what}_rank": len(tensor.shape),
        f"{what}_shape": ", ".join(map(str, tensor.shape)),
        f"{what}_length": tensor.elements,
        f"{what}_scale": c_text.number(tensor.scales[0]),
        f"{what}_zero_point": tensor.zero_points[0],
    }


def _class_values(class_names: Sequence[str], result: Tensor) -> dict[str, object]:
    if len(class_names) != result.elements:
        raise ModelError(
            f"{len(class_names)} class names came for a model with {result.elements} outputs; give one each"
        )
    return {"n_classes": len(class_names), "class_names": c_text.array(map(c_text.string, class_names))}


def _operator_values(graph: Graph) -> dict[str, object]:
    """Calls that add the operators; those that see int8 alone get TFLM's smaller kernels."""
    wider = {
        operator.name
        for operator in graph.operators
        for index in (*operator.inputs[:2], *operator.outputs)
        if index >= 0 and graph.tensors[index].dtype != "INT8"
    }
    calls = c_text.resolver_calls((operator.name for operator in graph.operators), wider)
    text = " && \\\n   ".join(f"{call} == kTfLiteOk" for call in calls)
    return {"n_operators": len(calls), "calls": f"  ({text})"}


def _normalization_values(normalization: Mapping[str, Any], source: Tensor) -> dict[str, object]:
    offsets, scales = tuple(normalization["offset"]), tuple(normalization["scale"])
    channels, dtype = source.shape[-1], str(normalization["source_dtype"])
    if len(offsets) != len(scales) or len(offsets) not in (1, channels):
        raise ModelError(
            f"the normalisation has {len(offsets)} offsets and {len(scales)} scales, but the input has "
            f"{channels} channels; wanted one of each, or one a channel"
        )
    if not dtype.isalnum() or not dtype.isascii():
        raise ModelError(f"the normalisation's source_dtype is {dtype!r}, wanted a type's name such as 'uint8'")
    return {
        "channels": channels,
        "source_dtype": dtype,
        "per": "one pair for all channels" if len(offsets) == 1 else "a pair for each channel",
        "n_offsets": len(offsets),
        "offsets": c_text.array(map(c_text.number, offsets)),
        "scales": c_text.array(map(c_text.number, scales)),
    }


def _golden(
    name: str, golden: tuple[npt.ArrayLike, npt.ArrayLike] | None, source: Tensor, result: Tensor
) -> tuple[str, str]:
    """Declarations and definitions of the test sample; both empty without one."""
    if golden is None:
        return "", ""
    header, body = ["/* A test for the board: this input gives this output, to the last bit. */"], []
    for what, sample, tensor in zip(("input", "output"), golden, (source, result), strict=True):
        values = np.asarray(sample)
        if values.dtype != np.int8 or values.size != tensor.elements:
            raise ModelError(
                f"the golden {what} is {values.size} values of {values.dtype}, wanted {tensor.elements} int8"
            )
        declared = f"const int8_t {name}_golden_{what}[{values.size}]"
        header.append(f"extern {declared};")
        body.append(f"\n{declared} = {{\n{c_text.array(values.ravel().tolist())}\n}};\n")
    return "\n".join(header) + "\n", "".join(body)

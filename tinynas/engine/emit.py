"""From a layer in its place to C: the kernel that runs it, the values of its struct, and its constants.

One row a kernel: one function a class of layers, sizes in a const struct.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tinynas.engine import fast, streams
from tinynas.engine.library import KERNELS, Array, Call, Fields
from tinynas.engine.net import (
    Concatenation,
    Convolution,
    Depthwise,
    Gather,
    Layer,
    Lookup,
    Net,
    Pad,
    Pair,
    Pool,
    Reduce,
    Running,
    Scaling,
    Softmax,
    Window,
)
from tinynas.engine.plan import Place, Plan
from tinynas.engine.weights import (
    biases_with_shifts,
    folded_bias,
    has_wide_biases,
    in_quads,
    needs_stretches,
    stretches,
)

_EXP_CODE_BYTES = 300  # of exp.h


def calls(net: Net, plan: Plan) -> list[Call]:
    """The calls that run the net in its plan, in order."""
    return [call for index, layer in enumerate(net.layers) for call in layer_calls(net, plan, index, layer)]


def layer_calls(net: Net, plan: Plan, index: int, layer: Layer) -> list[Call]:
    """The calls of one layer: one, or for a concatenation one for each input that does not lie in place already."""
    names = kernels_of(net, plan, index, layer)
    return _CALLS[names[0]](net, plan, index, layer) if names else []


def kernels_of(net: Net, plan: Plan, index: int, layer: Layer) -> list[str]:
    """The kernel of each call of the layer, by its name in KERNELS."""
    spec = layer.spec
    if layer.foreign:
        return ["foreign"]
    if isinstance(spec, Convolution | Depthwise):
        return [_fast_kernel(plan, layer) if index in plan.scratch else layer.kind]
    if isinstance(spec, Pool):
        return ["average_pool" if spec.average else "max_pool"]
    if isinstance(spec, Pair):
        return [_PAIR_KERNELS.get(spec.pairing, "prelu")]
    if isinstance(spec, Reduce):
        return ["reduce_extreme" if spec.scaling is None else "mean"]
    if isinstance(spec, Running):
        return [_RUNNING_KERNELS[spec.running]]
    if isinstance(spec, Concatenation):
        return ["copy" for number in layer.inputs if number not in plan.parts]
    return [layer.kind]


def _fast_kernel(plan: Plan, layer: Layer) -> str:
    """A dense layer's last values are read four at a time, beyond their end where the memory goes on."""
    spec = fast.as_convolution(layer.spec)
    if spec is None:
        return "depthwise_rows"
    if not fast.is_dense(spec):
        return "blocked"
    return "dense" if plan.offsets[layer.inputs[0]] + 4 * fast.quads_of(spec) <= plan.bytes else "convolution"


def _call(name: str, fields: Fields, rows: int, index: int) -> Call:
    return Call(KERNELS[name].function, KERNELS[name].struct, fields, rows, index)


def _window_fields(
    plan: Plan, index: int, layer: Layer, w: Window, zero: int, scaling: Scaling | None, clamp: Any
) -> Fields:
    given, made = plan.place(layer.inputs[0], w.height), plan.place(layer.output, w.out_height)
    pixel = made.pixel_bytes or w.out_channels
    row = made.row_bytes or w.out_width * pixel
    return [
        given.offset, made.offset, row, pixel, given.rows, made.rows,
        w.height, w.width, w.channels, w.out_width, w.out_channels,
        w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.dilation_h, w.dilation_w, w.pad_top, w.pad_left,
        int(index in plan.backwards), zero, 0 if scaling is None else scaling.zero, clamp.low, clamp.high,
    ]  # fmt: skip


def _convolution(net: Net, plan: Plan, index: int, layer: Layer) -> list[Call]:
    spec = layer.spec if isinstance(layer.spec, Convolution) else fast.as_convolution(layer.spec)
    assert spec is not None
    window = _window_fields(plan, index, layer, spec.window, spec.zero, spec.scaling, spec.scaling.clamp)
    weights: Array = ("int8_t", in_quads(spec))
    biases: Array = ("int32_t", biases_with_shifts(folded_bias(spec), spec.scaling, has_wide_biases(net)))
    is_one = len(set(spec.scaling.multipliers.tolist())) == 1
    multipliers: Array = ("int32_t", spec.scaling.multipliers[: 1 if is_one else None])
    fields = [window, spec.groups, *stretches(spec), int(not is_one), weights, biases, multipliers]
    more = ("stretches.h",) if needs_stretches(spec) else ()
    return [replace(_call("convolution", fields, spec.window.out_height, index), more=more)]


def _dense(net: Net, plan: Plan, index: int, layer: Layer) -> list[Call]:
    spec = fast.as_convolution(layer.spec)
    assert spec is not None
    ends = [plan.offsets[layer.inputs[0]], plan.offsets[layer.output]]
    constants: Array = ("uint32_t", streams.dense_words(spec) & 0xFFFFFFFF)
    fields: Fields = [
        *ends, fast.quads_of(spec), len(spec.bias), spec.scaling.zero, *spec.scaling.clamp, constants,
    ]  # fmt: skip
    return [_call("dense", fields, 1, index)]


def _blocked(net: Net, plan: Plan, index: int, layer: Layer) -> list[Call]:
    spec = fast.as_convolution(layer.spec)
    assert spec is not None
    window = _window_fields(plan, index, layer, spec.window, spec.zero, spec.scaling, spec.scaling.clamp)
    constants: Array = ("uint32_t", streams.convolution_words(spec, index in plan.widened) & 0xFFFFFFFF)
    runs = fast.runs_of(spec)
    widening = [
        window,
        spec.groups,
        *runs,
        int(spec.groups == 1 and runs.times == 1),
        int(runs.in_quads),
        fast.words_of(spec),
        plan.scratch[index],
    ]
    fields: Fields = [widening, int(index in plan.widened), constants]
    more = ("wide_channels.h",) if index in plan.widened else ()
    return [replace(_call("blocked", fields, spec.window.out_height, index), more=more)]


def _depthwise(net: Net, plan: Plan, index: int, layer: Layer) -> list[Call]:
    spec: Depthwise = layer.spec  # type: ignore[assignment]
    window = _window_fields(plan, index, layer, spec.window, spec.zero, spec.scaling, spec.scaling.clamp)
    weights: Array = ("int8_t", spec.weights.astype(np.int64))
    biases: Array = ("int32_t", biases_with_shifts(spec.bias, spec.scaling, has_wide_biases(net)))
    fields: Fields = [window, weights, biases, ("int32_t", spec.scaling.multipliers)]
    return [_call("depthwise", fields, spec.window.out_height, index)]


def _depthwise_rows(net: Net, plan: Plan, index: int, layer: Layer) -> list[Call]:
    given: Depthwise = layer.spec  # type: ignore[assignment]
    spec = fast.wide_rows(given)
    window = _window_fields(plan, index, layer, spec.window, spec.zero, spec.scaling, spec.scaling.clamp)
    constants: Array = ("uint32_t", streams.depthwise_words(spec, index in plan.widened) & 0xFFFFFFFF)
    fields: Fields = [window, fast.columns_of(spec.window), plan.scratch[index], constants]
    return [_call("depthwise_rows", fields, spec.window.out_height, index)]


def foreign_function(index: int) -> str:
    """The name of the function that is to run a layer, {name} standing for the engine's."""
    return f"{{name}}_foreign_{index}"


def _foreign(net: Net, plan: Plan, index: int, layer: Layer) -> list[Call]:
    spec = layer.spec
    assert isinstance(spec, Convolution | Depthwise)
    w, scaling = spec.window, spec.scaling
    groups = spec.groups if isinstance(spec, Convolution) else w.channels
    convolution: Fields = [
        w.height, w.width, w.channels, w.out_height, w.out_width, w.out_channels, w.kernel_h, w.kernel_w,
        w.stride_h, w.stride_w, w.dilation_h, w.dilation_w, w.pad_top, w.pad_left, groups,
        spec.zero, scaling.zero, scaling.clamp.low, scaling.clamp.high, ("int8_t", spec.weights.astype(np.int64)),
        ("int32_t", spec.bias), ("int32_t", scaling.multipliers), ("int32_t", scaling.shifts),
    ]  # fmt: skip
    ends = [plan.offsets[layer.inputs[0]], plan.offsets[layer.output]]
    return [_call("foreign", [convolution, *ends, foreign_function(index)], w.out_height, index)]


def _pool(net: Net, plan: Plan, index: int, layer: Layer) -> list[Call]:
    spec: Pool = layer.spec  # type: ignore[assignment]
    fields = _window_fields(plan, index, layer, spec.window, 0, None, spec.clamp)
    return [_call("average_pool" if spec.average else "max_pool", fields, spec.window.out_height, index)]


_PAIR_KERNELS = {"ADD": "sum", "SUB": "sum", "MUL": "product", "MAXIMUM": "extreme", "MINIMUM": "extreme"}


def _pair(net: Net, plan: Plan, index: int, layer: Layer) -> list[Call]:
    spec: Pair = layer.spec  # type: ignore[assignment]
    name = _PAIR_KERNELS.get(spec.pairing, "prelu")
    made = plan.place(layer.output, spec.shape[1])
    sizes, steps = pair_loops(spec, joined=not made.pixel_bytes)
    raw = name == "extreme"
    numbers = iter(layer.inputs)
    operands: Fields = []
    for position, constant in enumerate(spec.constants):
        place = Place(0, sizes[0]) if constant is not None else plan.place(next(numbers), sizes[0])
        row, middle, inner = steps[position]
        pointer: object = None if constant is None else ("int8_t", constant.astype(np.int64))
        zero = 0 if raw else spec.zeros[position]
        operands.append([pointer, place.offset, place.rows, row, middle, inner, zero])
    pixel = made.pixel_bytes or sizes[2]
    factors: Fields = [[m, e if m else -1] for m, e in (*spec.factors, *[(0, -1)] * 3)[:3]]
    sign = -1 if spec.pairing in ("SUB", "MINIMUM") else 1
    zero = 0 if raw else spec.zero
    quick = fast.quick_sum(spec) if name == "sum" else 0
    if quick and spec.factors[0] != fast.HALF:
        operands.reverse()
        factors[:2] = factors[1::-1]
    fields: Fields = [
        operands, made.offset, made.row_bytes or sizes[1] * pixel, pixel, made.rows, sizes[1], sizes[2],
        zero, spec.clamp.low, spec.clamp.high, sign, quick, factors,
    ]  # fmt: skip
    return [_call(name, fields, sizes[0], index)]


def pair_loops(
    spec: Pair, joined: bool
) -> tuple[tuple[int, int, int], tuple[tuple[int, int, int], tuple[int, int, int]]]:
    """Rows, middle and inner sizes of the loops over a pair, and the steps of each operand in bytes."""
    _, height, width, channels = spec.shape
    steps = []
    for shape in spec.shapes:
        _, h, w, c = shape
        steps.append((w * c if h > 1 else 0, c if w > 1 else 0, 1 if c > 1 else 0))
    if joined and all(shape == spec.shape for shape in spec.shapes):
        return (height, 1, width * channels), ((width * channels, 0, 1), (width * channels, 0, 1))
    return (height, width, channels), (steps[0], steps[1])


def _lookup(net: Net, plan: Plan, index: int, layer: Layer) -> list[Call]:
    spec: Lookup = layer.spec  # type: ignore[assignment]
    shape = net.values[layer.output].shape
    rows = shape[0] if len(shape) == 3 else 1
    per_row = net.values[layer.output].bytes // rows
    given, made = plan.place(layer.inputs[0], rows), plan.place(layer.output, rows)
    inner = shape[-1] if made.pixel_bytes else per_row
    pixel = made.pixel_bytes or per_row
    table: Array = ("int8_t", spec.table.astype(np.int64))
    fields: Fields = [
        table, given.offset, made.offset, per_row, made.row_bytes or per_row // inner * pixel, given.rows, made.rows,
        per_row // inner, inner, pixel,
    ]  # fmt: skip
    return [_call("lookup", fields, rows, index)]


def computes_exp(plan: Plan, spec: Softmax) -> bool:
    """Whether exp is code: it takes less Flash than a great table, and more instructions."""
    return not plan.quick and 4 * len(spec.exps) > _EXP_CODE_BYTES and spec.step.shift >= 0


def _softmax(net: Net, plan: Plan, index: int, layer: Layer) -> list[Call]:
    spec: Softmax = layer.spec  # type: ignore[assignment]
    computed = computes_exp(plan, spec)
    exps: object = None if computed else ("int32_t", spec.exps)
    ends = [plan.offsets[layer.inputs[0]], plan.offsets[layer.output]]
    fields: Fields = [exps, *spec.step, len(spec.exps), *ends, spec.classes]
    return [replace(_call("softmax", fields, spec.rows, index), more=("exp.h",) if computed else ())]


def _reduce(net: Net, plan: Plan, index: int, layer: Layer) -> list[Call]:
    spec: Reduce = layer.spec  # type: ignore[assignment]
    ends = [plan.offsets[layer.inputs[0]], plan.offsets[layer.output]]
    loops = [list(spec.kept.sizes), list(spec.reduced.sizes), list(spec.kept.strides), list(spec.reduced.strides)]
    if spec.scaling is None:
        sign = 1 if spec.reduction == "MAX" else -1
        return [_call("reduce_extreme", [*ends, *loops, 0, sign, 0, [0, -1]], 1, index)]
    count = spec.reduced.sizes[0] * spec.reduced.sizes[1]
    multiplier, shift = int(spec.scaling.multipliers[0]), int(spec.scaling.shifts[0])
    factor = [multiplier, shift if multiplier else -1]
    return [_call("mean", [*ends, *loops, spec.scaling.zero, 1, -spec.zero * count, factor], 1, index)]


def _running(net: Net, plan: Plan, index: int, layer: Layer) -> list[Call]:
    spec: Running = layer.spec  # type: ignore[assignment]
    given = plan.place(layer.inputs[0], spec.rows)
    pixels = spec.rows * spec.width
    multiplier, shift, start, zero = 0, -1, 0, 0
    if spec.scaling is not None:
        multiplier, zero, start = int(spec.scaling.multipliers[0]), spec.scaling.zero, -spec.zero * pixels
        shift = int(spec.scaling.shifts[0]) if multiplier else -1
    clamp = spec.clamp if spec.scaling is None else spec.scaling.clamp
    fields: Fields = [
        given.offset, plan.offsets[layer.output], plan.scratch.get(index, 0), given.rows, spec.rows, spec.width,
        spec.channels, zero, clamp.low, clamp.high, -1 if spec.running == "MIN" else 1, start, pixels,
        [multiplier, shift],
    ]  # fmt: skip
    return [_call(_RUNNING_KERNELS[spec.running], fields, spec.rows, index)]


_RUNNING_KERNELS = {
    "MEAN": "running_mean",
    "AVERAGE": "running_average",
    "MAX": "running_extreme",
    "MIN": "running_extreme",
}


def _gather(net: Net, plan: Plan, index: int, layer: Layer) -> list[Call]:
    spec: Gather = layer.spec  # type: ignore[assignment]
    fields: Fields = [
        plan.offsets[layer.inputs[0]] + spec.start, plan.offsets[layer.output], list(spec.sizes), list(spec.strides),
    ]  # fmt: skip
    return [_call("gather", fields, 1, index)]


def _pad(net: Net, plan: Plan, index: int, layer: Layer) -> list[Call]:
    spec: Pad = layer.spec  # type: ignore[assignment]
    ends = [plan.offsets[layer.inputs[0]], plan.offsets[layer.output]]
    return [_call("pad", [*ends, list(spec.shape), list(spec.before), list(spec.out_shape), spec.fill], 1, index)]


def _concatenation(net: Net, plan: Plan, index: int, layer: Layer) -> list[Call]:
    spec: Concatenation = layer.spec  # type: ignore[assignment]
    whole, start, found = sum(spec.parts), plan.offsets[layer.output], []
    for number, size in zip(layer.inputs, spec.parts, strict=True):
        if number not in plan.parts:
            fields: Fields = [plan.offsets[number], start, spec.outer, size, whole]
            found.append(_call("copy", fields, 1, index))
        start += size
    return found


_CALLS: Mapping[str, Callable[[Net, Plan, int, Layer], list[Call]]] = {
    "convolution": _convolution,
    "blocked": _blocked,
    "dense": _dense,
    "depthwise": _depthwise,
    "depthwise_rows": _depthwise_rows,
    "average_pool": _pool,
    "max_pool": _pool,
    **dict.fromkeys((*_PAIR_KERNELS.values(), "prelu"), _pair),
    "lookup": _lookup,
    "softmax": _softmax,
    "mean": _reduce,
    "reduce_extreme": _reduce,
    **dict.fromkeys(_RUNNING_KERNELS.values(), _running),
    "gather": _gather,
    "pad": _pad,
    "copy": _concatenation,
    "foreign": _foreign,
}

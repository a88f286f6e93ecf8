"""How many instructions an inference takes on a Cortex-M4: the turns of each kernel's loops, times what a turn costs.

What a turn costs is measured: `tools/measure_instructions.py` runs models on an emulated board and solves for it. One
row a kernel; a row's counts are those of its loops, from the innermost outwards, by the several ways through them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from tinynas.engine import fast
from tinynas.engine.emit import computes_exp, kernels_of
from tinynas.engine.figures import measured
from tinynas.engine.library import KERNELS
from tinynas.engine.net import Convolution, Depthwise, Layer, Net, Pair, Window
from tinynas.engine.plan import Plan
from tinynas.engine.schedule import rows_of
from tinynas.engine.weights import stretches

Counts = tuple[int, ...]


class Work(NamedTuple):
    """One call: its kernel, and how often each loop of it turns."""

    kernel: str
    counts: Counts


def instructions(net: Net, plan: Plan) -> int:
    """Instructions of an inference, by the compiler that `measured()` names; those of another library's layers are not
    known, and not in it."""
    return round(sum(cost_of(work) for work in works(net, plan)))


def cost_of(work: Work) -> float:
    """Instructions of one call."""
    costs: list[float] = measured()["instructions"][work.kernel]
    return sum(cost * count for cost, count in zip(costs, work.counts, strict=True))


def works(net: Net, plan: Plan) -> list[Work]:
    """The work of every call, in order."""
    found = []
    for index, layer in enumerate(net.layers):
        for name in kernels_of(net, plan, index, layer):
            counts = _COUNTS[name](net, plan, index, layer)
            stages = plan.streamed if index < plan.streamed else 0
            found.append(Work(KERNELS[name].function, (*counts, rows_of(net, layer) * stages, bool(stages), 1)))
    return found


class _Taps(NamedTuple):
    """Pixels, those whose window lies inside the map, and the taps inside the map of all: their number, and rows."""

    pixels: int
    whole: int
    taps: int
    rows: int


@lru_cache(maxsize=4096)
def _along(size: int, out: int, kernel: int, stride: int, dilation: int, pad: int) -> tuple[int, int]:
    """(windows inside, taps inside of all windows) along one axis."""
    whole = taps = 0
    for place in range(out):
        start = place * stride - pad
        first = -(start // dilation) if start < 0 else 0
        end = min(kernel, -(-(size - start) // dilation))
        whole += first == 0 and end == kernel
        taps += max(0, end - first)
    return whole, taps


def _taps(w: Window) -> _Taps:
    whole_h, taps_h = _along(w.height, w.out_height, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top)
    whole_w, taps_w = _along(w.width, w.out_width, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left)
    return _Taps(w.out_height * w.out_width, whole_h * whole_w, taps_h * taps_w, taps_h * w.out_width)


def _convolution(net: Net, plan: Plan, index: int, layer: Layer) -> Counts:
    """Of four filters at once, and of one: columns by four, columns left over, stretches, pixels; gathered windows."""
    given = layer.spec
    spec: Convolution = given if isinstance(given, Convolution) else fast.as_convolution(given)  # type: ignore[assignment]
    w, lies = spec.window, stretches(spec)
    taps = _taps(w)
    per_group = w.out_channels // spec.groups
    fours, ones = spec.groups * (per_group // 4), spec.groups * (per_group % 4)
    joined, rows = lies.run * lies.runs, 1 if lies.tall else w.kernel_h
    near = taps.pixels if lies.gathered else taps.whole if lies.joined else 0  # pixels whose rows are one stretch each
    apart = taps.pixels - near
    quads = near * rows * (joined // 4) + apart * w.kernel_h * lies.runs * (lies.run // 4)
    rest = near * rows * (joined % 4) + apart * w.kernel_h * lies.runs * (lies.run % 4)
    border = taps.pixels - taps.whole if lies.gathered else 0
    return (
        fours * quads,
        fours * rest,
        ones * quads,
        ones * rest,
        fours * near * rows,
        ones * near * rows,
        (fours + ones) * apart * w.kernel_h * lies.runs,
        (fours + ones) * apart * w.kernel_h,
        fours * taps.pixels,
        ones * taps.pixels,
        border * spec.weights[0].size,
        border * w.kernel_h,
        border,
        taps.pixels,
        w.out_height,
    )


def _depthwise(net: Net, plan: Plan, index: int, layer: Layer) -> Counts:
    w = layer.spec.window  # type: ignore[union-attr]
    taps = _taps(w)
    fours = w.out_channels // 4 if w.out_channels == w.channels else 0
    ones = w.out_channels - 4 * fours
    return (
        fours * taps.taps, ones * taps.taps, fours * taps.rows, ones * taps.rows, fours * taps.pixels,
        ones * taps.pixels, taps.pixels - taps.whole, taps.pixels, w.out_height,
    )  # fmt: skip


def _blocked(net: Net, plan: Plan, index: int, layer: Layer) -> Counts:
    """Words of a block by two channels; widened values of whole windows, and of those that are gathered."""
    spec = fast.as_convolution(layer.spec)
    assert spec is not None
    w, runs, taps, is_wide = spec.window, fast.runs_of(spec), _taps(spec.window), index in plan.widened
    per_group = w.out_channels // spec.groups
    twos = spec.groups * -(-per_group // 2)
    blocks, words = -(-taps.pixels // fast.BLOCK), fast.words_of(spec)
    is_simple = spec.groups == 1 and runs.times == 1
    whole = taps.whole if is_simple and layer.inputs[0] not in plan.rings else taps.whole * is_simple
    other, words_of_run = taps.pixels - whole, -(-runs.length // 2)
    quads = runs.length // 4 if runs.in_quads else 0
    pairs = 0 if runs.in_quads else words_of_run
    times = w.kernel_h * runs.times * spec.groups
    return (
        blocks * twos * words * (not is_wide),
        blocks * twos * words * is_wide,
        blocks * twos,
        blocks * spec.groups,
        whole * w.kernel_h * quads,
        whole * w.kernel_h * pairs,
        whole * w.kernel_h,
        other * times * quads,
        other * times * pairs,
        other * times,
        other * w.kernel_h * spec.weights[0].size // w.kernel_h,
        other * spec.groups,
        taps.pixels,
        w.out_height,
        _limited(spec, taps.pixels * w.out_channels),
    )


def _limited(spec: Any, values: int) -> int:
    """Values that an activation limits further than int8 does."""
    low, high = spec.clamp if hasattr(spec, "clamp") else spec.scaling.clamp
    return values if low > -128 or high < 127 else 0


def _dense(net: Net, plan: Plan, index: int, layer: Layer) -> Counts:
    spec = fast.as_convolution(layer.spec)
    assert spec is not None
    quads, channels = fast.quads_of(spec), len(spec.bias)
    left = channels % 4
    fours, twos = channels // 4 + (left == 3), int(left in (1, 2))
    return fours * quads, twos * quads, fours, twos, _limited(spec, channels)


def _depthwise_rows(net: Net, plan: Plan, index: int, layer: Layer) -> Counts:
    """Taps and rows of two pixels at once, four channels; columns that are widened."""
    given: Depthwise = layer.spec  # type: ignore[assignment]
    spec = fast.wide_rows(given)
    w, is_wide = spec.window, index in plan.widened
    columns = fast.columns_of(w)
    by_two = w.stride_w <= 2
    parts = -(-w.out_width // columns)
    last = w.out_width - (parts - 1) * columns
    turns = sum((count + 1) // 2 if by_two else count for count in (*[columns] * (parts - 1), last))
    fours, made = -(-w.out_channels // 4), w.out_height * turns
    wide = (columns - 1) * w.stride_w + w.reach_w
    fresh = min(w.reach_h, w.stride_h) if w.reach_h > w.stride_h else w.reach_h
    widened = (w.reach_h + (w.out_height - 1) * fresh) * parts
    grouped = w.out_channels == w.channels and w.out_channels % 4 == 0
    taps = w.kernel_h * w.kernel_w
    return (
        made * fours * taps * (not is_wide),
        made * fours * taps * is_wide,
        made * fours * w.kernel_h,
        made * fours,
        widened * fours * wide * grouped,
        widened * fours * wide * (not grouped),
        widened * fours,
        widened,
        w.out_height * parts * fours,
        w.out_height * w.kernel_h,
        w.out_height * parts,
        _limited(spec, w.out_height * w.out_width * w.out_channels),
    )


def _pool(net: Net, plan: Plan, index: int, layer: Layer) -> Counts:
    spec = layer.spec
    w = spec.window  # type: ignore[union-attr]
    taps = _taps(w)
    reads_on = layer.inputs[0] not in plan.rings
    fours = -(-w.channels // 4) if reads_on else w.channels // 4
    ones = 0 if reads_on else w.channels % 4
    return (
        fours * taps.taps, ones * taps.taps, fours * taps.rows, ones * taps.rows, fours * taps.pixels,
        ones * taps.pixels, taps.pixels, w.out_height, _limited(spec, taps.pixels * w.channels),
    )  # fmt: skip


def _pair(net: Net, plan: Plan, index: int, layer: Layer) -> Counts:
    spec: Pair = layer.spec  # type: ignore[assignment]
    _, height, width, channels = spec.shape
    whole = all(shape == spec.shape for shape in spec.shapes)
    quick = whole and bool(fast.quick_sum(spec)) and spec.pairing == "ADD"
    elements = height * width * channels
    return (
        elements * (not quick), elements * quick, 0 if whole else height * width, height,
        _limited(spec, elements) * quick,
    )  # fmt: skip


def _lookup(net: Net, plan: Plan, index: int, layer: Layer) -> Counts:
    rows = rows_of(net, layer)
    return net.values[layer.output].bytes, rows


def _softmax(net: Net, plan: Plan, index: int, layer: Layer) -> Counts:
    spec: Any = layer.spec
    computed = computes_exp(plan, spec)
    return spec.rows * spec.classes * (not computed), spec.rows * spec.classes * computed, spec.rows


def _reduce(net: Net, plan: Plan, index: int, layer: Layer) -> Counts:
    spec: Any = layer.spec
    kept = spec.kept.sizes[0] * spec.kept.sizes[1]
    return kept * spec.reduced.sizes[0] * spec.reduced.sizes[1], kept * spec.reduced.sizes[0], kept


def _running(net: Net, plan: Plan, index: int, layer: Layer) -> Counts:
    spec: Any = layer.spec
    return spec.rows * spec.width * spec.channels, spec.rows * spec.width, spec.channels, spec.rows


def _gather(net: Net, plan: Plan, index: int, layer: Layer) -> Counts:
    sizes = layer.spec.sizes  # type: ignore[union-attr]
    inner = sizes[0] * sizes[1] * sizes[2]
    return inner * sizes[3], inner, sizes[0] * sizes[1]


def _pad(net: Net, plan: Plan, index: int, layer: Layer) -> Counts:
    spec: Any = layer.spec
    height, width, channels = spec.out_shape
    return height * width * channels, height * width, height


def _concatenation(net: Net, plan: Plan, index: int, layer: Layer) -> Counts:
    spec: Any = layer.spec
    copied = [size for number, size in zip(layer.inputs, spec.parts, strict=True) if number not in plan.parts]
    return spec.outer * sum(copied) // len(copied), spec.outer


def _foreign(net: Net, plan: Plan, index: int, layer: Layer) -> Counts:
    return ()


_COUNTS: Mapping[str, Callable[[Net, Plan, int, Layer], Counts]] = {
    "convolution": _convolution,
    "blocked": _blocked,
    "dense": _dense,
    "depthwise": _depthwise,
    "depthwise_rows": _depthwise_rows,
    "average_pool": _pool,
    "max_pool": _pool,
    "sum": _pair,
    "product": _pair,
    "extreme": _pair,
    "prelu": _pair,
    "lookup": _lookup,
    "softmax": _softmax,
    "mean": _reduce,
    "reduce_extreme": _reduce,
    "running_mean": _running,
    "running_average": _running,
    "running_extreme": _running,
    "gather": _gather,
    "pad": _pad,
    "copy": _concatenation,
    "foreign": _foreign,
}

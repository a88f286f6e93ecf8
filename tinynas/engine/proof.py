"""A plan held against every read and write of every layer, byte by byte: it shares nothing with what made the plan.

The memory is simulated by who owns each byte: a value and its element. A layer's reads must find the elements that they
are for, and no write of the same layer may come before the last read of what it destroys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from tinynas.engine.fast import scratch_bytes
from tinynas.engine.net import (
    Axes,
    Concatenation,
    Convolution,
    Depthwise,
    Gather,
    Ints,
    Layer,
    Lookup,
    Net,
    Pad,
    Pair,
    Pool,
    Reduce,
    Running,
    Softmax,
    Window,
)
from tinynas.engine.plan import Plan
from tinynas.engine.schedule import Run, schedule
from tinynas.errors import ModelError


class Trace(NamedTuple):
    """What one run of a layer touches: for each input the elements read and when each is read last; the elements
    written and when. A read and a write at one time are in this order."""

    reads: tuple[tuple[Ints, Ints], ...]
    writes: tuple[Ints, Ints]


def prove(net: Net, plan: Plan, keep_input: bool = False) -> None:
    """ModelError, naming layer and byte, unless every read of every layer finds what it is for under `plan`."""
    memory = _Memory(net, plan)
    memory.own(net.input, np.arange(net.values[net.input].bytes), "the input")
    for run in schedule(net, plan):
        layer = net.layers[run.layer]
        trace = _TRACES[layer.kind](layer.spec, run, run.layer in plan.backwards)
        who = f"layer {run.layer} ({layer.kind})"
        if isinstance(layer.spec, Concatenation):
            memory.check_parts(layer, trace, who)
        if run.layer in plan.scratch and not isinstance(layer.spec, Running):
            memory.use_scratch(run.layer, scratch_bytes(layer), True, who)
        memory.step(layer, trace, who)
        if run.layer in plan.scratch and isinstance(layer.spec, Running):
            memory.use_scratch(run.layer, layer.spec.scratch_bytes, run.first == 0, who)
        elif run.layer in plan.scratch:
            memory.use_scratch(run.layer, scratch_bytes(layer), False, who)
    memory.check(net.output, np.arange(net.values[net.output].bytes), "the output")
    if keep_input:
        memory.check(net.input, np.arange(net.values[net.input].bytes), "the input, which is to be kept,")


class _Memory:
    """Who owns each byte: `value` and `element`, -1 for nobody."""

    def __init__(self, net: Net, plan: Plan) -> None:
        self.net, self.plan = net, plan
        self.value = np.full(plan.bytes, -1, np.int64)
        self.element = np.full(plan.bytes, -1, np.int64)

    def addresses(self, number: int, elements: Ints) -> Ints:
        """Where the elements of a value lie."""
        value, offset = self.net.values[number], self.plan.offsets[number]
        part, ring = self.plan.parts.get(number), self.plan.rings.get(number)
        if part is not None and part.pixel_bytes:
            channels = value.shape[-1]
            return offset + elements // channels * part.pixel_bytes + elements % channels
        if part is not None and part.row_bytes:
            row = value.bytes // value.shape[0]
            return offset + elements // row * part.row_bytes + elements % row
        if ring is not None:
            row = value.bytes // value.shape[0]
            return offset + elements // row % ring * row + elements % row
        return offset + elements

    def own(self, number: int, elements: Ints, who: str) -> None:
        """Give the elements' bytes to them; ModelError outside the memory."""
        at = self._inside(number, elements, who)
        self.value[at], self.element[at] = number, elements

    def check(self, number: int, elements: Ints, who: str) -> None:
        """ModelError unless the elements are where they belong."""
        at = self._inside(number, elements, who)
        wrong = (self.value[at] != number) | (self.element[at] != elements)
        if wrong.any():
            which = int(np.flatnonzero(wrong)[0])
            raise ModelError(
                f"{who} needs element {elements[which]} of value {number} at byte {at[which]}, which holds element "
                f"{self.element[at[which]]} of value {self.value[at[which]]}: the engine's plan is wrong; please "
                "report the model"
            )

    def step(self, layer: Layer, trace: Trace, who: str) -> None:
        """One run of a layer: its reads, held against its own writes, then its writes."""
        elements, times = trace.writes
        written = np.full(self.plan.bytes, np.iinfo(np.int64).max)
        np.minimum.at(written, self._inside(layer.output, elements, who), times)
        for number, (read, last) in zip(layer.inputs, trace.reads, strict=True):
            self.check(number, read, who)
            at = self.addresses(number, read)
            early = written[at] < last
            if early.any():
                which = int(np.flatnonzero(early)[0])
                raise ModelError(
                    f"{who} writes over byte {at[which]} before it has read element {read[which]} of value {number} "
                    "there: the engine's plan is wrong; please report the model"
                )
        order = np.argsort(times, kind="stable")
        self.own(layer.output, elements[order], who)

    def use_scratch(self, layer: int, size: int, is_first: bool, who: str) -> None:
        """What a layer keeps beside its values: ModelError where something else has come upon it."""
        at, mark = self.plan.scratch[layer] + np.arange(size), -2 - layer
        if at.size and at.max() >= self.plan.bytes:
            raise ModelError(
                f"{who} leaves the {self.plan.bytes} bytes of the engine's memory; please report the model"
            )
        if not is_first and (self.value[at] != mark).any():
            raise ModelError(f"{who} has lost what it keeps: the engine's plan is wrong; please report the model")
        self.value[at], self.element[at] = mark, np.arange(size)

    def check_parts(self, layer: Layer, trace: Trace, who: str) -> None:
        """ModelError unless the inputs of a concatenation that no code copies lie in its output already."""
        start = 0
        for number, (elements, _) in zip(layer.inputs, trace.reads, strict=True):
            places = trace.writes[0][start : start + len(elements)]
            start += len(elements)
            if (
                number in self.plan.parts
                and (self.addresses(number, elements) != self.addresses(layer.output, places)).any()
            ):
                raise ModelError(f"{who}: value {number} does not lie where it belongs; please report the model")

    def _inside(self, number: int, elements: Ints, who: str) -> Ints:
        at = self.addresses(number, elements)
        if at.size and not (at.min() >= 0 and at.max() < self.plan.bytes):
            raise ModelError(
                f"{who} leaves the {self.plan.bytes} bytes of the engine's memory; please report the model"
            )
        return at


def _pixels(w: Window, run: Run, backwards: bool) -> Ints:
    """The output pixels (row, column) in the order in which they are made."""
    rows, columns = np.arange(run.first, run.end), np.arange(w.out_width)
    if backwards:
        rows, columns = rows[::-1], columns[::-1]
    grid = np.stack(np.meshgrid(rows, columns, indexing="ij"), -1)
    pixels: Ints = grid.reshape(-1, 2).astype(np.int64)
    return pixels


def _taps(w: Window, pixels: Ints) -> tuple[Ints, Ints]:
    """(pixel's number in time, input pixel) of all taps inside the map."""
    down = pixels[:, 0, None] * w.stride_h - w.pad_top + np.arange(w.kernel_h) * w.dilation_h
    right = pixels[:, 1, None] * w.stride_w - w.pad_left + np.arange(w.kernel_w) * w.dilation_w
    inside = ((down >= 0) & (down < w.height))[:, :, None] & ((right >= 0) & (right < w.width))[:, None, :]
    when, tap_row, tap_column = np.nonzero(inside)
    return when, down[when, tap_row] * w.width + right[when, tap_column]


def _written(w: Window, pixels: Ints) -> tuple[Ints, Ints]:
    """Elements written, channel after channel of each pixel, and when: a tick a channel."""
    at = (pixels[:, 0] * w.out_width + pixels[:, 1]) * w.out_channels
    elements = (at[:, None] + np.arange(w.out_channels)).reshape(-1)
    return elements, np.arange(len(elements))


def _whole_window(w: Window, run: Run, backwards: bool) -> Trace:
    """Every channel of every tap is read for every output channel, the last one too."""
    pixels = _pixels(w, run, backwards)
    when, taps = _taps(w, pixels)
    elements = (taps[:, None] * w.channels + np.arange(w.channels)).reshape(-1)
    times = np.repeat((when + 1) * w.out_channels - 1, w.channels)
    return Trace(((elements, times),), _written(w, pixels))


def _own_channel(w: Window, run: Run, backwards: bool) -> Trace:
    """Output channel c reads channel c // multiplier alone, before it is written."""
    pixels = _pixels(w, run, backwards)
    when, taps = _taps(w, pixels)
    outs = np.arange(w.out_channels)
    elements = (taps[:, None] * w.channels + outs // (w.out_channels // w.channels)).reshape(-1)
    times = (when[:, None] * w.out_channels + outs).reshape(-1)
    return Trace(((elements, times),), _written(w, pixels))


def _convolution(spec: Convolution, run: Run, backwards: bool) -> Trace:
    return _whole_window(spec.window, run, backwards)


def _by_channel(spec: Depthwise | Pool, run: Run, backwards: bool) -> Trace:
    return _own_channel(spec.window, run, backwards)


def _one_by_one(elements: Ints, reads: list[Ints]) -> Trace:
    """Element k of the output is made of element reads[k], one after the other."""
    times = np.arange(len(elements))
    return Trace(tuple((read, times) for read in reads), (elements, times))


def _pair(spec: Pair, run: Run, backwards: bool) -> Trace:
    _, height, width, channels = spec.shape
    elements = np.arange(run.first * width * channels, run.end * width * channels)
    places = np.unravel_index(elements, (height, width, channels))
    reads = []
    for shape, constant in zip(spec.shapes, spec.constants, strict=True):
        if constant is None:
            sides = [np.minimum(place, size - 1) for place, size in zip(places, shape[1:], strict=True)]
            reads.append(np.ravel_multi_index(sides, shape[1:]).astype(np.int64))
    return _one_by_one(elements, reads)


def _lookup(spec: Lookup, run: Run, backwards: bool) -> Trace:
    elements = np.arange(run.first * run.row_bytes, run.end * run.row_bytes)
    return _one_by_one(elements, [elements])


def _softmax(spec: Softmax, run: Run, backwards: bool) -> Trace:
    """Three passes a row; the last one reads an element and writes it."""
    elements = np.arange(spec.rows * spec.classes)
    return _one_by_one(elements, [elements])


def _offsets(axes: Axes) -> Ints:
    outer, inner = (np.arange(size) * stride for size, stride in zip(axes.sizes, axes.strides, strict=True))
    offsets: Ints = (outer[:, None] + inner).reshape(-1)
    return offsets


def _reduce(spec: Reduce, run: Run, backwards: bool) -> Trace:
    kept, reduced = _offsets(spec.kept), _offsets(spec.reduced)
    times = np.arange(len(kept))
    reads = (kept[:, None] + reduced).reshape(-1)
    return Trace(((reads, np.repeat(times, len(reduced))),), (times, times))


def _running(spec: Running, run: Run, backwards: bool) -> Trace:
    """A mean is written once the last row has been read; the greatest is kept in its place from the first row on."""
    row = spec.width * spec.channels
    reads, outs = np.arange(run.first * row, run.end * row), np.arange(spec.channels)
    if spec.scratch_bytes:
        outs = outs[: spec.channels if run.end == spec.rows else 0]
        return Trace(((reads, np.zeros_like(reads)),), (outs, np.ones_like(outs)))
    return Trace(((reads, np.ones_like(reads)),), (outs, np.zeros_like(outs)))


def _gather(spec: Gather, run: Run, backwards: bool) -> Trace:
    places = np.indices(spec.sizes).reshape(4, -1)
    reads = spec.start + (places * np.array(spec.strides)[:, None]).sum(0)
    return _one_by_one(np.arange(reads.size), [reads])


def _pad(spec: Pad, run: Run, backwards: bool) -> Trace:
    total = int(np.prod(spec.out_shape))
    inside = np.ones(spec.out_shape, bool)
    for axis, (before, size) in enumerate(zip(spec.before, spec.shape, strict=True)):
        places = np.arange(spec.out_shape[axis])
        within = (places >= before) & (places < before + size)
        inside &= within.reshape([-1 if each == axis else 1 for each in range(3)])
    times = np.flatnonzero(inside.reshape(-1))
    return Trace(((np.arange(len(times)), times),), (np.arange(total), np.arange(total)))


def _concatenation(spec: Concatenation, run: Run, backwards: bool) -> Trace:
    """Input after input. One that lies in place already is taken for a copy upon itself."""
    start, reads, writes = 0, [], []
    for size in spec.parts:
        elements = np.arange(spec.outer * size)
        writes.append(elements // size * sum(spec.parts) + start + elements % size)
        reads.append(elements)
        start += size
    ticks = np.cumsum([0, *(len(read) for read in reads)])
    timed = tuple((read, tick + read) for read, tick in zip(reads, ticks[:-1], strict=True))
    return Trace(timed, (np.concatenate(writes), np.arange(ticks[-1])))


_TRACES: Mapping[str, Callable[[Any, Run, bool], Trace]] = {
    "convolution": _convolution,
    "depthwise": _by_channel,
    "pool": _by_channel,
    "pair": _pair,
    "lookup": _lookup,
    "softmax": _softmax,
    "reduce": _reduce,
    "running": _running,
    "gather": _gather,
    "pad": _pad,
    "concatenation": _concatenation,
}

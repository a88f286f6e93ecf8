"""In which order the layers run, and over which rows: one after the other, or row by row where values are rings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tinynas.engine.net import Layer, Lookup, Net, Pair, Running
from tinynas.engine.plan import Plan


class Run(NamedTuple):
    """One call: the output rows first .. end - 1 of a layer, of so many bytes each."""

    layer: int
    first: int
    end: int
    row_bytes: int


class Stage(NamedTuple):
    """A layer that runs row by row: for its row r it needs the rows before r * stride - pad + reach of its inputs.

    `rows` are made in all, of inputs of `in_rows`. `sources` are the stages that make the inputs, -1 the net's input.
    """

    rows: int
    in_rows: int
    reach: int
    stride: int
    pad: int
    sources: tuple[int, ...]

    def needs(self, row: int) -> int:
        """How many rows of its inputs must be there for the output row `row`."""
        return min(self.in_rows, row * self.stride - self.pad + self.reach)

    def spares(self, row: int) -> int:
        """How many first rows of its inputs the output row `row` and later ones do without."""
        return self.in_rows if row >= self.rows else max(0, row * self.stride - self.pad)


def rows_of(net: Net, layer: Layer) -> int:
    """Output rows that the layer's kernel counts; of a running result the input's."""
    spec = layer.spec
    window = getattr(spec, "window", None)
    if window is not None:
        return int(window.out_height)
    if isinstance(spec, Running):
        return spec.rows
    if isinstance(spec, Pair):
        return spec.shape[1]
    shape = net.values[layer.output].shape
    return shape[0] if isinstance(spec, Lookup) and len(shape) == 3 else 1


def stages_of(net: Net, n_layers: int) -> list[Stage]:
    """The first `n_layers` as stages."""
    makers = {layer.output: index for index, layer in enumerate(net.layers[:n_layers])}
    found = []
    for layer in net.layers[:n_layers]:
        sources = tuple(makers.get(number, -1) for number in layer.inputs)
        window = getattr(layer.spec, "window", None)
        if window is not None:
            found.append(
                Stage(window.out_height, window.height, window.reach_h, window.stride_h, window.pad_top, sources)
            )
        else:
            rows = rows_of(net, layer)
            found.append(Stage(rows, rows, 1, 1, 0, sources))
    return found


def wanted_stages(net: Net, n_layers: int) -> list[bool]:
    """Which of the first `n_layers` make what is read afterwards."""
    later = {net.output, *(number for layer in net.layers[n_layers:] for number in layer.inputs)}
    return [layer.output in later for layer in net.layers[:n_layers]]


def interleaved(stages: list[Stage], wanted: list[bool]) -> Iterator[tuple[int, list[int]]]:
    """(stage, rows made so far of all) of each row, as tn_stream runs them: the last stage that something waits for
    and that has its rows."""
    done, needed = [0] * len(stages), [stage.needs(0) for stage in stages]
    sources = [tuple(source for source in stage.sources if source >= 0) for stage in stages]
    while True:
        waited_for = list(wanted)
        for index in range(len(stages) - 1, -1, -1):
            if not waited_for[index] or done[index] >= stages[index].rows:
                continue
            lacks = False
            for source in sources[index]:
                if done[source] < needed[index]:
                    waited_for[source] = lacks = True
            if not lacks:
                break
        else:
            return
        yield index, done
        done[index] += 1
        needed[index] = stages[index].needs(done[index])


def schedule(net: Net, plan: Plan) -> list[Run]:
    """Every call, in order."""
    found = []
    stages = stages_of(net, plan.streamed)
    for index, done in interleaved(stages, wanted_stages(net, plan.streamed)):
        row_bytes = net.values[net.layers[index].output].bytes // stages[index].rows
        found.append(Run(index, done[index], done[index] + 1, row_bytes))
    for index in range(plan.streamed, len(net.layers)):
        layer = net.layers[index]
        rows = rows_of(net, layer)
        found.append(Run(index, 0, rows, net.values[layer.output].bytes // rows))
    return found

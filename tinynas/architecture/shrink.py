"""One step down: a network made smaller in flash, in RAM or in compute, judged by counts on the genome."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from tinynas.architecture.architecture import Architecture, Head
from tinynas.architecture.block import Block
from tinynas.architecture.kinds import KINDS
from tinynas.architecture.mutation import with_genes, without_block
from tinynas.architecture.space import SearchSpace
from tinynas.architecture.walk import Layer, Shape, walk
from tinynas.errors import ArchitectureError

_COST_INDEX = {"flash": 0, "ram": 1, "compute": 2}


def shrink(architecture: Architecture, space: SearchSpace, rng: np.random.Generator, what: str) -> Architecture:
    """Return `architecture` one random step smaller in `what`: "flash", "ram" or "compute".

    A step is fewer filters, a smaller expansion or kernel, a lighter kind (separable for a full convolution), an
    earlier pool or stride, a block or a hidden layer less; it is taken only when the count in `costs` gets smaller.
    With no such step left the network comes back as the space repairs it. Raises ArchitectureError for an unknown
    `what`.
    """
    if what not in _COST_INDEX:
        raise ArchitectureError(f"An architecture can shrink in {', '.join(_COST_INDEX)}, got {what!r}.")
    index = _COST_INDEX[what]
    parent = space.repair(architecture)
    budget = min(costs(architecture)[index], costs(parent)[index])
    steps = tuple(_smaller_steps(parent, space))
    for position in rng.permutation(len(steps)):
        child = steps[int(position)]()
        if costs(child)[index] < budget:
            return child
    return parent


def costs(architecture: Architecture) -> tuple[int, int, int]:
    """Return (weights, most values alive in a layer, multiply-accumulates) without biases and batch norm."""
    weights = most_alive = macs = 0
    before: Layer | None = None
    for layer in walk(architecture):
        weights += layer.weights
        macs += layer.weights * layer.shape_out[0] * layer.shape_out[1]
        if layer.block is not None:
            most_alive = max(most_alive, _alive(layer, before, architecture))
        before = layer
    return weights, most_alive, macs


def _alive(layer: Layer, before: Layer | None, architecture: Architecture) -> int:
    """Return the values that a block's layer reads and makes, and those that wait for the block's sum."""
    assert layer.block is not None
    alive = _values(layer.shape_in) + _values(layer.shape_out)
    inside = before is not None and before.block == layer.block
    if inside and layer.weights and architecture.blocks[layer.block].residual:
        alive += _values(architecture.shapes[layer.block])
    return alive


def _values(shape: Shape) -> int:
    return shape[0] * shape[1] * shape[2]


def _smaller_steps(architecture: Architecture, space: SearchSpace) -> Iterator[Callable[[], Architecture]]:
    """Yield the networks with one gene smaller than `architecture`, each as a call that makes it."""
    for at, block in enumerate(architecture.blocks):
        for genes in _smaller_genes(block, space):
            yield partial(with_genes, architecture, space, at, **genes)
        if len(architecture.blocks) > 1:
            yield partial(without_block, architecture, space, at)
    head = architecture.head
    fewer = [units for units in space.hidden_units if units < head.hidden_units]
    heads = [Head(head.pooling, max(fewer))] if fewer else []
    heads += [Head("gap", head.hidden_units)] if head.pooling != "gap" else []
    for smaller in heads:
        yield partial(space.assemble, architecture.blocks, smaller)


def _smaller_genes(block: Block, space: SearchSpace) -> Iterator[dict[str, object]]:
    kind = KINDS[block.kind]
    fewer = [v for v in space.filters if v < block.filters]
    if fewer and kind.has_filters:
        yield {"filters": max(fewer)}
    narrower = [v for v in space.expansions if v < block.expansion]
    if narrower and kind.expands:
        yield {"expansion": max(narrower)}
    shorter = [v for v in space.kernel_sizes if v < block.kernel_size]
    if shorter:
        yield {"kernel_size": max(shorter)}
    longer = [v for v in space.strides if v > block.stride]
    if longer:
        yield {"stride": min(longer), "residual": False}
    if block.pool is None:
        for pool in space.pools:
            if pool is not None:
                yield {"pool": pool}
    if kind.lighter in space.kinds:
        yield {"kind": kind.lighter}
    if block.residual:
        yield {"residual": False}

"""One step down: a network made smaller in flash, in RAM or in compute, judged by counts on the genome."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from tinynas.architecture.architecture import Architecture, Head
from tinynas.architecture.block import Block, Shape
from tinynas.architecture.mutation import with_genes, without_block
from tinynas.architecture.space import SearchSpace
from tinynas.errors import ArchitectureError

_COST_INDEX = {"flash": 0, "ram": 1, "compute": 2}


def shrink(architecture: Architecture, space: SearchSpace, rng: np.random.Generator, what: str) -> Architecture:
    """Return `architecture` one random step smaller in `what`: "flash", "ram" or "compute".

    A step is fewer filters, a smaller kernel, a separable instead of a full convolution, an earlier pool or
    stride, a block or a hidden layer less; it is taken only when the count in `costs` gets smaller. With no
    such step left the network comes back as the space repairs it. Raises ArchitectureError for an unknown
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
    for block, shape in zip(architecture.blocks, architecture.shapes, strict=False):
        for alive, layer_weights, positions in _layers(block, shape):
            weights += layer_weights
            most_alive = max(most_alive, alive)
            macs += layer_weights * positions
    last, units = architecture.shapes[-1], architecture.head.hidden_units
    features = last[2] if architecture.head.pooling == "gap" else _values(last)
    dense = (features + architecture.n_classes) * units if units else features * architecture.n_classes
    return weights + dense, most_alive, macs + dense


def _layers(block: Block, shape: Shape) -> Iterator[tuple[int, int, int]]:
    """Yield (values alive, weights, positions that use each weight) of the layers of `block`."""
    conv = block.conv_shape(shape)
    taps = block.kernel(shape)[0] * block.kernel(shape)[1]
    positions = conv[0] * conv[1]
    if block.kind == "conv":
        yield _values(shape) + _values(conv), taps * shape[2] * conv[2], positions
    else:
        between = positions * shape[2]
        yield _values(shape) + between, taps * shape[2], positions
        if block.kind == "separable":
            skip = _values(shape) if block.residual else 0
            yield skip + between + _values(conv), shape[2] * conv[2], positions
    if block.pool is not None:
        yield _values(conv) + _values(block.output_shape(shape)), 0, 0


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
    fewer = [v for v in space.filters if v < block.filters]
    if fewer and block.kind != "depthwise":
        yield {"filters": max(fewer)}
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
    if block.kind == "conv" and "separable" in space.kinds:
        yield {"kind": "separable"}
    if block.residual:
        yield {"residual": False}

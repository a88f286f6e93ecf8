"""What the tests of this room share: random architectures, boards, and the reference, TensorFlow's converter."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from tinynas.architecture import Architecture, SearchSpace, mutate
from tinynas.hardware import KERNEL_LIBRARIES, Target
from tinynas.tflite import Graph, read

SHAPES = ((28, 28, 1), (32, 32, 3), (784, 1, 1), (100, 1, 6), (40, 1, 1))
ODD_SHAPES = ((1, 1, 4), (1, 64, 1), (5, 7, 2), (8, 8, 1), (10, 1, 3))
ODD_RANGES = {
    "filters": (1, 2, 3, 5, 8, 13, 20),
    "kernel_sizes": (3, 1, 2, 4, 5, 7),
    "strides": (1, 2, 3),
    "pool_sizes": (2, 3, 4),
    "hidden_units": (0, 1, 7, 32),
    "smallest_map": 1,
}


TARGETS = {
    kernels: Target(
        name=kernels,
        mcu="any",
        core="Cortex-M4F" if kernels != "cmsis_nn_no_dsp" else "Cortex-M3",
        clock_hz=100_000_000,
        flash_bytes=1 << 20,
        ram_bytes=1 << 18,
        kernels=kernels,
    )
    for kernels in KERNEL_LIBRARIES
}


class Real(NamedTuple):
    """A converted, stripped file, and what Keras and keras-flops say of its model."""

    data: bytes
    flops: int
    params: int
    model: object


def convert(architecture: Architecture, rng: np.random.Generator) -> Real:
    """Return the reference for `architecture`, biases and batch norm statistics filled with random values."""
    from tinynas.training.build import build
    from tinynas.training.convert import fill_untrained, quantize
    from tinynas.training.flops import count_flops

    model = build(architecture)
    fill_untrained(model, rng)
    samples = rng.random((4, *architecture.input_shape), dtype=np.float32)
    return Real(quantize(model, samples), count_flops(model), model.count_params(), model)


def draw(rng: np.random.Generator, number: int, odd: bool = False) -> Architecture:
    """Return a random network: each input shape in turn, every second one mutated up to the full depth."""
    shapes = ODD_SHAPES if odd else SHAPES
    n_classes = int(rng.integers(2, 13))
    space = SearchSpace.for_input(shapes[number % len(shapes)], n_classes, **(ODD_RANGES if odd else {}))
    architecture = space.random_architecture(rng)
    for _ in range(int(rng.integers(30)) if number % 2 else 0):
        architecture = mutate(architecture, space, rng)
    return architecture


def without_values(graph: Graph) -> Graph:
    """Return `graph` with constants numbered instead of valued and all scales 1: what all weights share."""
    tensors = []
    for number, tensor in enumerate(graph.tensors):
        data = tensor.data
        if data is not None and tensor.is_quantized:
            data = number.to_bytes(4, "little")
        points = tensor.zero_points if tensor.is_constant else (0,) * len(tensor.zero_points)
        tensors.append(replace(tensor, data=data, scales=(1.0,) * len(tensor.scales), zero_points=points))
    return replace(graph, tensors=tuple(tensors))


def equal_constants(data: bytes) -> int:
    """Return how many constants of a file are the same bytes as an earlier one, and so take no room."""
    constants = [tensor.data for tensor in read(data).tensors if tensor.data]
    return len(constants) - len(set(constants))

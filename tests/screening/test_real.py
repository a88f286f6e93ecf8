"""screen and lower against TensorFlow's converter and keras-flops, over random architectures of the whole space."""

from dataclasses import replace

import numpy as np
import pytest

from tests.screening.real import TARGETS, Real, convert, draw, equal_constants, without_values
from tinynas.architecture import Architecture, Block, Head, SearchSpace
from tinynas.screening import count_flops, count_params, lower, lower_graph, screen
from tinynas.tflite import analyze, plan_arena, read, write
from tinynas.tflite.tflm import available, run


def check(architecture: Architecture, real: Real) -> None:
    """Hold all that is said of `architecture` without TensorFlow against the reference."""
    graph, lowered = read(real.data), lower_graph(architecture)
    assert without_values(lowered) == without_values(graph)
    twin = [
        replace(a, data=b.data, scales=b.scales, zero_points=b.zero_points)
        for a, b in zip(lowered.tensors, graph.tensors, strict=True)
    ]
    assert write(replace(lowered, tensors=tuple(twin))) == real.data
    merged = equal_constants(real.data)
    for kernels, target in TARGETS.items():
        assert plan_arena(lowered, kernels) == plan_arena(graph, kernels)
        footprint, wanted = screen(architecture, target), analyze(real.data, target).footprint
        assert footprint.flash_bytes == len(lower(architecture))
        assert footprint.flash_bytes == len(real.data) or (merged and footprint.flash_bytes > len(real.data))
        wanted = replace(wanted, flops=real.flops, flash=replace(wanted.flash, model=footprint.flash_bytes))
        assert footprint == wanted
    assert count_flops(architecture) == real.flops
    assert count_params(architecture) == real.params


@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize("number", range(5))
def test_a_handful_agrees_with_the_converter(seeded, number: int, odd: bool) -> None:
    rng = np.random.default_rng(number)
    architecture = draw(rng, number, odd)
    check(architecture, convert(architecture, rng))


@pytest.mark.parametrize("shape", [(28, 28, 1), (100, 1, 6)])
def test_handmade_starts_agree_with_the_converter(seeded, shape: tuple[int, int, int]) -> None:
    starts = SearchSpace.for_input(shape, 6).handmade()
    assert {architecture.head.pooling for architecture in starts} == {"gap", "flatten"}
    for number, architecture in enumerate(starts):
        check(architecture, convert(architecture, np.random.default_rng(number)))


INVERTED = {
    "a residual of the input": ((8, 8, 4), Block("inverted", 4, 3, residual=True)),
    "no batch norm": ((8, 8, 4), Block("inverted", 4, 3, residual=True, batch_norm=False, activation="relu6")),
    "pools of signed values": ((9, 9, 3), Block("inverted", 5, 3, pool="avg"), Block("inverted", 5, 3, pool="max")),
    "linear into 1x1": ((8, 8, 2), Block("inverted", 6, 3, expansion=1), Block("inverted", 6, 3), Block("conv", 3, 1)),
    "valid": ((9, 9, 1), Block("inverted", 6, 5, padding="valid"), Block("depthwise", 6, 3)),
    "a series": ((40, 1, 3), Block("inverted", 6, 9, 4), Block("inverted", 6, 3, residual=True, pool="max")),
    "a point": ((1, 1, 4), Block("inverted", 6, 3, 2), Block("inverted", 6, 3, residual=True)),
}


@pytest.mark.parametrize("head", [Head(), Head("flatten", 7)], ids=str)
@pytest.mark.parametrize("case", INVERTED.values(), ids=INVERTED)
def test_inverted_blocks_agree_with_the_converter(seeded, case: tuple, head: Head) -> None:
    shape, *blocks = case
    architecture = Architecture(shape, tuple(blocks), head, 3)
    check(architecture, convert(architecture, np.random.default_rng(0)))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_three_hundred_agree_with_the_converter(seeded, seed: int) -> None:
    rng = np.random.default_rng(1000 + seed)
    for number in range(30):
        architecture = draw(rng, number, odd=number >= 20)
        check(architecture, convert(architecture, rng))
        if number % 5 == 4:
            seeded.seed_everything(number)


@pytest.mark.skipif(not available(), reason="the tflite_micro wheel is for Linux on x86-64 alone")
@pytest.mark.parametrize("number", range(4))
def test_lowered_weights_give_the_outputs_of_the_keras_model(seeded, number: int) -> None:
    rng = np.random.default_rng(50 + number)
    architecture = draw(rng, number)
    model = convert(architecture, rng).model
    samples = rng.random((30, *architecture.input_shape), dtype=np.float32)
    data = lower(architecture, seeded.layer_weights(model), samples=samples)
    tensor = read(data).tensors[0]
    images = np.clip(np.rint(samples / tensor.scales[0]) + tensor.zero_points[0], -128, 127).astype(np.int8)
    outputs = (run(data, images).astype(float) + 128) / 256
    np.testing.assert_allclose(outputs, model.predict(samples, verbose=0), atol=0.04)

"""A search without TensorFlow: a made-up board check and a made-up score, both functions of the genome alone."""

from itertools import pairwise

import numpy as np
import pytest

from tinynas.architecture import Architecture, SearchSpace
from tinynas.data import FoldScores, Scores
from tinynas.hardware import Arena, Flash, Footprint, Limits, Target
from tinynas.runs import Evaluation, State
from tinynas.searching import surrogate


def footprint_of(architecture: Architecture) -> Footprint:
    """Twenty bytes of Flash a filter, an arena of the largest two neighbouring shapes."""
    values = [int(np.prod(shape)) for shape in architecture.shapes]
    arena = max(a + b for a, b in pairwise(values))
    filters = sum(block.filters * block.kernel_size for block in architecture.blocks)
    return Footprint(
        params=filters,
        flops=2 * filters * values[1],
        macs=filters * values[1],
        largest_tensor_bytes=max(values),
        flash=Flash(model=1000 + 20 * filters, runtime=40_000),
        arena=Arena(head=arena, tail=1000, used=arena + 1000, minimum=arena + 1000),
        ram_outside_bytes=2000,
        live_bytes_peak=arena,
        instructions=10 * filters * values[1],
        latency_ms=1.0,
        energy_mj=None,
        arena_status="exact",
    )


def score_of(architecture: Architecture) -> float:
    """Better the more filters of kernel 3 there are, with a little that only the key decides."""
    good = sum(block.filters for block in architecture.blocks if block.kernel_size == 3)
    return min(0.98, 0.3 + good / 400 + int(architecture.key[:2], 16) / 25_600)


def evaluate(architecture: Architecture) -> Evaluation:
    """Complete, with one fold."""
    score = score_of(architecture)
    scores = Scores(score, score, score, score)
    return Evaluation(State.COMPLETE, folds=(FoldScores(scores, scores),))


@pytest.fixture
def small_pool(monkeypatch) -> None:
    """The surrogate draws a quarter of its pool: what holds for it holds for any, and drawing is most of its time."""
    monkeypatch.setattr(surrogate, "_POOL", surrogate._POOL // 4)


@pytest.fixture
def target() -> Target:
    return Target.load("nucleo_f401")


@pytest.fixture
def space() -> SearchSpace:
    return SearchSpace.for_input((8, 8, 1), 3)


@pytest.fixture
def limits() -> Limits:
    return Limits(flash_bytes=8000, ram_bytes=4000)

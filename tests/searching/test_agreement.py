from dataclasses import replace

import numpy as np
import pytest

from tinynas.architecture import Architecture, Block, Head
from tinynas.errors import ConversionError
from tinynas.screening import lower, lower_graph, screen
from tinynas.searching.agreement import require_agreement
from tinynas.tflite import analyze, write

NET = Architecture((8, 8, 1), (Block("conv", 4, 3, pool="max"), Block("conv", 4, 3)), Head(), 3)


@pytest.fixture
def screened(target):
    return screen(NET, target)


def _real(data, target):
    return replace(analyze(data, target).footprint, flops=screen(NET, target).flops)


def test_a_file_that_is_as_screened_passes(target, screened):
    data = lower(NET, rng=np.random.default_rng(0))
    require_agreement(NET, screened, _real(data, target), data)


def test_equal_constants_may_share_their_bytes(target, screened):
    graph = lower_graph(NET, rng=np.random.default_rng(0))
    first, second = (index for index, t in enumerate(graph.tensors) if t.dtype == "INT32" and t.shape == (4,))
    tensors = list(graph.tensors)
    tensors[second] = replace(tensors[second], data=tensors[first].data)
    data = write(replace(graph, tensors=tuple(tensors)))
    assert len(data) < screened.flash_bytes
    require_agreement(NET, screened, _real(data, target), data)


@pytest.mark.parametrize("name", ["macs", "flops", "params", "largest_tensor_bytes", "instructions", "arena"])
def test_each_figure_is_compared(target, screened, name):
    data = lower(NET, rng=np.random.default_rng(0))
    value = getattr(screened, name)
    changed = value + 1 if isinstance(value, int) else replace(value, head=value.head + 16)
    with pytest.raises(ConversionError, match=f"disagree on {name}.*their operators are the same"):
        require_agreement(NET, replace(screened, **{name: changed}), _real(data, target), data)


def test_another_file_is_named_by_the_operator_where_it_parts(target, screened):
    other = replace(NET, blocks=(NET.blocks[0], Block("depthwise", 4, 3)))
    data = lower(other, rng=np.random.default_rng(0))
    with pytest.raises(ConversionError, match=r"flash_bytes.*operator 2 is CONV_2D .* DEPTHWISE_CONV_2D"):
        require_agreement(NET, screened, _real(data, target), data)

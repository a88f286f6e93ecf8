"""Block: effective kernels, shapes against a sliding window counted by hand, legality, JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.architecture.strategies import blocks, shapes
from tinynas.architecture import Block
from tinynas.errors import ArchitectureError


def positions(length: int, window: int, stride: int, padding: str) -> int:
    """How many windows fit, counted one by one."""
    if padding == "same":
        return len(range(0, length, stride))
    return len([start for start in range(0, length, stride) if start + window <= length])


@given(blocks, shapes)
def test_shapes_are_the_counted_windows(block: Block, shape: tuple[int, int, int]) -> None:
    if block.padding == "valid" and block.fault(shape) is not None:
        return
    kernel, strides, conv = block.kernel(shape), block.strides(shape), block.conv_shape(shape)
    for axis in (0, 1):
        assert conv[axis] == positions(shape[axis], kernel[axis], strides[axis], block.padding)
    assert conv[2] == (shape[2] if block.kind == "depthwise" else block.filters)
    if block.fault(shape) is None:
        window, out = block.pool_window(conv), block.output_shape(shape)
        for axis in (0, 1):
            assert out[axis] == positions(conv[axis], window[axis], window[axis], "valid") >= 1
        assert out[2] == conv[2]


@given(blocks, shapes)
def test_nothing_reaches_along_an_axis_of_length_one(block: Block, shape: tuple[int, int, int]) -> None:
    for axis in (0, 1):
        if shape[axis] == 1:
            assert block.kernel(shape)[axis] == 1
            assert block.kind != "conv" or block.strides(shape)[axis] == 1
            assert block.padding == "valid" or block.conv_shape(shape)[axis] == 1


@given(blocks, shapes)
def test_depthwise_strides_are_equal_and_change_nothing_on_the_short_axis(block: Block, shape: tuple) -> None:
    strides = block.strides(shape)
    if block.kind != "conv":
        assert strides[0] == strides[1]
    if shape[:2] == (1, 1):
        assert strides == (1, 1)


def test_series_gets_a_tall_kernel_and_pool() -> None:
    block = Block("conv", 8, 9, stride=4, pool="max", pool_size=4)
    assert block.kernel((784, 1, 1)) == (9, 1)
    assert block.strides((784, 1, 1)) == (4, 1)
    assert block.conv_shape((784, 1, 1)) == (196, 1, 8)
    assert block.pool_window((196, 1, 8)) == (4, 1)
    assert block.output_shape((784, 1, 1)) == (49, 1, 8)


def test_a_pool_floors() -> None:
    assert Block("conv", 4, 3, pool="avg", pool_size=2).output_shape((7, 5, 1)) == (3, 2, 4)


@pytest.mark.parametrize(
    ("block", "shape", "words"),
    [
        (
            Block("conv", 4, 5, padding="valid"),
            (4, 9, 1),
            "kernel 5x5 with padding 'valid' does not fit a 4x9",
        ),
        (Block("conv", 4, 3, residual=True), (8, 8, 1), "residual needs equal shapes"),
        (Block("separable", 8, 3, stride=2, residual=True), (8, 8, 8), "residual needs equal shapes"),
        (Block("conv", 4, 3, pool="max", pool_size=3), (2, 8, 1), "pool of 3 does not fit a 2x8 map"),
        (Block("conv", 4, 3, pool="max"), (1, 1, 1), "pool of 2 does not fit a 1x1 map"),
    ],
)
def test_faults_say_why(block: Block, shape: tuple[int, int, int], words: str) -> None:
    fault = block.fault(shape)
    assert fault is not None
    assert words in fault


def test_legal_blocks_have_no_fault() -> None:
    assert Block("conv", 8, 3, residual=True, pool="max").fault((8, 8, 8)) is None
    assert Block("depthwise", 99, 3, residual=True).fault((8, 8, 5)) is None
    assert Block("depthwise", 1, 3, stride=2, residual=True).fault((1, 1, 5)) is None


@given(blocks)
def test_json_round_trip(block: Block) -> None:
    assert Block.from_dict(json.loads(json.dumps(block.to_dict()))) == block


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "dense"}, "Block 3's kind must be one of 'conv', 'depthwise', 'separable', 'inverted', got 'dense'"),
        ({"filters": 0}, "Block 3's filters must be a whole number of at least 1, got 0"),
        ({"filters": 8.0}, "got 8.0"),
        ({"filters": True}, "got True"),
        ({"kernel_size": "3"}, "got '3'"),
        ({"expansion": 0}, "Block 3's expansion must be a whole number of at least 1, got 0"),
        ({"pool_size": 1}, "Block 3's pool_size must be a whole number of at least 2, got 1"),
        ({"batch_norm": 1}, "Block 3's batch_norm must be one of True, False, got 1"),
        ({"pool": "sum"}, "Block 3's pool must be one of None, 'max', 'avg', got 'sum'"),
        ({"colour": "red"}, "Block 3: unknown key 'colour' (known: activation, batch_norm, expansion, filters"),
    ],
)
def test_bad_json_is_one_sentence(change: dict[str, object], words: str) -> None:
    with pytest.raises(ArchitectureError) as caught:
        Block.from_dict({"kind": "conv", "filters": 8, "kernel_size": 3, **change}, "Block 3")
    assert words in str(caught.value)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


@given(st.one_of(st.none(), st.integers(), st.text(), st.lists(st.integers())))
def test_what_is_no_object_is_refused(value: object) -> None:
    with pytest.raises(ArchitectureError, match="must be an object with keys"):
        Block.from_dict(value)


def test_a_missing_key_is_named() -> None:
    with pytest.raises(ArchitectureError, match="A block: key 'filters', 'kernel_size' is missing"):
        Block.from_dict({"kind": "conv"})


def test_description() -> None:
    assert str(Block("conv", 16, 3, pool="max")) == "conv16k3 bn relu max2"
    assert str(Block("separable", 32, 3, activation="relu6", residual=True)) == "sep32k3 bn relu6 res"
    assert str(Block("inverted", 32, 3)) == "inv32x4k3 bn relu"
    assert str(Block("inverted", 8, 5, 2, residual=True, expansion=2)) == "inv8x2k5s2 bn relu res"
    assert str(Block("depthwise", 9, 5, 2, "valid", batch_norm=False)) == "dwk5s2 valid relu"

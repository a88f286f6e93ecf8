from pathlib import Path

import pytest

from tinynas.architecture import Architecture, Block, Head, walk
from tinynas.training.build import build
from tinynas.training.precision import best_precision, fast_in_bfloat16, precision_for


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("processor : 0\nflags\t\t: fpu avx2 avx512_bf16\n", "bfloat16"),
        ("processor : 0\nflags\t\t: fpu amx_bf16\nprocessor : 1\nflags\t\t: fpu amx_bf16\n", "bfloat16"),
        ("processor : 0\nflags\t\t: fpu amx_bf16\nprocessor : 1\nflags\t\t: fpu\n", "float32"),
        ("processor : 0\nflags\t\t: fpu avx512f\n", "float32"),
        ("processor : 0\n", "float32"),
    ],
)
def test_it_is_read_off_the_processor_s_flags(tmp_path, text, wanted):
    (tmp_path / "cpuinfo").write_text(text)
    assert best_precision((28, 28, 1), tmp_path / "cpuinfo") == wanted
    assert best_precision((100, 1, 6), tmp_path / "cpuinfo") == "float32"  # it would not pay


def test_an_unknown_processor_computes_in_float32():
    assert best_precision((28, 28, 1), Path("/nowhere/cpuinfo")) == "float32"


def _layers(kind="conv", filters=16, kernel=3, stride=1):
    return walk(Architecture((28, 28, 16), (Block(kind, filters, kernel, stride),), Head(), 10))


def test_a_layer_computes_in_bfloat16_where_that_is_no_slower():
    conv, *_ = _layers(filters=32)
    assert fast_in_bfloat16(conv, "batch_norm")
    assert not fast_in_bfloat16(_layers(filters=24)[0], "batch_norm")  # 24 is no multiple of 16
    depthwise, pointwise, *_ = _layers("separable", 32)
    assert fast_in_bfloat16(depthwise, "depthwise")
    assert fast_in_bfloat16(pointwise, "batch_norm")
    for slow in (_layers("separable", kernel=5)[0], _layers("separable", stride=2)[0]):
        assert not fast_in_bfloat16(slow, "depthwise")
        assert not fast_in_bfloat16(slow, "batch_norm")


def test_a_network_is_trained_in_bfloat16_where_the_products_outweigh_the_casts():
    small = Architecture((28, 28, 1), (Block("conv", 8, 3, 2), Block("conv", 12, 3, 2)), Head(), 10)  # 58,000 MACs
    large = Architecture((28, 28, 1), (Block("conv", 32, 3), Block("conv", 32, 3, 2)), Head(), 10)  # 2 million
    assert precision_for(small, "bfloat16", 10**9) == "float32"
    assert precision_for(large, "bfloat16", 12_000) == "bfloat16"
    assert precision_for(large, "bfloat16", 1_000) == "float32"
    assert precision_for(large, "float32", 10**9) == "float32"


def test_the_layers_of_a_bfloat16_model_have_the_formats_that_are_fast(tensorflow):
    blocks = (Block("conv", 24, 3), Block("separable", 32, 5), Block("separable", 32, 3))
    model = build(Architecture((28, 28, 1), blocks, Head(), 3), precision="bfloat16")
    formats = {layer.name: layer.compute_dtype for layer in model.layers}
    assert formats["block0_conv"] == formats["block2_depthwise_bn"] == formats["block1_pointwise_bn"] == "bfloat16"
    assert formats["block0_conv_bn"] == formats["block0_act"] == formats["block1_depthwise"] == "float32"
    assert formats["block1_depthwise_bn"] == formats["head_classes"] == "float32"

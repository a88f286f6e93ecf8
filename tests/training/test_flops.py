import pytest

from tinynas.architecture import Architecture, Block, Head
from tinynas.errors import ConversionError
from tinynas.training import flops as flops_module
from tinynas.training.build import build
from tinynas.training.flops import count_flops


def test_count_is_the_one_of_a_net_counted_by_hand(seeded):
    model = build(Architecture((8, 8, 2), (Block("conv", 4, 3, batch_norm=False),), Head("flatten"), 3))
    conv = 2 * 3 * 3 * 2 * (8 * 8 * 4) + 8 * 8 * 4  # multiply and add, then the bias
    dense = 2 * 256 * 3 + 3
    softmax = 5 * 3
    assert count_flops(model) == conv + dense + softmax


@pytest.mark.parametrize("wrong", [0, -1, None])
def test_a_count_that_fails_is_an_error(monkeypatch, wrong):
    monkeypatch.setattr(flops_module, "_keras_flops", lambda: lambda model, batch_size: wrong)
    with pytest.raises(ConversionError, match="positive number"):
        count_flops(object())

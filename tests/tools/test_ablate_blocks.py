import numpy as np
import pytest
from ablate_blocks import NETWORKS, network

from tinynas import SearchSpace, Target
from tinynas.architecture.starts import starts
from tinynas.tflite import analyze
from tinynas.training.build import build
from tinynas.training.convert import fill_untrained, quantize

pytestmark = pytest.mark.usefixtures("tensorflow")

LIMITS = {"tight": (16_384, 8_192), "large": (64_000, 64_000), "series": (6_144, 4_096)}
CASES = [(of, name) for of, networks in NETWORKS.items() for name in networks]


@pytest.mark.slow
@pytest.mark.parametrize(("of", "name"), CASES)
def test_each_network_fits_its_limits(of, name):
    shape = (40, 1, 1) if of == "series" else (28, 28, 1)
    model = network(NETWORKS[of][name], shape, 10)
    fill_untrained(model, np.random.default_rng(0))
    footprint = analyze(
        quantize(model, np.random.default_rng(0).random((8, *shape), dtype=np.float32)), TARGET
    ).footprint
    assert footprint.flash_bytes <= LIMITS[of][0]
    assert (footprint.arena_bytes <= LIMITS[of][1]) == (of != "tight" or "separable" not in name)


@pytest.mark.parametrize(("of", "name", "start"), [("tight", "lean", 4), ("large", "large", 6)])
def test_the_first_of_each_set_is_the_start_that_a_search_has(of, name, start):
    space = SearchSpace.for_input((28, 28, 1), 10)
    ours, theirs = network(NETWORKS[of][name], (28, 28, 1), 10), build(space.assemble(*starts((28, 28, 1))[start]))
    assert [w.shape for w in ours.trainable_weights] == [w.shape for w in theirs.trainable_weights]


def test_a_strided_sum_brings_the_input_to_the_shape_of_the_block():
    model = network("conv8k3 conv12k3s2r", (8, 8, 1), 3)
    assert model.get_layer(index=-5).output_shape == (None, 4, 4, 12)
    assert [layer.__class__.__name__ for layer in model.layers].count("Add") == 1


TARGET = Target.load("nucleo_f401")

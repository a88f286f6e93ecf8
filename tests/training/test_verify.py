import numpy as np
import pytest

from tinynas.architecture import Architecture, Block, Head
from tinynas.errors import ConversionError
from tinynas.tflite import tflm
from tinynas.training import verify
from tinynas.training.build import build
from tinynas.training.convert import fill_untrained, quantize
from tinynas.training.int8 import Int8Model

NET = Architecture((8, 8, 1), (Block("conv", 4, 3, pool="max"),), Head(), 3)


@pytest.fixture
def file_and_samples(seeded, stripes):
    model = build(NET)
    fill_untrained(model, np.random.default_rng(0))
    data = quantize(model, stripes.x[:20])
    return data, Int8Model(data).quantize_input(stripes.x[:20])


@pytest.mark.skipif(not tflm.available(), reason="TFLM's wheel is for Linux on x86-64")
def test_a_small_network_does_in_tflm_what_it_does_here(file_and_samples):
    assert verify.answers(*file_and_samples).step in (0, 1)


@pytest.mark.parametrize(("off", "fails"), [(0, False), (1, False), (2, False), (8, False), (9, True), (90, True)])
def test_a_few_steps_are_told_and_many_are_an_error(file_and_samples, monkeypatch, off, fails):
    data, samples = file_and_samples
    found = Int8Model(data, reference=True).run(samples, batch_size=1).astype(int)
    found[3, 1] += off if found[3, 1] < 0 else -off
    monkeypatch.setattr(tflm, "available", lambda: True)
    monkeypatch.setattr(tflm, "run_all", lambda *_: (found,))
    if fails:
        with pytest.raises(ConversionError, match=rf"up to {off} int8 steps .* on 20 samples \(8 are allowed\)"):
            verify.answers(data, samples)
    strange = verify.answers(data, samples, is_own=not fails)
    assert strange.step == off
    np.testing.assert_array_equal(strange.outputs, found)
    assert (strange.note is None) == (off <= 1)


def test_without_tflm_nothing_is_known(file_and_samples, monkeypatch):
    monkeypatch.setattr(tflm, "available", lambda: False)
    data, samples = file_and_samples
    found = verify.answers(data, samples)
    assert found.step is None
    np.testing.assert_array_equal(found.outputs, Int8Model(data, reference=True).run(samples, batch_size=1))

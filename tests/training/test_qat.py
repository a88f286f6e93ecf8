import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from tests.training.test_build import INPUTS, _draw
from tinynas.architecture import Architecture, Block, Head
from tinynas.data import Dataset
from tinynas.tflite import analyze
from tinynas.training.build import build
from tinynas.training.convert import fill_untrained, quantize
from tinynas.training.fit import Recipe, fit, predict
from tinynas.training.fold import fold
from tinynas.training.int8 import Int8Model
from tinynas.training.keras import layer_weights, seed_everything
from tinynas.training.qat import fine_tune, quantize_aware, score_files, with_rounding
from tinynas.training.verify import answers

RECIPE = Recipe(2, batch_size=8, peak_rate=0.02)
NET = Architecture((8, 8, 1), (Block("conv", 8, 3, pool="avg"), Block("separable", 8, 3)), Head(), 3)
EVERYTHING = Architecture(
    (12, 1, 3),
    (
        Block("conv", 8, 3, batch_norm=False, activation="relu6"),
        Block("separable", 8, 5, residual=True),
        Block("depthwise", 8, 3, padding="valid", pool="avg"),
        Block("inverted", 8, 3, residual=True, expansion=2),
        Block("separable", 12, 3, stride=2, pool="max", activation="relu6"),
    ),
    Head("flatten", 16),
    5,
    (0.0, 0.1),
)


def _filled(architecture, seed):
    seed_everything(seed)
    model = build(architecture)
    fill_untrained(model, np.random.default_rng(seed))
    return model


def _outputs(data, x):
    model = Int8Model(data)
    return model.run(model.quantize_input(x)).astype(float) / 256 + 0.5


def _check(architecture, seed):
    """The fine-tuned file is the plain one with other values, and does what the fine-tuned model does."""
    rng = np.random.default_rng(seed)
    x, y = rng.random((24, *architecture.input_shape), dtype=np.float32), rng.integers(0, architecture.n_classes, 24)
    model = _filled(architecture, seed)
    tuned = fine_tune(model, x, y, RECIPE, seed, x)
    data = quantize(tuned, x)
    plain, aware = analyze(quantize(model, x)), analyze(data)
    assert [operator.name for operator in aware.operators] == [operator.name for operator in plain.operators]
    assert aware.footprint == plain.footprint
    assert np.abs(_outputs(data, x) - predict(tuned, x)).mean() < 0.03
    int8 = Int8Model(data)
    assert answers(data, int8.quantize_input(x)).step in (0, 1, None)
    assert all(np.all(np.isfinite(array)) for arrays in layer_weights(tuned).values() for array in arrays)


@pytest.mark.parametrize("architecture", [NET, EVERYTHING], ids=["net", "everything"])
def test_the_file_is_the_plain_one_with_other_values(tensorflow, architecture):
    _check(architecture, 1)


@pytest.mark.slow
@settings(max_examples=60)
@given(shape=st.sampled_from(INPUTS), seed=st.integers(0, 2**31))
def test_every_architecture_can_be_fine_tuned(tensorflow, shape, seed):
    _check(_draw(shape, seed), seed)


def _stretched(model, rng, most):
    """Scale each channel between depthwise and pointwise by 1 to `most`, and back: the same function in float."""
    for layer in list(model.layers):
        if layer.name.endswith("_pointwise"):
            norm = model.get_layer(layer.name.replace("pointwise", "depthwise_bn"))
            gamma, beta, mean, variance = norm.get_weights()
            scale = np.exp(rng.uniform(0, np.log(most), len(gamma))).astype(np.float32)
            norm.set_weights([gamma * scale, beta * scale, mean, variance])
            (kernel,) = layer.get_weights()
            layer.set_weights([kernel / scale[:, None]])


def test_rounding_is_where_the_file_rounds(tensorflow, stripes):
    """Where int8 is far from float, the float model with rounding is near to int8."""
    seed_everything(1)
    model = build(NET)
    fit(model, stripes.x, stripes.y, Recipe(30, batch_size=16), 1)
    _stretched(model, np.random.default_rng(1), 1000)
    model = fold(model)
    rounded = with_rounding(model)
    rounded(stripes.x, training=True)
    outputs = _outputs(quantize(model, stripes.x), stripes.x)
    with_it, without = (np.abs(outputs - predict(m, stripes.x)).mean() for m in (rounded, model))
    assert with_it < 0.5 * without


def test_the_model_is_left_as_it_is_and_the_seed_decides(tensorflow, stripes):
    model = _filled(NET, 1)
    before = layer_weights(model)
    files = [quantize_aware(model, stripes.x, stripes.y, RECIPE, seed, stripes.x[:20]) for seed in (1, 1, 2)]
    for name, arrays in layer_weights(model).items():
        for now, then in zip(arrays, before[name], strict=True):
            np.testing.assert_array_equal(now, then)
    assert files[0] == files[1] != files[2]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_it_recovers_what_the_plain_conversion_loses(tensorflow, seed):
    digits = Dataset.digits()
    blocks = (
        Block("conv", 16, 3),
        Block("separable", 16, 3),
        Block("separable", 24, 3, pool="avg"),
        Block("separable", 24, 3),
    )
    seed_everything(seed)
    model = build(Architecture((8, 8, 1), blocks, Head(), 10))
    fit(model, digits.x, digits.y, Recipe(12), seed)
    _stretched(model, np.random.default_rng(seed), 300)
    x, y, samples = digits.x_test, digits.y_test, digits.representative(100, 0)
    plain = quantize(model, samples)
    aware = quantize_aware(model, digits.x, digits.y, Recipe(6), seed, samples)
    in_float, before, after = (
        (classes == y).mean()
        for classes in (predict(model, x).argmax(axis=1), Int8Model(plain).predict(x), Int8Model(aware).predict(x))
    )
    assert before < in_float - 0.01
    assert after > before + 0.5 * (in_float - before)
    scores = score_files({"ptq": plain, "qat": aware}, x, y, 10)
    assert scores == pytest.approx({"ptq": before, "qat": after})


def test_files_are_scored_by_any_metric(tensorflow, stripes):
    seed_everything(1)
    model = build(NET)
    fit(model, stripes.x, stripes.y, Recipe(3, batch_size=16), 1)
    data = quantize(model, stripes.x)
    x, y = stripes.x_test, stripes.y_test
    classes = Int8Model(data).predict(x)
    assert score_files({"only": data}, x, y, 3)["only"] == pytest.approx((classes == y).mean())
    assert score_files({"only": data}, x, y, 3, "f1")["only"] == pytest.approx(f1_score(y, classes, average="macro"))

import math
from dataclasses import replace

import numpy as np
import pytest
from zero_cost import (
    capacity,
    gradient_norm,
    jacobian_covariance,
    naswot,
    synflow,
    untrained,
    zero_cost,
)

from tinynas.architecture import Architecture, Block, Head, SearchSpace
from tinynas.hardware import Target
from tinynas.screening import count_macs, screen
from tinynas.training.build import build
from tinynas.training.keras import keras, seed_everything

NET = Architecture((8, 8, 1), (Block("conv", 4, 3, activation="relu6"), Block("separable", 6, 3)), Head("gap", 16), 3)


def _dense():
    """Five inputs, 7 units with relu, 3 classes: small enough to compute by hand."""
    inputs = keras.Input((1, 1, 5))
    x = keras.layers.Flatten()(inputs)
    x = keras.layers.Dense(7, activation="relu", name="hidden")(x)
    model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax", name="classes")(x))
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=array.shape) for array in model.get_weights()])
    return model


def _batch(n=8, shape=(1, 1, 5), classes=3):
    rng = np.random.default_rng(1)
    return rng.random((n, *shape), dtype=np.float32), rng.integers(0, classes, n)


def _loss(weights, x, y):
    """The mean cross-entropy of the dense net, in float64."""
    w1, b1, w2, b2 = weights
    logits = np.maximum(x.reshape(len(x), -1) @ w1 + b1, 0) @ w2 + b2
    shifted = logits - logits.max(axis=1, keepdims=True)
    return float((np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(x)), y]).mean())


def test_gradient_norm_is_that_of_finite_differences(seeded):
    model = _dense()
    x, y = _batch()
    weights = [array.astype(np.float64) for array in model.get_weights()]
    norms = []
    for kernel in (0, 2):
        slopes = np.zeros_like(weights[kernel])
        for at in np.ndindex(slopes.shape):
            ends = []
            for change in (1e-5, -1e-5):
                moved = [array.copy() for array in weights]
                moved[kernel][at] += change
                ends.append(_loss(moved, x.astype(np.float64), y))
            slopes[at] = (ends[0] - ends[1]) / 2e-5
        norms.append(np.sqrt((slopes**2).sum()))
    assert gradient_norm(model, x, y) == pytest.approx(sum(norms), rel=1e-3)


def test_naswot_counts_the_units_in_which_two_samples_agree(seeded):
    model = _dense()
    x, _ = _batch()
    w1, b1, *_ = model.get_weights()
    on = x.reshape(len(x), -1) @ w1 + b1 > 0
    kernel = np.array([[sum(a == b) for b in on] for a in on], float) + 1e-6 * np.eye(len(x))
    assert naswot(model, x) == pytest.approx(math.log(abs(np.linalg.det(kernel))), rel=1e-4)


def test_naswot_of_equal_samples_is_low_and_finite(seeded):
    x, _ = _batch()
    model = _dense()
    assert np.isfinite(naswot(model, np.repeat(x[:1], 8, axis=0)))
    assert naswot(model, np.repeat(x[:1], 8, axis=0)) < naswot(model, x)


def test_synflow_is_the_sum_over_all_paths(seeded):
    """For a kernel, sum of |w| * dR/d|w| is R without the paths that do not pass it: those of later biases."""
    model = _dense()
    w1, b1, w2, _ = (np.abs(array) for array in model.get_weights())
    through_first = (np.ones(5) @ w1 @ w2).sum()
    through_second = ((np.ones(5) @ w1 + b1) @ w2).sum()
    assert synflow(model) == pytest.approx(math.log(through_first + through_second), rel=1e-5)


def test_synflow_conserves_the_flow_layer_by_layer(seeded):
    """Without biases each layer holds the same flow (Tanaka et al., Theorem 2), so relu6 must not have cut it."""
    seed_everything(0)
    blocks = (Block("conv", 8, 3, activation="relu6", batch_norm=False), Block("conv", 8, 3, batch_norm=False))
    model = build(Architecture((8, 8, 1), blocks, Head(), 3))
    kernels = [np.abs(w.numpy()).astype(float) for w in model.trainable_weights if "kernel" in w.name]
    flow = np.ones((8, 8, 1))
    for kernel in kernels[:2]:
        padded = np.pad(flow, ((1, 1), (1, 1), (0, 0)))
        flow = sum(padded[i : i + 8, j : j + 8] @ kernel[i, j] for i in range(3) for j in range(3))
    total = (flow.mean(axis=(0, 1)) @ kernels[2]).sum()
    assert synflow(model) == pytest.approx(math.log(3 * total), rel=1e-4)


def test_jacobian_covariance_is_the_published_formula(seeded):
    model = _dense()
    x, _ = _batch(n=4)
    w1, b1, w2, _ = (array.astype(np.float64) for array in model.get_weights())
    on = x.reshape(len(x), -1) @ w1 + b1 > 0
    jacobian = (on * w2.sum(axis=1)) @ w1.T
    values = np.linalg.eigvals(np.corrcoef(jacobian)).real + 1e-5
    assert jacobian_covariance(model, x) == pytest.approx(-(np.log(values) + 1 / values).sum(), rel=2e-2)


def test_the_seed_decides_and_nothing_is_left_changed(tensorflow):
    x, y = _batch(16, (8, 8, 1))
    first, again, other = (zero_cost(NET, x, y, seed) for seed in (1, 1, 2))
    assert first == again != other
    model = untrained(NET, 1)
    gradient_norm(model, x, y)
    jacobian_covariance(model, x)
    assert naswot(model, x) == first.naswot
    assert synflow(model) == first.synflow


@pytest.mark.parametrize("shape", [(8, 8, 1), (40, 1, 1), (20, 1, 6), (1, 1, 4)])
def test_every_score_is_a_number_for_any_architecture(tensorflow, shape):
    x, y = _batch(12, shape)
    space = SearchSpace.for_input(shape, 3)
    for seed in range(3):
        scores = zero_cost(space.random_architecture(np.random.default_rng(seed)), x, y, seed)
        assert all(np.isfinite(value) for value in vars(scores).values()), scores


def test_a_wider_net_scores_higher_where_the_score_grows_with_size(tensorflow):
    x, y = _batch(16, (8, 8, 1))
    narrow, wide = (replace(NET, blocks=(Block("conv", filters, 3),)) for filters in (4, 32))
    few, many = (zero_cost(net, x, y, 0) for net in (narrow, wide))
    assert many.naswot > few.naswot
    assert many.synflow > few.synflow


def test_capacity_is_the_footprint_s():
    footprint = screen(NET, Target.load("nucleo_f401"))
    scores = capacity(footprint)
    assert scores["macs"] == count_macs(NET)
    assert scores["params"] == footprint.params
    assert scores["log_params_macs"] == pytest.approx(math.log(footprint.params * count_macs(NET)))

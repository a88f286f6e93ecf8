from dataclasses import replace

import numpy as np
import pytest

from tinynas.architecture import Architecture, Block, Head
from tinynas.data import class_weights
from tinynas.errors import ConversionError
from tinynas.training.augment import Augmentation
from tinynas.training.build import build
from tinynas.training.fit import RATE_PLAIN, Recipe, fit, one_cycle, peak_rate_for, predict
from tinynas.training.keras import keras, layer_weights, seed_everything

NET = Architecture((8, 8, 1), (Block("conv", 8, 3, pool="max"), Block("separable", 8, 3)), Head(), 3)


def _trained(dataset, seed, recipe):
    seed_everything(seed)
    model = build(NET)
    epochs = fit(model, dataset.x, dataset.y, recipe, seed)
    return model, epochs


def test_it_learns(tensorflow, stripes):
    model, epochs = _trained(stripes, 1, Recipe(60, batch_size=16))
    assert epochs == 60
    assert (predict(model, stripes.x_test).argmax(axis=1) == stripes.y_test).mean() >= 0.9


def test_the_same_seed_gives_the_same_weights(tensorflow, stripes):
    recipe = Recipe(3, batch_size=16, augmentation=Augmentation(shift=0.2, noise=0.1, scale=0.1, flip=True))
    first, second, other = (layer_weights(_trained(stripes, seed, recipe)[0]) for seed in (1, 1, 2))
    for name, arrays in first.items():
        for one, two in zip(arrays, second[name], strict=True):
            np.testing.assert_array_equal(one, two)
    assert any(not np.array_equal(a, b) for n in first for a, b in zip(first[n], other[n], strict=True))


@pytest.mark.parametrize(("augment_from", "varied"), [(4, False), (3, True)])
def test_samples_are_varied_in_a_training_that_is_long_enough(tensorflow, stripes, augment_from, varied):
    """Trained as without augmentation below the length, and as with it from there on, to the last bit."""
    shift = Augmentation(shift=0.2)
    reference = Recipe(3, batch_size=16, augmentation=shift if varied else Augmentation())
    recipe = Recipe(3, batch_size=16, augmentation=shift, augment_from=augment_from)
    expected, found = (layer_weights(_trained(stripes, 1, each)[0]) for each in (reference, recipe))
    for name, arrays in expected.items():
        for one, two in zip(arrays, found[name], strict=True):
            np.testing.assert_array_equal(one, two)


class Counted:
    """An augmentation that changes nothing and counts the batches that it was given."""

    def __init__(self):
        self.batches = keras.backend.variable(0.0)

    def __call__(self, x, seed):
        self.batches.assign_add(1.0)
        return x + 0.0


@pytest.mark.parametrize(("plain", "share"), [(0.0, 1.0), (0.2, 0.8), (0.5, 0.5), (1.0, 0.0)])
def test_at_its_end_samples_are_as_they_are(tensorflow, stripes, plain, share):
    """To the step, not to the epoch: a training may have two."""
    counted = Counted()
    _trained(stripes, 1, Recipe(2, batch_size=8, augmentation=counted, plain=plain))
    steps = 2 * (len(stripes.x) // 8)
    assert counted.batches.numpy() == pytest.approx(share * steps, abs=1)


def test_the_rate_rises_and_falls(tensorflow):
    rates = [float(one_cycle(np.float32(p), 4e-3)) for p in np.linspace(0, 1, 101)]
    assert np.argmax(rates) == 25
    assert max(rates) == pytest.approx(4e-3)
    assert rates[0] == pytest.approx(4e-3 / 25)
    assert rates[-1] < 1e-5
    assert np.all(np.diff(rates[:25]) > 0)
    assert np.all(np.diff(rates[26:]) < 0)


def test_a_time_budget_ends_it(tensorflow, stripes):
    _, epochs = _trained(stripes, 1, Recipe(10**6, batch_size=16, time_budget_s=1.5))
    assert 1 <= epochs < 10**5


def test_however_short_the_time_the_least_epochs_are_trained(tensorflow, stripes):
    assert _trained(stripes, 1, Recipe(50, batch_size=16, time_budget_s=0.0, least_epochs=7))[1] == 7
    assert _trained(stripes, 1, Recipe(3, batch_size=16, time_budget_s=0.0, least_epochs=7))[1] == 3


def test_a_loss_that_is_no_number_is_an_error(tensorflow, stripes):
    seed_everything(1)
    model = build(NET, {"head_classes": [np.zeros((8, 3)), np.full(3, np.nan)]})
    with pytest.raises(ConversionError, match="loss became nan in epoch 1"):
        fit(model, stripes.x, stripes.y, Recipe(2, batch_size=16), 1)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_replicas_learn_too(tensorflow, stripes, precision):
    seed_everything(1)
    model = build(NET, precision=precision)
    fit(model, stripes.x, stripes.y, Recipe(60, batch_size=8, replicas=2), 1)
    whole = build(NET, layer_weights(model))  # what was trained in bfloat16 is a float32 model
    assert (predict(whole, stripes.x_test).argmax(axis=1) == stripes.y_test).mean() >= 0.9


def test_a_step_of_replicas_is_that_of_their_mean_gradient(tensorflow, stripes):
    """Without batch norm two batches side by side are one batch of both."""
    net = Architecture((8, 8, 1), (Block("conv", 4, 3, batch_norm=False),), Head(), 3)
    found = []
    for recipe in (Recipe(2, batch_size=16, replicas=1), Recipe(2, batch_size=8, replicas=2)):
        seed_everything(3)
        model = build(net)
        fit(model, stripes.x, stripes.y, recipe, 5)
        found.append(layer_weights(model))
    for name, arrays in found[0].items():
        for one, two in zip(arrays, found[1][name], strict=True):
            np.testing.assert_allclose(one, two, atol=1e-4)


def test_weighted_losses_are_keras_sample_weights(seeded, stripes):
    """One step of plain gradients: the loss that is reported is Keras's with a weight a sample."""
    rare = np.concatenate(
        [np.flatnonzero(stripes.y == 0), np.flatnonzero(stripes.y == 1)[:2], [np.argmax(stripes.y == 2)]]
    )
    x, y = stripes.x[rare], stripes.y[rare]
    weights = class_weights(y, 3)
    model = build(Architecture((8, 8, 1), (Block("conv", 4, 3, batch_norm=False),), Head("gap"), 3, dropout=(0.0, 0.0)))
    losses = keras.losses.sparse_categorical_crossentropy(y, predict(model, x)).numpy()
    wanted = float((losses * np.array(weights)[y]).mean())
    reported = []
    recipe = Recipe(epochs=1, batch_size=len(x), label_smoothing=0.0, class_weights=weights)
    fit(model, x, y, recipe, 0, report=lambda progress: reported.append(progress.loss))
    assert reported[0] == pytest.approx(wanted, rel=1e-4)


def test_a_slow_first_epoch_does_not_end_the_plan_early():
    """On small data the graph is made in the first epochs; the rate must not fall while there is time left to learn."""
    from tinynas.training.fit import _replan

    recipe = Recipe(10**4, time_budget_s=45.0)
    ends = [1.0, 9.0, *(9.0 + 0.05 * n for n in range(1, 9))]
    assert _replan(recipe, ends) == 9 + round((45 - ends[-1]) / 0.05)
    assert _replan(replace(recipe, time_budget_s=None), ends) == 10**4
    assert _replan(replace(recipe, time_budget_s=9.0), ends) == 9


def test_networks_with_batch_norm_get_a_higher_rate():
    normed, plain = Block("conv", 4, 3), Block("conv", 4, 3, batch_norm=False)
    rates = [
        peak_rate_for(Architecture((8, 8, 1), blocks, Head(), 3))
        for blocks in ((normed,), (normed, normed), (normed, plain), (plain,))
    ]
    assert rates[0] == rates[1] > rates[2] == rates[3] == RATE_PLAIN

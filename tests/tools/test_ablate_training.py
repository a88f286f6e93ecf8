import numpy as np
import pytest
from ablate_training import IDEAS, SWA_RATE, Run, Wide, _Averaged, _mixed, _rate

from tinynas.architecture import Architecture, Block, Head
from tinynas.training.augment import Augmentation
from tinynas.training.build import build
from tinynas.training.fit import one_cycle
from tinynas.training.keras import keras, seed_everything, tf

pytestmark = pytest.mark.usefixtures("tensorflow")

BLOCKS = (Block("conv", 4, 3, pool="max"), Block("separable", 6, 3), Block("depthwise", 6, 3))
NET = Architecture((8, 8, 1), BLOCKS, Head(), 3)


@pytest.mark.parametrize("idea", ["mixup", "cutmix"])
def test_labels_are_mixed_as_the_pictures_are(idea):
    """Of a white and a black picture the mean brightness is the share of the white one's label."""
    images = tf.constant(np.stack([np.ones((10, 10, 1)), np.zeros((10, 10, 1))]), tf.float32)
    shares = []
    for seed in range(12):
        mixed, targets = _mixed(images, tf.eye(2), tf.constant([seed, 5]), idea)
        np.testing.assert_allclose(tf.reduce_mean(mixed, (1, 2, 3)), targets[:, 0], atol=1e-6)
        np.testing.assert_allclose(tf.reduce_sum(targets, 1), 1, atol=1e-6)
        shares.append(float(targets[0, 0]))
    assert len(set(shares)) > 4


def test_the_network_is_the_first_part_of_the_wide_one():
    """Without what it has more, the wide one computes what the network does, in training."""
    seed_everything(0)
    model = build(NET)
    wide = Wide(NET, model)
    x = tf.constant(np.random.default_rng(0).random((5, 8, 8, 1), dtype=np.float32))
    assert np.abs(wide(x) - model(x, training=True)).max() > 1e-3
    for extra in wide.variables:
        extra.assign(tf.zeros_like(extra))
    np.testing.assert_allclose(wide(x), model(x, training=True), atol=1e-5)


def test_a_moving_average_starts_as_the_mean_of_all():
    model = keras.Sequential([keras.layers.Dense(1, use_bias=False, input_shape=(1,))])
    model.set_weights([np.array([[3.0]])])
    averaged = _Averaged(model, steps=100)
    model.set_weights([np.array([[5.0]])])
    averaged.add()
    averaged.put()
    assert model.get_weights()[0] == pytest.approx(4.0)


def test_the_rate_of_swa_stays_where_it_is_in_the_last_quarter():
    late = [float(_rate(at, 1.0, "swa")) for at in (0.75, 0.9, 1.0)]
    assert late == [SWA_RATE] * 3
    assert float(_rate(0.25, 1.0, "swa")) == pytest.approx(1.0)
    assert float(_rate(0.9, 1.0, "base")) == pytest.approx(float(one_cycle(tf.constant(0.9), 1.0)), rel=1e-4)


@pytest.mark.parametrize("idea", IDEAS)
def test_each_idea_learns_what_is_easy(idea):
    """Three stripes, one a class."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 200)
    x = rng.random((200, 8, 8, 1), dtype=np.float32) * 0.5
    x[np.arange(200), y * 2] += 0.5
    run = Run(x, y, 3, 40, 0, Augmentation())
    teachers = {"distil": 1, "ensemble": 2}.get(idea, 0)
    model = run.trained(NET, idea, [run.trained(NET, "base") for _ in range(teachers)])
    assert (model.predict(x, verbose=0).argmax(1) == y).mean() > 0.8

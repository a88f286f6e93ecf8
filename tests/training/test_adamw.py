import numpy as np

from tinynas.architecture import Architecture, Block, Head
from tinynas.training.adamw import AdamW
from tinynas.training.build import build
from tinynas.training.keras import keras, layer_weights, tf

NET = Architecture((6, 6, 1), (Block("conv", 4, 3), Block("separable", 5, 3, batch_norm=False)), Head(), 3)


def test_it_takes_the_steps_of_keras_s(seeded):
    ours, theirs = build(NET), build(NET)
    theirs.set_weights(ours.get_weights())
    mine = AdamW(ours.trainable_variables, 0.1)
    reference = keras.optimizers.AdamW(1e-2, weight_decay=0.1)
    reference.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    rng = np.random.default_rng(0)
    step = tf.function(mine.apply)
    for rate in (1e-2, 3e-2, 1e-3):
        gradients = [tf.constant(rng.normal(size=v.shape), tf.float32) for v in ours.trainable_variables]
        step(gradients, tf.constant(rate))
        reference.learning_rate = rate
        reference.apply_gradients(zip(gradients, theirs.trainable_variables, strict=True))
    before = layer_weights(theirs)
    for name, arrays in layer_weights(ours).items():
        for one, two in zip(arrays, before[name], strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-6)

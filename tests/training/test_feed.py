"""Training on samples that do not fit in memory: the same as on an array, part by part."""

import numpy as np
import pytest

from tinynas.architecture import Architecture, Block, Head
from tinynas.data import Dataset, Samples


def samples(dataset: Dataset, n_bytes: int) -> Samples:
    """The training part of `dataset`, of which at most `n_bytes` may be held."""
    raw = np.round(dataset.x * 255).astype(np.uint8)
    lazy = Dataset.from_arrays(raw, dataset.y, raw[:9], dataset.y[:9], in_memory_bytes=n_bytes)
    assert isinstance(lazy.x, Samples)
    return lazy.x


@pytest.mark.parametrize("n_bytes", [8 * 8 * 4 * 48 - 1, 8 * 8 * 4 * 20, 8 * 8 * 4 * 17, 1])
def test_parts_are_the_rows_that_were_asked_for(seeded, stripes, n_bytes) -> None:
    from tinynas.training.feed import Feed

    lazy = samples(stripes, n_bytes)
    batch = 8
    order = np.random.default_rng(0).permutation(len(lazy))[:48].reshape(-1, batch)
    feed = Feed(lazy, stripes.y, batch)
    whole, seen = np.asarray(lazy), []
    for part in feed.parts(order):
        assert part.shape[1:] == (batch,)
        data, labels = feed.data.numpy()[part], feed.labels.numpy()[part]
        rows = order[len(seen) : len(seen) + len(part)]
        np.testing.assert_array_equal(data, whole[rows])
        np.testing.assert_array_equal(labels, stripes.y[rows])
        seen += list(part)
    assert len(seen) == len(order)
    assert feed.data.shape[0] <= max(batch, n_bytes // (8 * 8 * 4))


def test_an_array_is_one_part(seeded, stripes) -> None:
    from tinynas.training.feed import Feed

    feed = Feed(stripes.x, stripes.y, 8)
    order = np.arange(48).reshape(6, 8)
    (part,) = feed.parts(order)
    np.testing.assert_array_equal(part, order)
    np.testing.assert_array_equal(feed.data.numpy(), stripes.x)


@pytest.mark.parametrize("n_bytes", [8 * 8 * 4 * 40, 8 * 8 * 4 * 16])
def test_weights_after_training_are_those_of_an_array(seeded, stripes, n_bytes) -> None:
    from tinynas.training.build import build
    from tinynas.training.fit import Recipe, fit

    lazy = samples(stripes, n_bytes)
    network = Architecture((8, 8, 1), (Block("conv", 4, 3),), Head("gap"), 3)
    trained = []
    for x in (np.asarray(lazy), lazy):
        seeded.seed_everything(1)
        model = build(network)
        assert fit(model, x, stripes.y, Recipe(epochs=3, batch_size=8), seed=5) == 3
        trained.append(model.get_weights())
    for one, other in zip(*trained, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)

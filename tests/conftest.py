"""What all tests share: one TensorFlow session, small data, hypothesis without deadlines (the machine is noisy)."""

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from tinynas.architecture import kinds
from tinynas.data import Dataset

settings.register_profile("tinynas", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tinynas")


@pytest.fixture(autouse=True)
def kinds_that_ship():
    """What a test registers as a kind of block is gone after it."""
    before = dict(kinds._kinds)
    yield
    for name in set(kinds._kinds) - set(before):
        del kinds._kinds[name]


@pytest.fixture(scope="session")
def tensorflow():
    """TensorFlow as a worker process has it: one thread, deterministic."""
    from tinynas.training import keras

    keras.configure(1)
    keras.seed_everything(0)
    return keras.tf


@pytest.fixture
def seeded(tensorflow):
    """A fresh Keras session with a fixed seed."""
    from tinynas.training import keras

    keras.seed_everything(0)
    yield keras
    keras.keras.backend.clear_session()


@pytest.fixture(scope="session")
def stripes() -> Dataset:
    """Sixty 8 x 8 pictures of horizontal, vertical or diagonal stripes: learned in seconds, not trivial."""
    rng = np.random.default_rng(0)
    axis = np.arange(8)
    waves = (axis[:, None] + 0 * axis, axis + 0 * axis[:, None], axis[:, None] + axis)
    y = np.arange(60) % 3
    x = np.stack([0.5 + 0.4 * np.sin(waves[k] * np.pi / 2 + rng.uniform(0, 6)) for k in y])
    noisy = np.clip(x + rng.normal(0, 0.05, x.shape), 0, 1)
    return Dataset.from_arrays(noisy.astype(np.float32), y, name="stripes")


@pytest.fixture(scope="session")
def small_run(stripes, tmp_path_factory):
    """A real search, as small as one can be: two children, a finalist on two folds, two epochs at the end."""
    from tinynas import search

    return search(
        stripes,
        "nucleo_f401",
        out=tmp_path_factory.mktemp("runs") / "small",
        workers=1,
        max_trials=2,
        n_children=2,
        n_folds=2,
        n_finalists=1,
        final_epochs=2,
    )

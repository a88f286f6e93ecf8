"""What all tests share: one TensorFlow session, small data, hypothesis without deadlines (the machine is noisy)."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from tinynas.architecture import kinds
from tinynas.data import Dataset

ROOT = Path(__file__).parent

settings.register_profile("tinynas", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tinynas")


# The files whose tests take longest, the longest first: begun last, one of them would keep the other cores waiting.
# `pytest --durations=40` tells when this is out of date.
LONG_FILES = ("searching/test_loop", "cli/test_cli", "searching/test_executor", "training/", "searching/", "screening/")


def pytest_collection_modifyitems(config, items):
    """On several cores (`pytest -n auto --dist loadgroup`): which tests share a process, and which come first.

    The tests of a file stay together, so that what they share is made once, and so do all that need a run.
    """
    for item in items:
        # Processes compare what they have collected, and an address is another in each of them.
        assert " at 0x" not in item.nodeid, f"{item.nodeid}: give the parameter an id of its own"
        group = "small_run" if "small_search" in item.fixturenames else item.path.relative_to(ROOT).as_posix()
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(group))
    if hasattr(config, "workerinput"):
        items.sort(key=_turn)


def _turn(item):
    """0 for the tests that need a run, then the place in LONG_FILES."""
    group = item.get_closest_marker("xdist_group").args[0]
    long = [place for place, start in enumerate(LONG_FILES, 1) if group.startswith(start)]
    return 0 if group == "small_run" else min(long, default=len(LONG_FILES) + 1)


@pytest.fixture(autouse=True)
def tensorflow_is_set_up_first():
    """TensorFlow's threads cannot be set once it runs: a test that starts it takes the fixture `tensorflow`."""
    yield
    keras = sys.modules.get("tinynas.training.keras")
    if keras is not None and keras.tf.config.threading.get_intra_op_parallelism_threads() != 1:
        from tensorflow.python.eager import context

        assert context.context()._context_handle is None, "this test ran TensorFlow without the fixture `tensorflow`"


@pytest.fixture(scope="session", autouse=True)
def nothing_is_measured(tmp_path_factory):
    """What was measured of boards here is not what the tests know: they have a folder of data of their own."""
    before = os.environ.get("XDG_DATA_HOME")
    os.environ["XDG_DATA_HOME"] = str(tmp_path_factory.mktemp("data_home"))
    yield
    if before is None:
        del os.environ["XDG_DATA_HOME"]
    else:
        os.environ["XDG_DATA_HOME"] = before


@pytest.fixture(autouse=True)
def tables_are_wide(monkeypatch):
    """Tables are as wide where the suite runs in a narrow terminal; a test of widths sets its own."""
    monkeypatch.setenv("COLUMNS", "140")


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


def _stripes():
    """Sixty 8 x 8 pictures of horizontal, vertical or diagonal stripes, and which they are."""
    rng = np.random.default_rng(0)
    axis = np.arange(8)
    waves = (axis[:, None] + 0 * axis, axis + 0 * axis[:, None], axis[:, None] + axis)
    y = np.arange(60) % 3
    x = np.stack([0.5 + 0.4 * np.sin(waves[k] * np.pi / 2 + rng.uniform(0, 6)) for k in y])
    noisy = np.clip(x + rng.normal(0, 0.05, x.shape), 0, 1)
    return noisy.astype(np.float32), y


@pytest.fixture(scope="session")
def stripes() -> Dataset:
    """Sixty striped pictures: learned in seconds, not trivial."""
    return Dataset.from_arrays(*_stripes(), name="stripes")


@pytest.fixture(scope="session")
def small_search(tmp_path_factory):
    """The command of a real search on the stripes that has ended, and the folder of its run.

    It is as small as one can be: two children, a finalist on two folds, two epochs at the end.
    """
    folder, data = tmp_path_factory.mktemp("runs"), tmp_path_factory.mktemp("data") / "stripes.npz"
    x, y = _stripes()
    np.savez(data, x=x, y=y)
    arguments = f"search --data {data} --target nucleo_f401 --workers 1 --out small --json"
    small = "--trials 2 --children 2 --folds 2 --finalists 1 --final-epochs 2"
    command = [sys.executable, "-m", "tinynas", *arguments.split(), *small.split()]
    environment = {**os.environ, "COLUMNS": "100"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment)
    assert done.returncode == 0, done.stderr
    return done, folder / "small"


@pytest.fixture(scope="session")
def small_run(small_search, stripes):
    """What `search()` returned of it."""
    from tinynas import resume

    return resume(small_search[1], stripes)

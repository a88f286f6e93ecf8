"""The fixtures' engines and what TFLM answers, made once for all tests of this room; the tools on the path."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.engine.host import Int8s, samples, shaped
from tests.tflite import wheel
from tests.tflite.models import NAMES, fixture
from tinynas.engine import Engine, build

N_SAMPLES = 4


@dataclass(frozen=True, eq=False)
class Witnessed:
    """Models with their engines, some inputs (n, bytes) of each, and TFLM's outputs (n, values)."""

    names: list[str]
    engines: list[Engine]
    inputs: list[Int8s]
    outputs: list[Int8s]


def witnessed(names: list[str], models: list[bytes], n_samples: int, by_rows: bool = True) -> Witnessed:
    engines = [build(data, by_rows=by_rows) for data in models]
    inputs = [samples(engine.net, n_samples, k) for k, engine in enumerate(engines)]
    tasks = [(data, shaped(engine, x)) for data, engine, x in zip(models, engines, inputs, strict=True)]
    outputs = [found.reshape(n_samples, -1) for found in wheel.outputs(tasks)]
    return Witnessed(names, engines, inputs, outputs)


@pytest.fixture(scope="session")
def fixtures() -> Witnessed:
    """All fixtures, a few inputs each."""
    return witnessed(NAMES, [fixture(name) for name in NAMES], N_SAMPLES)


sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))  # emulated boards: tools/boards

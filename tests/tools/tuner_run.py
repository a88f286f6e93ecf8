"""keras-tuner on made-up scores, in a process of its own: its Keras must not meet tf_keras's in the tests' process."""

import json
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from searchbench.drive import Meter
from searchbench.tuner import run_tuner

from tests.searching.conftest import evaluate, footprint_of
from tinynas.architecture import SearchSpace
from tinynas.hardware import Limits


@dataclass
class Found:
    """What came of it: clock and points, epochs and keys of all trainings, whether each fits and is in the space."""

    seconds: float
    points: list
    epochs: list
    keys: list
    sound: bool


def main(name: str) -> Found:
    space, limits = SearchSpace.for_input((8, 8, 1), 3), Limits(flash_bytes=8000, ram_bytes=4000)
    clock, seen = [0.0], []
    meter = Meter(60.0, lambda: clock[0])

    def train(number, architecture, footprint, epochs=None):
        sound = space.contains(architecture) and not limits.violations(footprint)
        seen.append((architecture.key, epochs, sound))
        clock[0] += 1.0 if epochs is None else epochs
        return replace(evaluate(architecture), footprint=footprint)

    run_tuner(name, space, footprint_of, limits, train, meter, 0, 3)
    keys, epochs, sound = zip(*seen, strict=True)
    return Found(clock[0], meter.points, list(epochs), list(keys), all(sound))


if __name__ == "__main__":
    found = main(sys.argv[1])
    print(json.dumps(asdict(found)))

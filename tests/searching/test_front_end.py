"""The limits of a search count what stands before the network: features, ring and stream."""

import numpy as np
import pytest

from tests.data.kinds import KINDS
from tests.searching.conftest import evaluate, footprint_of
from tinynas import Dataset, Limits, resume, search
from tinynas.data import load
from tinynas.errors import InfeasibleError
from tinynas.runs import read_settings
from tinynas.searching.front_end import front_end_of


@pytest.fixture(scope="module")
def sounds(tmp_path_factory) -> Dataset:
    return load(KINDS["sounds"].write(tmp_path_factory.mktemp("sounds"), 8))


def run(dataset, target, tmp_path, **limits):
    return search(dataset, target, out=tmp_path / "run", evaluate=evaluate, screen=footprint_of, n_generations=1,
                  n_children=2, n_folds=2, limits=Limits(**limits), progress=False)  # fmt: skip


def test_a_model_that_fits_alone_but_not_with_its_front_end_is_never_trained(sounds, target, tmp_path):
    front = front_end_of(sounds, target)
    assert front is not None
    assert front.flash_bytes > 2000
    result = run(sounds, target, tmp_path, board_flash_bytes=200_000)
    trial = result.trials[0]
    footprint = trial.evaluation.footprint or footprint_of(trial.architecture).with_front_end(front)
    assert footprint.flash.front_end == front.flash_bytes
    assert footprint.front_end_ram_bytes == front.ram_bytes
    alone = 41_000 + front.flash_bytes  # what the made-up screen has at least, and the front end beside it

    def never(architecture):
        raise AssertionError("it was trained")

    with pytest.raises(InfeasibleError) as told:
        search(sounds, target, out=tmp_path / "tight", evaluate=never, screen=footprint_of, n_generations=1,
               n_folds=2, limits=Limits(board_flash_bytes=alone - 1), progress=False)  # fmt: skip
    assert " B + front end " in str(told.value)
    assert f"front end {front.flash_bytes:,} B" in str(told.value)
    assert "(network " in str(told.value)


def test_ram_in_all_has_it_too(sounds, target, tmp_path):
    front = front_end_of(sounds, target)
    assert front is not None
    with pytest.raises(InfeasibleError, match=r"RAM with TFLM .* \(network .* B \+ front end .* B\), limit"):
        run(sounds, target, tmp_path, board_ram_bytes=front.ram_bytes + 2000)


def test_the_settings_keep_it(sounds, target, tmp_path):
    run(sounds, target, tmp_path)
    assert read_settings(tmp_path / "run").front_end == front_end_of(sounds, target)
    assert resume(tmp_path / "run", sounds, evaluate=evaluate, screen=footprint_of, progress=False).trials


def test_pictures_and_tables_have_none(target):
    rng = np.random.default_rng(0)
    pictures = Dataset.from_arrays(rng.random((12, 8, 8)), [0, 1, 2] * 4)
    assert front_end_of(pictures, target) is None

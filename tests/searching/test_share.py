"""A data set sent to another process: a few bytes, and the same to the bit when it is opened."""

import pickle

import numpy as np
import pytest

from tests.data.kinds import KINDS
from tinynas import search
from tinynas.data import Dataset, Samples, load
from tinynas.searching.share import share


@pytest.mark.parametrize("in_memory_bytes", [1 << 30, 2000])
@pytest.mark.parametrize("name", ["idx", "npy", "pictures", "signals", "sounds in windows"])
def test_what_is_opened_is_what_was_shared(tmp_path, name, in_memory_bytes) -> None:
    folder, shared_folder = tmp_path / "data", tmp_path / "shared"
    folder.mkdir()
    shared_folder.mkdir()
    kind = KINDS[name]
    data = load(kind.write(folder, 40), in_memory_bytes=in_memory_bytes, **kind.options)
    assert isinstance(data.x, Samples) == (in_memory_bytes == 2000)
    sent = pickle.dumps(share(data, shared_folder))
    assert len(sent) < 5000
    opened = pickle.loads(sent).open()
    assert opened.digest == data.digest
    assert opened.summary() == data.summary()
    for one, other in zip(data.folds(2, 0), opened.folds(2, 0), strict=True):
        np.testing.assert_array_equal(one.validation, other.validation)


@pytest.mark.slow
def test_a_search_on_samples_that_stay_on_disk_is_that_on_arrays(tmp_path, stripes) -> None:
    """Every part of a search with room for twenty samples: trials, finalist, final training, test set, TFLM."""
    raw = np.round(stripes.x * 255).astype(np.uint8)
    raw_test = np.round(stripes.x_test * 255).astype(np.uint8)
    summaries = []
    for name, in_memory_bytes in (("arrays", 1 << 30), ("disk", 20 * 8 * 8 * 4)):
        data = Dataset.from_arrays(raw, stripes.y, raw_test, stripes.y_test, in_memory_bytes=in_memory_bytes)
        assert isinstance(data.x, Samples) == (name == "disk")
        result = search(
            data, "nucleo_f401", out=tmp_path / name, workers=1, max_trials=2, n_children=2, n_folds=2, n_finalists=1,
            final_epochs=2, qat=False, augment="none", batch_size=8,
        )  # fmt: skip
        assert all(not trial.evaluation.error for trial in result.trials)
        summaries.append(result.summary["best"])
    assert summaries[0]["architecture"] == summaries[1]["architecture"]
    for part in ("validation", "test"):
        one, other = (np.array(_numbers(summary[part])) for summary in summaries)
        np.testing.assert_allclose(one, other, atol=0.05)  # sums run in another order


def _numbers(held) -> list[float]:
    return [n for v in held.values() for n in (_numbers(v) if isinstance(v, dict) else [v]) if isinstance(n, float)]

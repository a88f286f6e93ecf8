"""A data set sent to another process: a few bytes, and the same to the bit when it is opened."""

import pickle

import numpy as np
import pytest

from tests.data.kinds import KINDS
from tinynas.data import Samples, load
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

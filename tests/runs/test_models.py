"""Models of trials in a run folder: written whole, pruned, read back, missed by name."""

import numpy as np
import pytest

from tinynas.errors import RunError
from tinynas.runs import Best, kept, trial_folder
from tinynas.runs.models import prune, write_model

ABOUT = {"stage": "proxy", "class_names": [], "layout": "image", "normalization": {}, "footprint": {}}
SAMPLES = np.arange(12, dtype=np.int8).reshape(3, 2, 2, 1)


def _write(folder, number, tflite=b"model"):
    write_model(trial_folder(folder, number), ABOUT, b"keras", tflite, SAMPLES)


def test_a_trial_s_model_comes_back(tmp_path):
    _write(tmp_path, 12, b"twelve")
    model = Best(tmp_path, 12)
    assert model.tflite == b"twelve"
    assert model.about["stage"] == "proxy"
    np.testing.assert_array_equal(model.samples, SAMPLES)
    assert {path.name for path in trial_folder(tmp_path, 12).iterdir()} == {
        "architecture.json",
        "model.keras",
        "model.tflite",
        "samples.npy",
    }


def test_pruning_leaves_what_is_named_and_nothing_half_written(tmp_path):
    assert kept(tmp_path) == ()
    prune(tmp_path, ())
    for number in (2, 10, 3):
        _write(tmp_path, number)
    (tmp_path / "models" / "4.new").mkdir()
    assert kept(tmp_path) == (2, 3, 10)
    prune(tmp_path, {3, 10, 77})
    assert kept(tmp_path) == (3, 10)
    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == ["10", "3"]


def test_a_trial_without_a_model_names_those_that_have_one(tmp_path):
    with pytest.raises(RunError, match="no model of trial 1, nor of any other"):
        Best(tmp_path, 1)
    for number in (2, 10):
        _write(tmp_path, number)
    with pytest.raises(RunError, match=r"no model of trial 1: .* 2, 10; tinynas train .*:1 gives"):
        Best(tmp_path, 1)


def test_a_damaged_model_of_a_trial_is_one_sentence(tmp_path):
    _write(tmp_path, 2)
    (trial_folder(tmp_path, 2) / "model.tflite").write_bytes(b"other")
    with pytest.raises(RunError, match="digest differs"):
        Best(tmp_path, 2)
    (trial_folder(tmp_path, 2) / "samples.npy").write_bytes(b"")
    with pytest.raises(RunError, match=r"cannot be read .* take another trial"):
        Best(tmp_path, 2)


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '|i1', 'fortran_order': False, 'shape': (3, 2, 2, 1), ",  # NumPy reads it as Python, to its end
        b"{'descr': '|i1', 'fortran_order': False, 'shape': (3000000000, 2, 2, 1), }",
        b"{'descr': '|S12', 'fortran_order': False, 'shape': (), }",
        b"{'descr': '|O', 'fortran_order': False, 'shape': (3, 2, 2, 1), }",
    ],
)
def test_samples_of_which_any_part_is_damaged_are_one_sentence(tmp_path, header):
    _write(tmp_path, 2)
    text = header.ljust(117) + b"\n"
    content = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(12)
    (trial_folder(tmp_path, 2) / "samples.npy").write_bytes(content)
    with pytest.raises(RunError, match=r"(cannot be read|is damaged) .*take another trial"):
        Best(tmp_path, 2)

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from tinynas import convert
from tinynas.errors import ConversionError, RunError, TinynasError, UsageError
from tinynas.hardware import Target
from tinynas.runs import Best
from tinynas.tflite import analyze, tflm


def test_the_files_are_those_of_the_best_model(small_run, tmp_path):
    converted = convert(small_run.folder, out=tmp_path / "fw", name="stripes_net")
    assert [path.name for path in converted.files] == ["stripes_net.tflite", "stripes_net.h", "stripes_net.cc"]
    data = (tmp_path / "fw" / "stripes_net.tflite").read_bytes()
    assert len(data) == converted.analysis.footprint.flash_bytes
    assert converted.tflm_largest_step in (0, 1)
    header = (tmp_path / "fw" / "stripes_net.h").read_text()
    minimum = analyze(data, Target.load("nucleo_f401")).arena.minimum
    assert f"_ARENA_BYTES {minimum}\n" in header
    assert small_run.summary["best"]["arena_bytes"] >= minimum


def test_best_is_the_newest_run(small_run, tmp_path):
    converted = convert(out=tmp_path, runs=small_run.folder.parent)
    assert (tmp_path / "model.tflite").exists()
    assert len(converted.files) == 3


def test_outputs_are_those_of_the_model_that_was_trained(small_run, tmp_path):
    best = Best(small_run.folder)
    convert(small_run.folder, out=tmp_path)
    np.testing.assert_array_equal(
        tflm.run((tmp_path / "model.tflite").read_bytes(), best.samples), tflm.run(best.tflite, best.samples)
    )


@pytest.mark.parametrize("name", ["3net", "a-b", "int", ""])
def test_a_name_that_is_no_identifier_writes_nothing(small_run, tmp_path, name):
    with pytest.raises(TinynasError):
        convert(small_run.folder, out=tmp_path / "fw", name=name)
    assert not (tmp_path / "fw").exists()


def test_what_is_missing_or_damaged_is_said(small_run, tmp_path):
    with pytest.raises(RunError, match="no run in"):
        convert(runs=tmp_path)
    with pytest.raises(RunError, match="is not a run folder"):
        convert(tmp_path)
    damaged = tmp_path / "damaged"
    shutil.copytree(small_run.folder, damaged)
    model = damaged / "best" / "model.tflite"
    model.write_bytes(model.read_bytes()[:-4] + b"\0\0\0\1")
    with pytest.raises(RunError, match="digest differs"):
        convert(damaged)
    shutil.rmtree(damaged / "best")
    with pytest.raises(RunError, match="no best model yet"):
        convert(damaged)


def test_a_model_that_does_not_fit_is_not_written(small_run, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(small_run.folder, copy)
    settings = json.loads((copy / "settings.json").read_text())
    settings["limits"]["flash_bytes"] = 500
    (copy / "settings.json").write_text(json.dumps(settings))
    with pytest.raises(ConversionError, match=r"does not fit nucleo_f401: model file .* limit 500 B"):
        convert(copy, out=tmp_path / "fw")
    assert not (tmp_path / "fw").exists()


def test_a_folder_that_cannot_be_written_is_said(small_run, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConversionError, match="cannot be written"):
        convert(replace(small_run), out=tmp_path / "file")


def test_nothing_is_written_when_one_file_cannot_be(small_run, tmp_path):
    (tmp_path / "fw" / "model.h").mkdir(parents=True)
    with pytest.raises(ConversionError, match="is a folder"):
        convert(small_run.folder, out=tmp_path / "fw")
    assert [path.name for path in (tmp_path / "fw").iterdir()] == ["model.h"]


def test_what_cannot_be_converted_is_said():
    with pytest.raises(UsageError, match="got int"):
        convert(5)


def test_the_golden_sample_is_what_the_reference_gives(small_run, tmp_path):
    from tinynas.training.int8 import Int8Model

    convert(small_run.folder, out=tmp_path)
    best = Best(small_run.folder)
    output = Int8Model((tmp_path / "model.tflite").read_bytes(), reference=True).run(best.samples[:1])[0]
    source = (tmp_path / "model.cc").read_text()
    numbers = source.split("golden_output", 1)[1].split("{", 1)[1].split("}", 1)[0]
    assert [int(number) for number in numbers.replace("\n", " ").split(",") if number.strip()] == output.tolist()

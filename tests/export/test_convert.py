"""convert: a run's best model through the whole export, and what keeps it from being written."""

import hashlib
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.export.firmware import needs_compiler, program, run, table
from tests.tflite import wheel
from tinynas import convert
from tinynas.errors import ConversionError, RunError, TinynasError, UsageError
from tinynas.export import FORMATS, check
from tinynas.hardware import Target
from tinynas.runs import Best, kept
from tinynas.tflite import analyze, tflm

FILES = ["{}.tflite", "{}.h", "{}.cc", "{}_settings.h", "{}_ops.h", "{}_test.h", "{}_test.cc", "main.cc", "README.md"]


def constants(settings: str) -> dict[str, str]:
    """The #defines of NAME_settings.h."""
    return dict(re.findall(r"^#define (\w+) (.+)$", settings, re.MULTILINE))


def golden(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The arrays of NAME_test.cc, read as text, of the types that they are declared with."""
    text = (folder / f"{name}_test.cc").read_text()
    found = []
    for what in ("inputs", "outputs"):
        kind = re.search(rf"^const (\w+) {name}_test_{what}\[", text, re.MULTILINE)[1]
        body = text.split(f"_test_{what}[", 1)[1].split("= {", 1)[1].split("};", 1)[0]
        rows = [row.replace(",", " ").replace("f", "").split() for row in re.findall(r"\{([^}]*)\}", body)]
        dtype = np.dtype({"float": "float32"}.get(kind, kind.removesuffix("_t")))
        found.append(np.array([[dtype.type(word) for word in row] for row in rows]))
    return found[0], found[1]


def shape_of(folder: Path, name: str) -> tuple[int, ...]:
    """The shape of one input, without its batch."""
    settings = constants((folder / f"{name}_settings.h").read_text())
    return tuple(int(size) for size in settings[f"{name.upper()}_INPUT_SHAPE"].strip("{}").split(","))[1:]


@pytest.fixture(scope="module")
def exported(small_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "fw"
    return folder, convert(small_run.folder, out=folder, name="stripes_net")


def test_the_files_are_those_of_the_best_model(exported, small_run):
    folder, converted = exported
    assert [path.name for path in converted.files] == [name.format("stripes_net") for name in FILES]
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in converted.files)
    data = (folder / "stripes_net.tflite").read_bytes()
    assert len(data) == converted.analysis.footprint.flash_bytes
    said = f"Converted(file {len(data):,} B, arena {converted.arena.total:,} B; {len(FILES)} files in {folder})"
    assert repr(converted) == said
    assert converted.tflm_largest_step in (0, 1)
    assert converted.stage == "final"
    assert converted.notes == ()
    settings = constants((folder / "stripes_net_settings.h").read_text())
    minimum = analyze(data, Target.load("nucleo_f401")).arena.minimum
    assert int(settings["STRIPES_NET_ARENA_MINIMUM"]) == minimum == converted.arena.minimum
    assert int(settings["STRIPES_NET_ARENA_BYTES"]) == converted.arena.total > minimum
    assert settings["STRIPES_NET_SHA256"] == f'"{hashlib.sha256(data).hexdigest()}"'
    assert settings["STRIPES_NET_BOARD"] == '"nucleo_f401"'
    assert small_run.summary["best"]["arena_bytes"] >= minimum


def test_golden_outputs_are_tflms_for_held_out_inputs(exported, small_run):
    folder, converted = exported
    inputs, outputs = golden(folder, "stripes_net")
    assert len(inputs) == len(outputs) == converted.golden_samples == 8
    held_out = {sample.tobytes() for sample in Best(small_run.folder).samples}
    assert all(row.tobytes() in held_out for row in inputs)
    data = (folder / "stripes_net.tflite").read_bytes()
    np.testing.assert_array_equal(tflm.run(data, inputs), outputs)


@needs_compiler
def test_the_program_passes_its_self_test_with_tflms_answers(exported, tmp_path):
    folder, converted = exported
    shutil.copytree(folder, tmp_path / "fw")
    inputs, _ = golden(folder, "stripes_net")
    shape = shape_of(folder, "stripes_net")
    (answers,) = wheel.outputs([((folder / "stripes_net.tflite").read_bytes(), inputs.reshape(len(inputs), *shape))])
    table(tmp_path / "fw", inputs, answers, converted.arena.minimum)
    said = run([program(tmp_path / "fw", "stripes_net")], tmp_path / "fw")
    assert "8 samples: 0 mismatches: PASS" in said
    assert re.search(r"sample 0 is of class \d, \d \(\d+ %\)", said)


def test_best_is_the_newest_run(small_run, tmp_path):
    converted = convert(out=tmp_path, runs=small_run.folder.parent, formats=("tflite", "settings"))
    assert [path.name for path in converted.files] == ["model.tflite", "model_settings.h"]
    assert (tmp_path / "model.tflite").exists()


def test_a_run_has_its_own_place_for_firmware(small_run, tmp_path):
    shutil.copytree(small_run.folder, tmp_path / "run")
    converted = convert(tmp_path / "run", formats=("tflite",))
    assert converted.files == (tmp_path / "run" / "firmware" / "model.tflite",)


def test_a_kept_trial_is_a_source_as_well(small_run, tmp_path):
    number = kept(small_run.folder)[0]
    converted = convert(f"{small_run.folder}:{number}", out=tmp_path, formats=("tflite",), offline_plan=False)
    assert converted.stage != "final"
    assert (tmp_path / "model.tflite").read_bytes() == Best(small_run.folder, number).tflite
    with pytest.raises(RunError, match="keeps no model of trial 999: it keeps those of"):
        convert(f"{small_run.folder}:999", out=tmp_path / "no")


def test_outputs_are_those_of_the_model_that_was_trained(exported, small_run):
    folder, _ = exported
    best = Best(small_run.folder)
    np.testing.assert_array_equal(
        tflm.run((folder / "stripes_net.tflite").read_bytes(), best.samples), tflm.run(best.tflite, best.samples)
    )


def test_the_search_s_model_is_planned_or_left(small_run, tmp_path):
    plain = convert(small_run.folder, out=tmp_path, formats=("tflite",), offline_plan=False)
    assert not plain.offline_plan
    planned = convert(small_run.folder, out=tmp_path, formats=("tflite",))
    assert planned.arena.minimum <= plain.arena.minimum


@pytest.mark.parametrize("name", ["3net", "a-b", "int", "", "main", "stdio"])
def test_a_name_that_is_no_identifier_writes_nothing(small_run, tmp_path, name):
    with pytest.raises(TinynasError, match="such as"):
        convert(small_run.folder, out=tmp_path / "fw", name=name)
    assert not (tmp_path / "fw").exists()


@pytest.mark.parametrize("formats", [(), ("all",), ("tflite", "elf")])
def test_a_format_that_there_is_not(small_run, tmp_path, formats):
    with pytest.raises(UsageError, match=", ".join(FORMATS)):
        convert(small_run.folder, out=tmp_path / "fw", formats=formats)


def test_what_is_missing_or_damaged_is_said(small_run, tmp_path):
    with pytest.raises(RunError, match="no run in"):
        convert(runs=tmp_path)
    with pytest.raises(RunError, match="is not a run folder"):
        convert(tmp_path)
    damaged = tmp_path / "damaged"
    shutil.copytree(small_run.folder, damaged)
    about = damaged / "best" / "architecture.json"
    whole = json.loads(about.read_text())
    for change in ({"normalization": 7}, {"class_names": None}, {"layout": "sound"}, {"footprint": {}}):
        about.write_text(json.dumps(whole | change))
        with pytest.raises(RunError, match=r"architecture.json is damaged .*; resume the search\.$"):
            convert(damaged)
    about.write_text(json.dumps(whole))
    model = damaged / "best" / "model.tflite"
    model.write_bytes(model.read_bytes()[:-4] + b"\0\0\0\1")
    with pytest.raises(RunError, match="digest differs"):
        convert(damaged)
    shutil.rmtree(damaged / "best")
    with pytest.raises(RunError, match="no best model yet"):
        convert(damaged)


def test_a_model_that_does_not_fit_its_run_is_not_written(small_run, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(small_run.folder, copy)
    settings = json.loads((copy / "settings.json").read_text())
    settings["limits"]["flash_bytes"] = 500
    (copy / "settings.json").write_text(json.dumps(settings))
    with pytest.raises(ConversionError, match=r"does not fit nucleo_f401: model file .* limit 500 B"):
        convert(copy, out=tmp_path / "fw")
    assert not (tmp_path / "fw").exists()


def test_another_board_is_asked_about(small_run, tmp_path):
    tiny = Target(
        name="tiny", mcu="m", core="Cortex-M0+", clock_hz=10**6, flash_bytes=4096, ram_bytes=2048, kernels="reference"
    )
    converted = convert(small_run.folder, out=tmp_path / "fw", target=tiny, formats=("settings",))
    (note,) = converted.notes
    assert re.fullmatch(r"the model of .* does not fit tiny: .*; RAM with TFLM .*\.", note)
    assert converted.arena.kernels == "reference"
    with pytest.raises(ConversionError, match="does not fit tiny: model file"):
        convert(small_run.folder, out=tmp_path / "no", target=tiny, check_fit=True)
    assert not (tmp_path / "no").exists()
    assert convert(small_run.folder, out=tmp_path / "fw", target="teensy41", check_fit=True).analysis.fits


def test_a_folder_that_cannot_be_written_is_said(small_run, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConversionError, match="cannot be written"):
        convert(replace(small_run), out=tmp_path / "file")


def test_nothing_is_written_when_one_file_cannot_be(small_run, tmp_path):
    (tmp_path / "fw" / "model.h").mkdir(parents=True)
    with pytest.raises(ConversionError, match="is a folder"):
        convert(small_run.folder, out=tmp_path / "fw")
    assert [path.name for path in (tmp_path / "fw").iterdir()] == ["model.h"]


def test_what_cannot_be_converted_is_said(small_run, stripes):
    with pytest.raises(UsageError, match="got the int 5"):
        convert(5)
    with pytest.raises(UsageError, match="name must be a text or None, got the int 5"):
        convert(small_run.folder, name=5)
    with pytest.raises(UsageError, match="out must be a path, a text or None, got the int 5"):
        convert(small_run.folder, out=5)
    with pytest.raises(UsageError, match="leave the data out"):
        convert(small_run.folder, data=stripes)
    with pytest.raises(UsageError, match="leave the input range out"):
        convert(small_run.folder, input_range=(0, 255))


def test_without_tflm_its_arithmetic_in_python_answers_and_it_is_said(small_run, tmp_path, monkeypatch):
    monkeypatch.setattr(tflm, "available", lambda: False)
    converted = convert(small_run.folder, out=tmp_path, formats=("test", "tflite"))
    assert converted.tflm_largest_step is None
    assert "TFLM itself was not available" in (tmp_path / "model_test.h").read_text()
    inputs, outputs = golden(tmp_path, "model")
    monkeypatch.undo()
    np.testing.assert_array_equal(tflm.run((tmp_path / "model.tflite").read_bytes(), inputs), outputs)


def test_a_head_that_tflm_plans_otherwise_is_an_error(small_run, tmp_path, monkeypatch):
    monkeypatch.setattr(tflm, "head_bytes", lambda data: 17)
    with pytest.raises(ConversionError, match="TFLM plans a head of 17 B"):
        convert(small_run.folder, out=tmp_path / "fw")
    assert not (tmp_path / "fw").exists()


def test_answers_that_differ_are_an_error_for_a_run_and_a_note_for_a_strange_file(small_run, monkeypatch):
    best = Best(small_run.folder)
    true = tflm.run(best.tflite, best.samples)
    off = np.where(true < 0, true + 20, true - 20).astype(np.int8)
    monkeypatch.setattr(tflm, "run_all", lambda data, inputs: (off,))
    from tinynas.export.source import from_run

    source = from_run(small_run.folder)
    with pytest.raises(ConversionError, match=r"up to \d+ int8 steps from those of TFLite's reference on \d+ samples"):
        check.answers(best.tflite, source)
    found = check.answers(best.tflite, replace(source, is_own=False))
    assert found.step is not None
    assert found.step > 1
    assert "the board gives those of TFLM" in found.notes[0]

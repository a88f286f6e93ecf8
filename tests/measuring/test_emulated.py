"""`tinynas measure` end to end: a run's engine on an emulated Cortex-M4, over its serial line."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tinynas import convert
from tinynas.engine import build
from tinynas.hardware import Target
from tinynas.runs import Best, read_settings

sys.path.insert(0, str(ROOT.parent / "tools"))
import boards

pytestmark = pytest.mark.skipif(
    not boards.available(), reason="arm-none-eabi-gcc or qemu-system-arm is not installed: make system-packages"
)


@pytest.fixture(scope="module")
def port(small_run, tmp_path_factory) -> Iterator[str]:
    """The line of an emulated board that runs the run's engine."""
    folder = tmp_path_factory.mktemp("bench")
    convert(small_run.folder, out=folder, formats=("engine",), name="net")
    with boards.serial(folder, boards.BOARDS["Cortex-M4F"]) as found:
        yield found


def measure(*words: str | Path, home: Path) -> subprocess.CompletedProcess[str]:
    """What `tinynas measure` says."""
    command = [sys.executable, "-m", "tinynas", "measure", *map(str, words)]
    environment = {**os.environ, "XDG_DATA_HOME": str(home), "COLUMNS": "120"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_answers_times_and_what_is_kept(port, small_run, tmp_path):
    """The test set's answers are this machine's, an instruction is a nanosecond, and the board's time rests on it."""
    profile = tmp_path / "emulator.json"
    board = {**read_settings(small_run.folder).target.model_dump(), "clock_hz": 1_000_000_000, "name": "emulator"}
    profile.write_text(json.dumps(board))
    done = measure(small_run.folder, "--port", port, "--emulated", "--target", profile, "--json", home=tmp_path)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    test = small_run.summary["best"]["test"]["int8"]
    assert (said["mismatches"], said["differing"], said["samples"]) == (0, 0, 12)
    assert said["accuracy"]["board"] == said["accuracy"]["here"] == pytest.approx(test["accuracy"])
    assert said["accuracy"]["confusion"] == said["accuracy"]["confusion_here"]
    assert sum(map(sum, said["accuracy"]["confusion"])) == 12
    engine = build(Best(small_run.folder).tflite)
    assert said["median_us"] == pytest.approx(engine.figures.instructions / 1000, rel=0.15)  # and the clock's reading
    assert [each["name"] for each in said["operators"]] == [call.function[3:] for call in engine.calls]
    assert sum(each["us"] for each in said["operators"]) == pytest.approx(said["median_us"], rel=0.2)
    found = Target.load(profile).measured
    assert found.ratio == pytest.approx(said["median_us"] / said["estimated_us"], rel=1e-6)
    assert found.ratio == pytest.approx(1 / 1.33, rel=0.15)  # a cycle an instruction, 1.33 of which are estimated
    assert "engine of an emulator" in found.source
    assert said["kept"] == str(tmp_path / "emulator.measured.json")


def test_an_emulator_says_nothing_of_a_shipped_board(port, small_run, tmp_path):
    done = measure(small_run.folder, "--port", port, "--emulated", "--samples", "3", home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "accuracy" in done.stdout
    assert "of 3 samples: all as here, to the last bit" in done.stdout
    assert "Nothing was kept of an emulator's times for nucleo_f401" in done.stdout
    assert not list(tmp_path.iterdir())


def test_another_model_is_refused(port, tmp_path):
    model = ROOT / "fixtures" / "arena" / "mn_tiny_c4_b1.tflite"
    done = measure(model, "--port", port, "--emulated", "--target", "nucleo_f401", home=tmp_path)
    assert done.returncode == 1
    assert "tinynas: The board runs another model than that of" in done.stderr
    assert done.stderr.count("\n") == 1

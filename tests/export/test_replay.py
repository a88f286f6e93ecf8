"""tinynas stream: a recording through a run of sound, and what is said of events and false accepts."""

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile
from typer.testing import CliRunner

from tests.export.test_stream import CLASSES, FEATURES, classifier, minutes
from tinynas.cli.app import app
from tinynas.data import MelFeatures, Normalization
from tinynas.errors import DataError, UsageError
from tinynas.export import replay as module
from tinynas.export.facts import Facts
from tinynas.export.output import Output
from tinynas.export.replay import Event, read_events, replay
from tinynas.export.source import Source
from tinynas.features.smoothing import Smoothing

NAMES = ("yes", "no", "unknown", "stop")


@pytest.fixture
def heard(tmp_path, monkeypatch):
    """A run of sound whose network says class `script(window number)` at full score."""
    script: dict[int, int] = {}
    data = classifier((1, FEATURES.n_frames, FEATURES.n_mels, 1), 1 / 255)
    facts = Facts("image", 1, Normalization((0.0,), (1 / 255,), "uint8"))
    source = Source("a run", data, np.zeros((1, 1)), Output("classes", NAMES), facts, "m", tmp_path, True)
    given = {"features": FEATURES}

    def outputs(tflite, windows):
        scores = np.full((len(windows), CLASSES), -128, np.int8)
        for number, label in script.items():
            scores[number, label] = 127
        return scores

    monkeypatch.setattr(module, "run_and_trial", lambda source, runs: (Path("run"), None))
    monkeypatch.setattr(module, "from_run", lambda folder, trial: source.__class__(**{**vars(source), **given}))
    monkeypatch.setattr(module, "_outputs", outputs)
    wavfile.write(tmp_path / "long.wav", 8000, minutes(0.5))
    return script, tmp_path / "long.wav", given


def test_what_is_told_when(heard) -> None:
    script, wav, _ = heard
    script.update({20: 0, 21: 0, 22: 0, 40: 2, 41: 2, 42: 2, 60: 3, 61: 3, 62: 3, 63: 3})
    found = replay("run", wav, stride=5)
    every = 5 * FEATURES.hop / 8000
    first = FEATURES.span / 8000
    assert [(each.label, round(each.time_s, 6)) for each in found.heard] == [
        ("yes", round(22 * every + first, 6)),
        ("stop", round(62 * every + first, 6)),
    ]
    assert found.an_hour == pytest.approx(2 / found.seconds * 3600)
    assert (found.events, found.hits, found.notes) == (None, None, ())
    (wav.parent / "events.csv").write_text(f"start,end,class\n{20 * every},{21 * every + first},yes\n0,0.1,stop\n")
    scored = replay("run", wav, stride=5, events=wav.parent / "events.csv")
    assert [each.is_right for each in scored.heard] == [True, False]
    assert (scored.events, scored.hits, scored.false_accepts) == (2, 1, 1)
    assert scored.suggested is None  # one false accept in half a minute, whatever the threshold
    assert replay("run", wav, stride=5, results=1, suppression=0).smoothing == Smoothing(1, 200, 26, 0, (2,))


def test_the_command(heard) -> None:
    script, wav, _ = heard
    script.update({20: 0, 21: 0, 22: 0})
    said = CliRunner().invoke(app, ["stream", "run", "--wav", str(wav)])
    assert said.exit_code == 0
    assert "1 detections" in said.stdout
    assert "one every 120 ms" in said.stdout
    assert json.loads(CliRunner().invoke(app, ["stream", "run", "--wav", str(wav), "--json"]).stdout)["heard"]


def test_decibels_are_replayed_too(heard) -> None:
    script, wav, given = heard
    script.update({20: 0, 21: 0, 22: 0})
    numbers = {
        name: getattr(FEATURES, name) for name in (each.name for each in fields(MelFeatures)) if name != "floor_db"
    }
    given["features"] = MelFeatures(**numbers)
    assert [each.label for each in replay("run", wav).heard] == ["yes"]


def test_what_cannot_be_replayed(heard, tmp_path) -> None:
    _, wav, given = heard
    wavfile.write(tmp_path / "other.wav", 16000, np.ones(9000, np.int16))
    with pytest.raises(DataError, match="has 16000 samples a second, and the model was trained on 8000"):
        replay("run", tmp_path / "other.wav")
    wavfile.write(tmp_path / "short.wav", 8000, np.ones(200, np.int16))
    with pytest.raises(DataError, match="200 samples are shorter than one window"):
        replay("run", tmp_path / "short.wav")
    with pytest.raises(UsageError, match="threshold is 300; wanted a whole number from 0 to 255"):
        replay("run", wav, threshold=300)
    with pytest.raises(UsageError, match="stride is 0"):
        replay("run", wav, stride=0)
    given["features"] = None
    with pytest.raises(UsageError, match="is not a run of sound"):
        replay("run", wav)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0,1,yes\n0,yes\n", r"line 2: \['0', 'yes'\], wanted start,end,class"),
        ("0,1,yes\n0,1,maybe\n", "line 2: no class 'maybe'; the model knows yes, no, unknown, stop"),
        ("0,1,yes\n2,1,yes\n", "line 2: from 2 to 1 s, wanted 0 <= start <= end"),
        ("nan,1,yes\n", "line 1: from nan to 1 s"),
    ],
)
def test_events_that_make_no_sense(tmp_path, text, sentence) -> None:
    (tmp_path / "events.csv").write_text(text)
    with pytest.raises(DataError, match=sentence):
        read_events(tmp_path / "events.csv", NAMES)
    (tmp_path / "events.csv").write_text("start,end,class\n\n0.5,1,no\n")
    assert read_events(tmp_path / "events.csv", NAMES) == [Event(0.5, 1.0, "no")]
    with pytest.raises(DataError, match="cannot be read"):
        read_events(tmp_path / "none.csv", NAMES)

"""A search that is killed with SIGKILL goes on and ends as it would have, worker processes and all."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tinynas.runs import read_trials

SEARCH = "search --target nucleo_f401 --trials 6 --children 3 --folds 2 --finalists 2 --final-epochs 12 --seed 4"


def _command(*arguments):
    return [sys.executable, "-m", "tinynas", *arguments]


def _rows(folder: Path) -> int:
    if not (folder / "journal.sqlite").exists():
        return 0
    with closing(sqlite3.connect(folder / "journal.sqlite")) as connection, connection:
        try:
            return connection.execute("SELECT count(*) FROM trials").fetchone()[0]
        except sqlite3.OperationalError:
            return 0


def _log(folder: Path) -> str:
    return (folder / "search.log").read_text() if (folder / "search.log").exists() else ""


MOMENTS = {
    "first training": lambda folder: (folder / "journal.sqlite").exists(),
    "second generation": lambda folder: _rows(folder) >= 4,
    "finalists": lambda folder: _rows(folder) >= 7,
    "final training": lambda folder: "Final training" in _log(folder),
}


def _results(folder: Path):
    """The summary and the journal without their timings."""
    summary = {**json.loads((folder / "summary.json").read_text()), "seconds": 0}
    trials = [
        (t.number, t.generation, t.parent, t.architecture.key, t.evaluation.folds, t.evaluation.footprint)
        for t in read_trials(folder / "journal.sqlite")
    ]
    return summary, trials


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "run"
    subprocess.run(_command(*SEARCH.split(), "--out", str(folder)), check=True, capture_output=True)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_and_resumed_is_as_if_never_killed(whole, tmp_path, moment):
    folder = tmp_path / "run"
    process = subprocess.Popen(
        _command(*SEARCH.split(), "--out", str(folder)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 300
    while not MOMENTS[moment](folder):
        assert process.poll() is None, "it ended before the moment came"
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(2.0)  # into the training that follows
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (folder / "summary.json").exists()
    subprocess.run(_command("search", "--resume", str(folder)), check=True, capture_output=True)
    assert _results(folder) == _results(whole)
    for name in ("model.tflite", "architecture.json"):
        assert (folder / "best" / name).read_bytes() == (whole / "best" / name).read_bytes()

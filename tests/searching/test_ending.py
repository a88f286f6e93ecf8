"""SIGTERM to a program that searches: its processes end with it, and nothing foreign is on standard error."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tinynas.searching.ending import ending_in_order

PROGRAM = """
import os, sys
import numpy as np
from tests.searching.pretend import HANGS, Pretend
from tinynas import Dataset, search
from tinynas.searching.processes import Processes

class Hangs(Pretend):
    def _evaluate(self, number, screened):
        return super()._evaluate(HANGS, screened)

def main():
    data = Dataset.from_arrays(np.random.default_rng(0).random((60, 8, 8)), np.arange(60) % 3)
    search(
        data, "nucleo_f401", out="run", strategy="random", progress=False,
        executor=lambda data, settings: Processes(data, settings, 1, make_worker=Hangs),
    )
"""


def test_a_signal_leaves_nothing_on_standard_error(tmp_path):
    root = Path(__file__).parents[2]
    (tmp_path / "program.py").write_text(PROGRAM)
    process = subprocess.Popen(
        [sys.executable, "-c", "import program; program.main()"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(tmp_path)]), "PRETEND_TRIES": str(tmp_path)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 240
    while not (tmp_path / "0").exists():  # the first trial is in its process
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=240) == ("", "")
    assert process.returncode == 128 + signal.SIGTERM


@pytest.fixture
def default():
    """Whatever another test has set, SIGTERM has its usual way here."""
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, before)


def test_what_a_program_handles_itself_stays_its_own(default):
    before = signal.getsignal(signal.SIGTERM)
    with ending_in_order():
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
        with pytest.raises(SystemExit) as end:
            signal.raise_signal(signal.SIGTERM)
        assert end.value.code == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before
    try:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with ending_in_order():
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)
    failed = []

    def elsewhere():
        with ending_in_order():
            failed.append(signal.getsignal(signal.SIGTERM) is not before)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert failed == [False]

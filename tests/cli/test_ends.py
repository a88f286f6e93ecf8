"""A search that is told to end by a signal ends as by Ctrl-C: one sentence, and nothing left behind."""

import os
import signal
import subprocess
import sys
import time

import pytest

SEARCH = """
import os, sys, time
from pathlib import Path
import tinynas.cli.session as session
from tinynas.cli import main

def run(*arguments, watch, **options):
    from tinynas.searching import Started
    watch(Started(Path("some/run"), "data", "board", 0))
    Path("began").touch()
    time.sleep(60)

import signal
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a suite in the background hands SIGINT on as ignored
    signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
if sys.argv[1] == "nohup":
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
session.go_on = None
import tinynas.cli.search as command
command.load_data = lambda *given: (None, None)
command._space = lambda *given: None
import tinynas.searching
tinynas.searching.search = run
main(["search", "--target", "nucleo_f401"])
"""


def _ended(tmp_path, *signals, how="usual"):
    process = subprocess.Popen(
        [sys.executable, "-c", SEARCH, how], cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    until = time.monotonic() + 120
    while not (tmp_path / "began").exists():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.05)
    for number in signals:
        os.kill(process.pid, number)
        time.sleep(0.1)
    _, said = process.communicate(timeout=120)
    return process.returncode, said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_a_search_with_the_line_to_go_on_with(tmp_path, number):
    code, said = _ended(tmp_path, number)
    assert code == 1
    assert "tinynas: Stopped. Go on with: tinynas search --resume some/run" in said
    assert "Traceback" not in said


def test_a_hangup_that_is_ignored_stays_ignored(tmp_path):
    code, said = _ended(tmp_path, signal.SIGHUP, signal.SIGTERM, how="nohup")
    assert code == 1
    assert said.count("Stopped.") == 1

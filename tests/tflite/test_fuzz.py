"""Damaged files: thousands of mutants give an analysis or a ModelError, quickly and in bounded memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def fuzz(n_mutants: int, seed: int) -> dict:
    """The report of tests/tflite/fuzzing.py, which bounds its own memory."""
    if sys.platform != "linux":
        pytest.skip("the bound on memory is set and measured by Linux's /proc and resource limits")
    command = [sys.executable, "-m", "tests.tflite.fuzzing", str(n_mutants), str(seed)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("n_mutants", "seed"), [(500, 0), pytest.param(10_000, 1, marks=pytest.mark.slow)], ids=["fast", "slow"]
)
def test_mutants_are_refused_in_one_sentence_or_are_sound(n_mutants: int, seed: int) -> None:
    report = fuzz(n_mutants, seed)
    assert report["problems"] == []
    assert report["refused"] + report["sound"] == n_mutants
    assert report["sound"] > n_mutants / 50, "nearly every mutant was refused at the door: nothing deep was tried"
    assert report["refused"] > n_mutants / 2

"""tools/bench_sound.py: what is in the file is not run again, and another budget is not mixed in."""

import json
import sys
from types import SimpleNamespace

import bench_sound
import pytest


@pytest.fixture
def runs(monkeypatch, tmp_path):
    """Run the tool with searches that are made up; the seeds and kinds that were searched."""
    searched = []

    def load(path, sample_rate, features):
        return SimpleNamespace(features=features, summary=lambda: "words")

    def run(dataset, budget, seed, workers, target):
        searched.append((dataset.features, seed))
        score = 0.8 + 0.02 * seed + (0.05 if dataset.features == "int_log_mel" else 0)
        row = {"test_int8": score, "test_float": score, "validation": score, "trials": 4 + seed, "seconds": 1.0}
        return {**row, "flash_bytes": 1, "front_end_flash_bytes": 1, "arena_bytes": 1, "macs": 1, "stream": None}

    monkeypatch.setattr(bench_sound, "run", run)
    monkeypatch.setattr(bench_sound.Dataset, "load", load)

    def go(*arguments):
        searched.clear()
        monkeypatch.setattr(sys, "argv", ["bench_sound.py", "words", "--out", str(tmp_path / "s.json"), *arguments])
        bench_sound.main()
        return list(searched)

    return go


def test_it_goes_on_where_it_stopped(runs, capsys, tmp_path):
    assert runs("--seeds", "1") == [("int_log_mel", 0), ("log_mel", 0)]
    assert runs("--seeds", "2") == [("int_log_mel", 1), ("log_mel", 1)]
    said = capsys.readouterr().out.splitlines()
    assert said[-2] == "| `int_log_mel` | 2 | 0.8500, 0.8700 | 0.8600 | 0.0141 | 4 to 5 |"
    assert said[-1] == "| `log_mel` | 2 | 0.8000, 0.8200 | 0.8100 | 0.0141 | 4 to 5 |"
    assert len(json.loads((tmp_path / "s.json").read_text())["runs"]) == 4


def test_another_budget_needs_another_file(runs):
    runs("--seeds", "1")
    with pytest.raises(SystemExit, match="name another --out"):
        runs("--seeds", "1", "--minutes", "3")

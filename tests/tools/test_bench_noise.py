"""tools/bench_noise.py: a row for each way of training, and noise of the level that the column says."""

import sys

import bench_noise
import numpy as np
import pytest

from tests.data.kinds import write_wav


def test_every_way_has_a_row(tmp_path, monkeypatch, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    time = np.arange(16_000) / 16_000
    for part, n in (("train", 6), ("test", 3)):
        for name, hz in (("high", 2500), ("low", 500)):
            for number in range(n):
                tone = 0.2 * np.sin(2 * np.pi * hz * time) * (np.abs(time - 0.5) < 0.1)
                write_wav(tmp_path / part / name / f"{number}.wav", tone + rng.normal(0, 1e-3, 16_000), 16_000)
    monkeypatch.setattr(sys, "argv", ["bench_noise.py", str(tmp_path)])
    bench_noise.main()
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 2 + 1 + 3 + 3
    assert all(row.count("|") == 3 + len(bench_noise.TESTS) for row in rows)
    assert "| `int_log_mel` | - | 1.00 / 1.00 |" in rows[2]


def test_the_noise_before_a_clip_has_its_level() -> None:
    clips = np.full((2, bench_noise.RATE), 1000, np.int16)
    found = bench_noise.after_noise(clips, -20, 20, np.random.default_rng(0))
    noise, sound = np.split(found, [2 * bench_noise.RATE], axis=1)
    assert noise.std() == pytest.approx(bench_noise.SIGMA, rel=0.05)
    assert (sound == 10_000).all()

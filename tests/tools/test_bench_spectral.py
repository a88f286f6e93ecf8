"""tools/bench_spectral.py: .ts files are read as they stand, and a row tells both kinds of input."""

import sys
from pathlib import Path

import bench_spectral
import numpy as np
import pytest

from tests.data.test_spectra import vibrations


def write_ts(path: Path, x: np.ndarray, y: np.ndarray) -> None:
    rows = [
        ":".join([*(",".join(map(str, channel)) for channel in one.T), str(label)])
        for one, label in zip(x, y, strict=True)
    ]
    path.write_text("\n".join(["# waves", "@classLabel true 0 1", "@DATA", *rows, ""]), encoding="utf-8")


def test_a_table_of_a_small_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    x, y = vibrations(60)
    folder = tmp_path / "Waves"
    folder.mkdir()
    write_ts(folder / "Waves_TRAIN.ts", x[:40], y[:40])
    write_ts(folder / "Waves_TEST.ts", x[40:], y[40:])
    found, labels = bench_spectral.read_ts(folder / "Waves_TEST.ts")
    np.testing.assert_array_equal(found, x[40:])
    assert labels.tolist() == [str(label) for label in y[40:]]
    monkeypatch.setattr(sys, "argv", ["bench_spectral.py", str(folder), "--seeds", "2"])
    bench_spectral.main()
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split(" | ")[1:5] for row in rows] == [
        ["40, 2", "samples", "64 x 2", f"{64 * 2 * 32 + 64:,}"],
        ["40, 2", "spectral", "19 x 2", f"{19 * 2 * 32 + 64:,}"],
    ]
    assert "100.0 +/- 0.0 %" in rows[1]

"""record: what a board prints on a serial line, here a pty, becomes a file that data are read from, whole."""

import contextlib
import os
import pty
import signal
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tinynas.data import load, recording
from tinynas.data.recording import record
from tinynas.errors import DataError, UsageError


@pytest.fixture
def line() -> Iterator[tuple[int, Path]]:
    """The board's end of a serial line, and the name of the computer's."""
    board, port = pty.openpty()
    tty.setraw(port)
    name = os.ttyname(port)
    try:
        yield board, Path(name)
    finally:
        for each in (board, port):
            with contextlib.suppress(OSError):
                os.close(each)


def talk(board: int, text: str, after: Callable[[], None] = lambda: None, wait: float = 0.05) -> threading.Thread:
    def say() -> None:
        os.read(board, 1)  # the byte that asks for the names: the port is open
        os.write(board, text.encode("latin-1"))
        time.sleep(wait)
        after()

    thread = threading.Thread(target=say)
    thread.start()
    return thread


def sketch(n: int, ms: int = 20) -> list[str]:
    return ["time_ms,ax,ay [g]", *(f"{1000 + ms * k},{k % 7 - 3},{k * 7 % 40 * 0.125:.4f}" for k in range(n))]


def text_of(lines: list[str]) -> str:
    return "\r\n".join(lines) + "\r\n"


def test_lines_become_a_file_that_is_data(line: tuple[int, Path], tmp_path: Path) -> None:
    board, port = line
    for label in ("wave", "rest", "wave"):
        thread = talk(board, text_of(sketch(200)))
        found = record(port, label, 50, tmp_path, seconds=0.4)
        thread.join()
        assert (found.rows, found.refused, found.notes, found.stopped) == (200, 0, (), "asked")
        assert found.rate == pytest.approx(50)
        assert found.seconds == pytest.approx(199 * 0.02)
    names = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.csv"))
    assert names == ["rest/rest_001.csv", "wave/wave_001.csv", "wave/wave_002.csv"]
    lines = (tmp_path / "wave" / "wave_002.csv").read_text().splitlines()
    assert lines[0] == "time,ax,ay [g]"
    assert lines[1:4] == ["0,-3,0", "0.02,-2,0.875", "0.04,-1,1.75"]
    assert lines[-1] == "3.98,0,4.125"
    data = load(tmp_path, window="0.4s")
    assert data.class_names == ("rest", "wave")
    assert data.x.shape[1:] == (20, 1, 2)
    assert data.channels == ("ax", "ay [g]")
    assert data.rate == pytest.approx(50)


def test_garbage_is_counted_and_said_and_nothing_else_is_lost(line: tuple[int, Path], tmp_path: Path) -> None:
    board, port = line
    lines = ["ESP-ROM:esp32s3", "boot: chip 1.0", *sketch(20)]
    lines[10:10] = ["12,\xff\xfe3", "1,2", "nan,1,2", "", "1,2,3,4"]
    lines += [lines[2]]  # the names once more are no row and no fault
    thread = talk(board, text_of(lines))
    found = record(port, "wave", 50, tmp_path, seconds=0.4)
    thread.join()
    assert (found.rows, found.refused) == (20, 4)
    (note,) = found.notes
    assert note.startswith("4 lines had not 3 numbers and are left out, the first of them '12,")
    assert len(found.path.read_text().splitlines()) == 21


def test_a_rate_that_is_not_met_is_said_by_the_board_s_clock(line: tuple[int, Path], tmp_path: Path) -> None:
    board, port = line
    thread = talk(board, text_of(sketch(100, ms=25)))
    found = record(port, "wave", 50, tmp_path, seconds=0.4)
    thread.join()
    assert found.rate == pytest.approx(40)
    assert found.notes[0].startswith("The rows came 40 times a second by its own clock and not 50 times:")
    assert found.path.read_text().splitlines()[-1].startswith("2.475,")


def test_without_a_clock_of_its_own_the_rows_have_the_times_that_they_came_at(
    line: tuple[int, Path], tmp_path: Path
) -> None:
    board, port = line

    def more() -> None:
        for k in range(1, 13):
            os.write(board, f"{k};{-k}\n".encode())
            time.sleep(0.1)

    thread = talk(board, "0;0\n0;0\n", more, wait=0.1)
    found = record(port, "wave", 50, tmp_path, seconds=1.9)
    thread.join()
    assert found.rows == 13  # the first line may be a part of one
    assert found.rate == pytest.approx(10, rel=0.2)
    assert "times a second and not 50 times" in found.notes[0]
    lines = found.path.read_text().splitlines()
    assert lines[0] == "time,c1,c2"
    assert float(lines[-1].split(",")[0]) == pytest.approx(found.seconds, rel=1e-3)
    assert [row.split(",")[1:] for row in lines[2:]] == [[str(k), str(-k)] for k in range(1, 13)]


def test_a_port_that_goes_away_and_a_line_that_falls_silent(
    line: tuple[int, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board, port = line
    monkeypatch.setattr(recording, "PATIENCE", 0.3)
    thread = talk(board, text_of(sketch(10)))
    found = record(port, "wave", 50, tmp_path)
    thread.join()
    assert (found.stopped, found.rows) == ("silent", 10)
    assert found.notes == ("No row came for 0.3 s, so the recording ended; all rows up to then are kept.",)
    thread = talk(board, text_of(sketch(10)), lambda: os.close(board))
    found = record(port, "wave", 50, tmp_path)
    thread.join()
    assert (found.stopped, found.rows) == ("gone", 10)
    assert found.notes == (f"The port {port} went away; all rows up to then are kept.",)


def test_ctrl_c_ends_it_and_keeps_all(line: tuple[int, Path], tmp_path: Path) -> None:
    board, port = line
    command = [sys.executable, "-m", "tinynas", "record", "--port", port, "--label", "wave", "--rate", "50"]
    child = subprocess.Popen(
        [*command, "--out", tmp_path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a job in the background ignores it
    )
    thread = talk(board, text_of(sketch(75)), lambda: child.send_signal(signal.SIGINT), wait=1.0)
    out, err = child.communicate(timeout=60)
    thread.join()
    assert child.returncode == 0, err
    assert out == f"wrote {tmp_path}/wave/wave_001.csv: 75 rows in 1.5 s, 50 a second\n"
    assert len((tmp_path / "wave" / "wave_001.csv").read_text().splitlines()) == 76


def test_what_cannot_be_recorded_is_said(
    line: tuple[int, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, port = line
    monkeypatch.setattr(recording, "PATIENCE", 0.2)
    with pytest.raises(DataError, match=r"No line of numbers came from .* is the sketch running"):
        record(port, "wave", 50, tmp_path / "out")
    with pytest.raises(DataError, match=r"no_port cannot be opened \(No such file or directory\)"):
        record(tmp_path / "no_port", "wave", 50, tmp_path / "out")
    (tmp_path / "file").write_text("1,2\n")
    with pytest.raises(DataError, match="is no serial port"):
        record(tmp_path / "file", "wave", 50, tmp_path / "out")
    for label, rate, seconds in (("../x", 50.0, None), ("", 50.0, None), ("wave", 0.0, None), ("wave", 50.0, -1.0)):
        with pytest.raises(UsageError):
            record(port, label, rate, tmp_path / "out", seconds=seconds)
    with pytest.raises(UsageError, match="No serial line has the speed 12345"):
        record(port, "wave", 50, tmp_path / "out", baud=12345)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written(line: tuple[int, Path], tmp_path: Path) -> None:
    board, port = line
    (tmp_path / "out").write_text("a file")
    thread = talk(board, text_of(sketch(10)))
    with pytest.raises(DataError, match=r"cannot be written .*; choose another --out"):
        record(port, "wave", 50, tmp_path / "out", seconds=0.3)
    thread.join()

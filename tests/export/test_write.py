"""A folder is written whole or not at all."""

import errno
import os
import stat
import subprocess
from pathlib import Path

import pytest

from tests.export.firmware import ARENA
from tinynas import convert
from tinynas.errors import ConversionError, RunError
from tinynas.export.write import write_folder

FILES = {"a.h": b"one", "b.cc": b"two"}


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_new_folder_and_those_above_it(tmp_path: Path) -> None:
    paths = write_folder(tmp_path / "x" / "y", FILES)
    assert paths == (tmp_path / "x" / "y" / "a.h", tmp_path / "x" / "y" / "b.cc")
    assert everything(tmp_path) == {"x/y/a.h": b"one", "x/y/b.cc": b"two"}
    assert not list(tmp_path.rglob(".*"))


def test_other_files_stay_and_old_ones_go(tmp_path: Path) -> None:
    (tmp_path / "mine.c").write_bytes(b"mine")
    (tmp_path / "a.h").write_bytes(b"old")
    write_folder(tmp_path, FILES)
    assert everything(tmp_path) == {"mine.c": b"mine", **FILES}


def test_files_can_be_read_by_others_as_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    (path, _) = write_folder(tmp_path / "fw", FILES)
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_file_in_the_way_leaves_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"in the way")
    with pytest.raises(ConversionError, match="cannot be written"):
        write_folder(tmp_path / name, FILES)
    assert everything(tmp_path) == {"file": b"in the way"}


def test_a_folder_with_a_files_name_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "b.cc").mkdir()
    with pytest.raises(ConversionError, match="is a folder: choose"):
        write_folder(tmp_path, FILES)
    assert everything(tmp_path) == {}


def test_a_failure_in_the_middle_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == "b.cc":
            raise OSError(28, "No space left on device")
        return written(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ConversionError, match=r"cannot be written \(No space left on device\)"):
        write_folder(tmp_path / "fw", FILES)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_too_long_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match="cannot be written"):
        write_folder(tmp_path / "fw", {"a" * 300 + ".h": b""})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no file system here refuses root")
def test_a_folder_without_permission() -> None:
    with pytest.raises(ConversionError, match=r"^/proc/tinynas/fw cannot be written \(.*\); choose another --out\.$"):
        write_folder(Path("/proc/tinynas/fw"), FILES)


@pytest.mark.parametrize(
    "place", ["best", "models", "models/3", "models/new", "best/deep/er", "weights", "./x/../best"]
)
def test_nothing_is_written_into_the_models_of_a_run(tmp_path, place):
    """What is there is the run's own: a model under the same name would be called damaged afterwards."""
    run = tmp_path / "run"
    (run / "best").mkdir(parents=True)
    (run / "settings.json").write_text("{}")
    (run / "best" / "model.tflite").write_bytes(b"the run's own")
    with pytest.raises(RunError, match="keeps its own models, which are not written over"):
        convert(ARENA / "mn_tiny_c4_b1.tflite", out=run / place, name="model")
    assert (run / "best" / "model.tflite").read_bytes() == b"the run's own"
    assert sorted(path.name for path in run.rglob("*")) == ["best", "model.tflite", "settings.json"]


def test_a_link_to_the_models_of_a_run_is_followed(tmp_path):
    run = tmp_path / "run"
    (run / "best").mkdir(parents=True)
    (run / "settings.json").write_text("{}")
    (tmp_path / "link").symlink_to(run / "best")
    with pytest.raises(RunError, match="keeps its own models"):
        convert(ARENA / "mn_tiny_c4_b1.tflite", out=tmp_path / "link", name="model")
    assert list((run / "best").iterdir()) == []


def test_a_folder_that_is_called_best_may_be_written_elsewhere(tmp_path):
    converted = convert(ARENA / "mn_tiny_c4_b1.tflite", out=tmp_path / "best", name="net", formats=("tflite",))
    assert [path.name for path in converted.files] == ["net.tflite"]


def test_a_failure_between_two_moves_puts_back_what_was_there(tmp_path, monkeypatch):
    files = {"a.c": b"old a", "b.c": b"old b"}
    write_folder(tmp_path / "out", files)
    made = Path.replace

    def fails(self, to):
        if Path(to).name == "b.c" and self.parent.name == "fresh":
            raise OSError(errno.ENOSPC, "No space left on device")
        return made(self, to)

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(ConversionError, match=r"out cannot be written .*make room there, or choose another --out"):
        write_folder(tmp_path / "out", {"a.c": b"new a", "b.c": b"new b", "c.c": b"new c"})
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == files


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_has_is_not(tmp_path):
    dead = subprocess.Popen(["true"])
    dead.wait()
    (tmp_path / f".tinynas-{dead.pid}-abc" / "fresh").mkdir(parents=True)
    (tmp_path / f".tinynas-{os.getppid()}-abc").mkdir()
    write_folder(tmp_path, {"a.c": b"a"})
    assert sorted(path.name for path in tmp_path.iterdir()) == [f".tinynas-{os.getppid()}-abc", "a.c"]

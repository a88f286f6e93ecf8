"""Ctrl-C wherever it comes is said in one line."""

import subprocess
import sys

import pytest

# A Ctrl-C while `name` of the module is called, or while the module is loaded (name "").
INTERRUPTED = """
import importlib.abc, os, signal, sys

signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests in the background ignores it

def stop(*arguments, **options):
    os.kill(os.getpid(), signal.SIGINT)
    signal.pause()

class Stop(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == {module!r}:
            stop()

if {name!r}:
    setattr(importlib.import_module({module!r}), {name!r}, stop)
else:
    sys.meta_path.insert(0, Stop())
from tinynas.cli import main
main({arguments!r})
"""
SEARCH = ["search", "--target", "nucleo_f401"]


@pytest.mark.parametrize(
    ("module", "name", "arguments"),
    [
        ("tinynas.cli.app", "", SEARCH),
        ("tinynas.searching", "", SEARCH),
        ("tinynas.cli.search", "load_data", SEARCH),
        ("tinynas.cli.console", "console", ["targets"]),
        ("tinynas.data.captures.build", "read_labels", ["data", "from-pcap", ".", "--labels", "l", "--out", "o"]),
    ],
)
def test_ctrl_c_says_stopped(tmp_path, module, name, arguments):
    (tmp_path / "x.pcap").write_bytes(b"")
    code = INTERRUPTED.format(module=module, name=name, arguments=arguments)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False, timeout=120
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.splitlines()[-1] == "tinynas: Stopped."
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["x.pcap"]

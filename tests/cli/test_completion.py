"""What the shell completes, asked as bash asks."""

import os
import subprocess
import sys

import pytest

from tinynas import Target
from tinynas.cli import completion


def completed(folder, line):
    """What Tab offers at the end of a command line, as a set."""
    words = line.split(" ")
    asked = {"_TINYNAS_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    code = "from tinynas.cli import main; main([])"
    environment = {**os.environ, **asked}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, env=environment, check=False
    )
    assert done.stderr == ""
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("tinynas sea", {"search"}),
        ("tinynas search --target nucleo_f40", {"nucleo_f401"}),
        ("tinynas analyze x --target ", set(Target.names())),
        ("tinynas convert b", {"best"}),
        ("tinynas convert best --run ru", {"runs/a", "runs/b"}),
        ("tinynas search --resume runs/a", {"runs/a"}),
        ("tinynas search --resume nothing", set()),
        ("tinynas data fr", {"from-pcap"}),
        ("tinynas search --strategy ", {"evolution", "aging", "nsga2", "surrogate", "random"}),
        ("tinynas search --strategy s", {"surrogate"}),
        ("tinynas search --fidelity ", {"none", "proxy", "full"}),
        ("tinynas search --layout i", {"image"}),
        ("tinynas data check x --layout ", {"image", "series"}),
        ("tinynas search --objectives accuracy,r", {"accuracy,ram"}),
        (
            "tinynas search --objectives accuracy,ram,",
            {f"accuracy,ram,{n}" for n in ("flash", "latency", "macs", "params")},
        ),
        ("tinynas search --max-ram ", set()),
        ("tinynas analyze x --kernels r", {"reference"}),
        ("tinynas pareto --objectives accuracy,f", {"accuracy,flash"}),
    ],
)
def test_tab(tmp_path, line, offered):
    for name in ("a", "b"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "settings.json").write_text("{}")
    (tmp_path / "runs" / "no_run").mkdir()
    assert completed(tmp_path, line) == offered


def test_runs_elsewhere(tmp_path, monkeypatch):
    (tmp_path / "old" / "x").mkdir(parents=True)
    (tmp_path / "old" / "x" / "settings.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert completion.runs("old/") == completion.runs("old/x") == ["old/x"]
    assert completion.runs(f"{tmp_path}/old/") == [f"{tmp_path}/old/x"]
    assert completion.runs("") == []


def test_it_is_installed_for_bash(tmp_path):
    """The shell is the one that it is called from, wherever the tests are called from."""
    program = "from tinynas.cli import main; main(['--install-completion'])"
    done = subprocess.run(
        ["bash", "-c", '"$0" -c "$1"; exit $?', sys.executable, program],
        capture_output=True,
        text=True,
        env={**os.environ, "HOME": str(tmp_path)},
        check=True,
    )
    assert "bash completion installed" in done.stdout
    (script,) = tmp_path.rglob("tinynas.sh")
    assert "_TINYNAS_COMPLETE=complete_bash" in script.read_text()
    assert str(script) in (tmp_path / ".bashrc").read_text()

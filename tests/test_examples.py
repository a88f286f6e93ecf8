"""examples/: what needs no training runs here, everything with a small budget in the slow tests."""

import json
import os
import subprocess
import sys
import warnings

import pytest

from tests.docs import ROOT

EXAMPLES = ROOT / "examples"
SCRIPTS = sorted(EXAMPLES.glob("*.py"))
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))
SMALL = "max_trials=2, n_folds=2, n_finalists=1, final_epochs=2, out='run', progress=False"


def _cells(path):
    """The code cells of a notebook as (tags, source)."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["metadata"]["kernelspec"]["language"]) == (4, "python")
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells), "it is kept without results"
    return [(cell["metadata"].get("tags", []), "".join(cell["source"])) for cell in cells]


def _run(path, with_training):
    names = {"__name__": "__notebook__"}
    for number, (tags, source) in enumerate(_cells(path)):
        if "trains" not in tags or with_training:
            small = source.replace("max_trials=12", SMALL)
            exec(compile(small, f"{path.name}, cell {number}", "exec", dont_inherit=True), names)
    return names


def test_there_are_two_scripts_and_a_notebook_and_all_are_listed():
    assert (len(SCRIPTS), len(NOTEBOOKS)) == (2, 1)
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert all(f"[{path.name}]({path.name})" in listed for path in (*SCRIPTS, *NOTEBOOKS))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_the_cells_that_train_nothing_run(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = _run(path, with_training=False)
    assert f"arena {names['footprint'].arena_bytes:,} B" in capsys.readouterr().out
    assert any("max_trials=12" in source for tags, source in _cells(path) if "trains" in tags)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_says_what_it_is_for(path, tmp_path):
    done = subprocess.run(
        [sys.executable, path, "--help"], capture_output=True, text=True, cwd=tmp_path, check=False, env=_environment()
    )
    assert done.returncode == 0
    assert "--trials" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_the_whole_notebook_runs(path, tmp_path, monkeypatch, tensorflow):
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras in this process warns of its own affairs
        names = _run(path, with_training=True)
    assert names["converted"].files[0].parent.name == "firmware"


@pytest.mark.slow
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_runs(path, tmp_path):
    command = [sys.executable, path, "--trials", "2", "--out", "run"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False, env=_environment())
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "summary.json").exists()
    assert "Run folder: run" in done.stderr


def _environment():
    return {**os.environ, "PYTHONPATH": str(ROOT)}

"""The code in docs/python.md and README.md: it runs, and it shows every public name."""

import re
from pathlib import Path

import pytest

import tinynas

TEXT = (Path(__file__).parents[1] / "docs" / "python.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python(.*?)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_the_blocks_run_one_after_the_other(capsys):
    runs = [code for mark, code in BLOCKS if mark.strip() != "no-run"]
    assert len(runs) >= 8
    names: dict[str, object] = {}
    for number, code in enumerate(runs):
        exec(compile(code, f"docs/python.md, block {number}", "exec"), names)
    out = capsys.readouterr().out
    for said in re.findall(r"print\(.*\)  # (.*)", TEXT):
        assert said in out


def test_the_blocks_that_train_are_python():
    marked = [code for mark, code in BLOCKS if mark.strip() == "no-run"]
    assert len(marked) == 3
    for code in marked:
        compile(code, "docs/python.md", "exec")


@pytest.mark.parametrize("name", sorted(set(tinynas.__all__) - {"__version__"}))
def test_every_public_name_is_shown_and_in_the_changelog(name):
    word = re.compile(rf"\b{name}\b")
    assert any(word.search(code) for _, code in BLOCKS)
    assert word.search((Path(__file__).parents[1] / "CHANGELOG.md").read_text(encoding="utf-8"))


def test_the_data_set_that_the_readme_writes_can_be_read(tmp_path, monkeypatch):
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    blocks = [code for _, code in re.findall(r"^```python(.*?)\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)]
    monkeypatch.chdir(tmp_path)
    exec(compile(next(code for code in blocks if "write_idx" in code), "README.md", "exec"), {})
    data = tinynas.Dataset.load("my_data")
    assert data.input_shape == (32, 1, 3)
    assert data.class_names == ("a", "b", "c", "d")

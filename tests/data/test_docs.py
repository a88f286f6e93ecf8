"""docs/data.md: its Python runs, its commands run on data of that kind, and it names every option."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.kinds import KINDS, write_csv
from tinynas.cli import main
from tinynas.data.readers import READERS

TEXT = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    tinynas (data check .*)$", TEXT, re.MULTILINE)


@pytest.mark.parametrize("code", re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))
def test_the_python_runs(code, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "docs/data.md", "exec"), {})


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_run(command, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(4):
            pixels = rng.integers(0, 256, (20 + number, 30, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pictures" / name / f"{number}.jpg")
    (tmp_path / "words").mkdir()
    KINDS["sounds"].write(tmp_path / "words", 4)
    write_csv(Path("flowers.csv"), [["w", "species"], *[[i, "xy"[i % 2]] for i in range(30)]])
    for file in range(4):
        rows = [[*rng.random(2), f"p{file}", "walk" if step < 60 else "run"] for step in range(120)]
        write_csv(Path("motion") / f"{file}.csv", [["ax", "ay", "person", "activity"], *rows])
    with pytest.raises(SystemExit) as end:
        main(command.split())
    assert not end.value.code, capsys.readouterr().err


def test_every_option_is_named() -> None:
    assert len(COMMANDS) >= 5
    for option in {option for reader in READERS for option in reader.takes}:
        assert f"--{option.replace('_', '-')}" in TEXT

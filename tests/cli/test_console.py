"""How wide tables are."""

import pytest

from tinynas.cli.console import console, table


@pytest.mark.parametrize(("columns", "width"), [("100", 100), ("60", 60), ("200", 200), (None, 140), ("wide", 140)])
def test_a_pipe_is_as_wide_as_columns_says(monkeypatch, capsys, columns, width):
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    screen = console()
    assert screen.width == width
    rows = table("A table", "name, *architecture")
    rows.add_row("one", "conv16k3 bn relu > " * 30)
    screen.print(rows)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    assert "".join(lines).count("conv16k3") == 30


@pytest.mark.parametrize("columns", ["60", None])
def test_a_sentence_in_a_pipe_is_one_line(monkeypatch, capsys, columns):
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    sentence = "The label is the name of the folder, and nothing else. " * 5
    console().print(sentence.strip())
    assert capsys.readouterr().out.splitlines() == [sentence.strip()]

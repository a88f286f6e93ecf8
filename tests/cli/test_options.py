"""A command made of a table of options: what is written arrives as values, and what is wrong is one sentence."""

import pytest
import typer
from typer.testing import CliRunner

from tinynas.cli.command import Command
from tinynas.cli.options import takes
from tinynas.errors import UsageError
from tinynas.options import Option
from tinynas.options.option import FIRST, STUDY

MADE_UP = {
    "n_things": Option("n_things", "How many things.", "whole", 3, least=1, most=9),
    "ratio": Option("ratio", "How much of it.", "number", 0.5, above=0, below=1),
    "flavour": Option("flavour", "Which: sweet or sour.", "choice", "sweet", choices=("sweet", "sour"), panel=STUDY),
    "parts": Option("parts", "Which parts.", "names", choices=("a", "b")),
    "for_s": Option("for_s", "For how long.", "time", None, "for ever", "--for", panel=FIRST),
    "most_bytes": Option("most_bytes", "At most.", "size", option="--most", above=0),
    "fine": Option("fine", "Finely.", "switch", True),
    "plain": Option("plain", "Plainly.", "switch", False),
    "hidden": Option("hidden", "Not on the command line.", "whole", 1, option=None),
    "note": Option("note", "A text.", "text"),
}
ALL = ["--things", "9", "--ratio", "0.25", "--flavour", "sour", "--parts", "a,b", "--for", "1m30s", "--most", "2KiB"]


def _run(words):
    """The exit code and output of the made-up command, and what it was called with."""
    got = []

    app = typer.Typer(add_completion=False)

    @app.command(cls=Command)
    @takes(MADE_UP, first=("for_s",))
    def made_up(name: str = "x", **given) -> None:
        got.append((name, given))
        if given.get("note") == "wrong":
            raise UsageError("n_things is odd, and most_bytes too.")

    result = CliRunner().invoke(app, words)
    return result, got


def test_what_is_written_arrives_as_values():
    result, got = _run([*ALL, "--no-fine", "--plain", "--note", "hm", "--name", "y"])
    assert result.exit_code == 0, result.output
    assert got == [
        (
            "y",
            {
                "n_things": 9, "ratio": 0.25, "flavour": "sour", "parts": ("a", "b"), "for_s": 90.0, "most_bytes": 2048,
                "fine": False, "plain": True, "note": "hm",
            },
        )
    ]  # fmt: skip


def test_what_is_not_given_does_not_arrive():
    assert _run([])[1] == [("x", {})]
    assert _run(["--fine"])[1] == [("x", {"fine": True})]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--things", "0"], "--things is 0; wanted a whole number from 1 to 9."),
        (["--things", "1.5"], "--things is '1.5'; wanted a whole number from 1 to 9."),
        (["--things", ""], "--things is ''; wanted a whole number from 1 to 9."),
        (["--ratio", "1"], "--ratio is 1; wanted a number above 0 and below 1."),
        (["--ratio", "inf"], "--ratio is inf; wanted a number above 0 and below 1."),
        (["--flavour", "bitter"], "--flavour is 'bitter'; wanted sweet or sour."),
        (["--for", "soon"], "'soon'"),
        (["--most", "0"], "--most is 0; wanted a whole number above 0."),
    ],
)
def test_what_is_wrong_is_one_sentence_with_the_option(words, said):
    result, got = _run(words)
    assert said in str(result.exception)
    assert got == []


def test_an_error_of_the_command_speaks_of_options_too():
    from tinynas.cli.options import _NAMES

    result, _ = _run(["--note", "wrong"])
    assert isinstance(result.exception, UsageError)
    assert "n_things" not in _NAMES, "these names are made up: the sentence stays as it is"
    assert str(result.exception) == "n_things is odd, and most_bytes too."


def test_the_help_is_made_of_the_rows(monkeypatch):
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 120)
    out = _run(["--help"])[0].output
    assert "hidden" not in out
    lines = [line for line in out.splitlines() if "--" in line]
    assert [line.split()[1] for line in lines][:4] == ["--for", "--name", "--help", "--things"]
    assert lines[-1].split()[1] == "--flavour", "what is for study comes last"
    assert "TIME" in lines[0]
    assert "For how long. Default: for ever." in lines[0]
    assert "--no-fine" in out
    assert "--no-plain" not in out

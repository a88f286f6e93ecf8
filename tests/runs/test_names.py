"""Which run, and which trial of it, a person means: the same everywhere, in Python and on the command line."""

import json
import os
import shutil

import pytest

from tests.report.conftest import Story, make_run
from tinynas import convert, resume, write_report
from tinynas.cli import main
from tinynas.errors import RunError, UsageError
from tinynas.runs import find_run, run_and_trial

QUICK = Story(trained=2, infeasible=0, failed=0, finalists=0, real=False)


def test_a_path_a_name_and_the_newest(tmp_path):
    root = tmp_path / "runs"
    first, second = make_run(root / "first", QUICK), make_run(root / "second", QUICK)
    for name in (first, str(first), "first", f"{first}/"):
        assert find_run(name, root) == first
    for name in ("latest", "best"):
        assert find_run(name, root) == second
    assert find_run(str(root / "latest"), root) == second


def test_the_newest_is_found_without_the_link(tmp_path):
    """As in an archive that lost it, or where no run has a model yet."""
    root = tmp_path / "runs"
    for number, name in enumerate(("b", "c", "a")):
        settings = make_run(root / name, QUICK) / "settings.json"
        os.utime(settings, (1000 + number, 1000 + number))
    (root / "latest").unlink()
    assert find_run("latest", root) == root / "a"
    (root / "latest").symlink_to("gone")
    assert find_run("latest", root) == root / "a"


def test_no_such_run_is_a_sentence_with_those_there_are(tmp_path):
    root = tmp_path / "runs"
    with pytest.raises(RunError, match=r"'x' is no run.*there is none"):
        find_run("x", root)
    with pytest.raises(RunError, match="no run in"):
        find_run("latest", root)
    with pytest.raises(RunError, match=r"is not a run folder: it has no settings\.json"):
        find_run(tmp_path, root)
    for number in range(8):
        make_run(root / f"run{number}", QUICK)
    with pytest.raises(RunError, match=r"run2, .*run7 and 2 older ones") as error:
        find_run("x", root)
    assert "latest," not in str(error.value)
    for odd in ("", "x" * 5000, "a/" * 3000, "x" * 5000 + ":3", "a\0b"):
        with pytest.raises(RunError, match="is no run"):
            find_run(odd, root)


def test_a_trial_of_a_run(tmp_path):
    root = tmp_path / "runs"
    run = make_run(root / "x", QUICK)
    for name in (f"{run}:12", "x:12", "latest:12", "best:12"):
        assert run_and_trial(name, root) == (run, 12)
        with pytest.raises(UsageError, match=r"is a trial, where a whole run is wanted: leave out :12"):
            find_run(name, root)
    assert run_and_trial("latest", root) == (run, None)
    odd = make_run(root / "a:7", QUICK)
    assert run_and_trial("a:7", root) == (odd, None)
    assert run_and_trial("a:7:3", root) == (odd, 3)
    assert run_and_trial(odd, root) == (odd, None)
    for name in (":3", "x:", "x:y", "x:-1", "x:1.5", "x:٣"):
        with pytest.raises(RunError, match="is no run"):
            run_and_trial(name, root)


@pytest.fixture
def here(small_run, tmp_path, monkeypatch):
    """A working folder with two runs below runs/, of which "small" is the newest."""
    for name in ("other", "small"):
        shutil.copytree(small_run.folder, tmp_path / "runs" / name)
    (tmp_path / "runs" / "latest").symlink_to("small")
    monkeypatch.chdir(tmp_path)
    return tmp_path


COMMANDS = {
    "report": ["report", "{}"],
    "trials": ["trials", "{}", "--json"],
    "show": ["show", "{}", "--json"],
    "compare": ["compare", "{}", "runs/small"],
    "pareto": ["pareto", "{}", "--json"],
    "convert": ["convert", "{}", "--out", "fw", "--format", "tflite"],
    "convert --run": ["convert", "--run", "{}", "--out", "fw", "--format", "tflite"],
    "search --resume": ["search", "--resume", "{}", "--json"],
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", ["latest", "small"])
def test_every_command_takes_every_name(here, capsys, command, name):
    with pytest.raises(SystemExit) as end:
        main([part.format(name) for part in COMMANDS[command]])
    out, err = capsys.readouterr()
    assert not end.value.code, err
    if command == "report":
        assert (here / "runs" / "small" / "report.html").exists()
    if command in ("trials", "show", "pareto"):
        json.loads(out)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_which_runs_there_are(here, capsys, command):
    with pytest.raises(SystemExit) as end:
        main([part.format("nowhere") for part in COMMANDS[command]])
    assert end.value.code in (1, 2)
    err = capsys.readouterr().err
    assert "'nowhere'" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", ["convert", "convert --run", "show"])
def test_a_trial_is_named_alike(here, capsys, small_run, command):
    from tinynas.runs import kept

    number = kept(small_run.folder)[0]
    for name in ("latest", "small", "runs/small"):
        with pytest.raises(SystemExit) as end:
            main([part.format(f"{name}:{number}") for part in COMMANDS[command]])
        assert not end.value.code, capsys.readouterr().err


@pytest.mark.parametrize("command", ["report", "trials", "pareto", "search --resume"])
def test_a_trial_is_no_run(here, capsys, command):
    with pytest.raises(SystemExit) as end:
        main([part.format("small:0") for part in COMMANDS[command]])
    assert end.value.code == 2
    assert "is a trial, where a whole run is wanted" in capsys.readouterr().err


def test_python_takes_the_same_names(here, small_run):
    for name in ("latest", "small", "runs/small", here / "runs" / "small"):
        assert write_report(name).resolve() == here / "runs" / "small" / "report.html"
        assert resume(name).summary == small_run.summary
        assert convert(name, out=here / "fw", formats=("tflite",)).stage == "final"

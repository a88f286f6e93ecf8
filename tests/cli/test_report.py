"""The commands about runs as a person and as a script meet them."""

import csv
import io
import json

import pytest

from tests.report.conftest import Story, make_run
from tinynas.cli import main
from tinynas.cli.reports import _results
from tinynas.report import compare, read_facts
from tinynas.report.counts import counts_of


@pytest.fixture
def call(capsys):
    """Run the command line in this process: exit code, standard output, standard error."""

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return end.value.code or 0, out, err

    return run


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with runs/first and runs/second in it; the second is the newest."""
    root = tmp_path_factory.mktemp("place")
    make_run(root / "runs" / "first", Story(trained=4, infeasible=1, failed=1))
    make_run(root / "runs" / "second", Story(trained=3, settings=(("seed", 5),)))
    return root


@pytest.fixture
def here(place, monkeypatch):
    monkeypatch.chdir(place)
    return place


def test_report_writes_the_page_of_the_run_that_is_meant(call, here, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda uri: opened.append(uri) or True)
    for name, folder in (("first", "first"), ("latest", "second"), (here / "runs" / "first", "first")):
        page = here / "runs" / folder / "report.html"
        page.unlink(missing_ok=True)
        code, out, _ = call("report", name)
        assert code == 0
        assert out.startswith("wrote ")
        assert page.is_file()
    assert opened == []
    call("report", "--open")
    assert opened == [(here / "runs" / "second" / "report.html").as_uri()]


@pytest.mark.parametrize(("width", "shown"), [(100, False), (200, True)])
def test_a_narrow_terminal_gets_fewer_columns_and_whole_networks(call, here, monkeypatch, width, shown):
    monkeypatch.setenv("COLUMNS", str(width))
    _, out, _ = call("trials", "first")
    head = next(line for line in out.splitlines() if "architecture" in line)
    assert ("gen." in head) == shown
    assert all(name in head for name in ("training", "int8 accuracy", "arena B", "file B"))
    assert max(map(len, out.splitlines())) <= width


def test_trials_as_a_table_csv_and_json(call, here):
    trials = read_facts(here / "runs" / "first").trials
    code, out, _ = call("trials", "first")
    assert code == 0
    for trial in trials:
        assert str(trial.architecture).split(" > ")[0] in out
    assert "it said no" in out
    _, out, _ = call("trials", "first", "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert sorted(int(row["number"]) for row in rows) == [trial.number for trial in trials]
    _, out, _ = call("trials", "first", "--json")
    values = json.loads(out)
    assert [row["number"] for row in values] == [int(row["number"]) for row in rows]
    assert [row["accuracy_int8"] for row in values] == [
        float(row["accuracy_int8"]) if row["accuracy_int8"] else None for row in rows
    ]
    assert values[0]["number"] == read_facts(here / "runs" / "first").best.number
    _, out, _ = call("trials", "first", "--json", "--top", "2")
    assert json.loads(out) == values[:2]


def test_show_draws_the_network_its_figures_and_its_family(call, here):
    best = read_facts(here / "runs" / "second").best
    code, out, _ = call("show", "best")
    assert code == 0
    assert f"trial #{best.number}: the best" in out
    for shape in best.architecture.shapes:
        assert " × ".join(map(str, shape)) in out.replace("\N{NO-BREAK SPACE}", " ")
    assert f"{best.evaluation.footprint.arena_bytes:,} B (exact)" in out
    assert "87.65 % int8" in out
    assert "trained on more folds" in out
    _, out, _ = call("show", "first:0")
    assert "trial #0" in out
    _, out, _ = call("show", "first:0", "--json")
    trial = read_facts(here / "runs" / "first").trials[0]
    assert json.loads(out)["genome"] == trial.architecture.to_dict()


def test_compare_in_words_and_as_json(call, here):
    code, out, _ = call("compare", "first", "second")
    assert code == 0
    for said in ("seed", "best trial", "networks trained", "accuracy 87.65 % int8, 88.77 % float"):
        assert said in out
    assert not any(key in out for key in ("n_children", "test_int8", "digest", "flash_bytes", "{"))
    _, out, _ = call("compare", "first", "second", "--json")
    runs = json.loads(out)["runs"]
    assert [run["run"] for run in runs] == ["runs/first", "runs/second"]
    assert [run["settings"] for run in runs] == [{"seed": 0}, {"seed": 5}]
    _, out, _ = call("compare", "first", "first")
    assert "Settings that differ: none." in out


def test_brackets_and_commas_in_a_run_s_name(call, here):
    odd = make_run(here / "runs" / "a,[red]b", Story(trained=2, finalists=0, infeasible=0, failed=0, real=False))
    short = odd.relative_to(here)  # so that no line is broken within the name
    code, out, err = call("compare", short, "first")
    assert (code, err) == (0, "")
    assert "[red]b" in out
    code, out, _ = call("trials", short)
    assert "[red]b" in out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["report", "nowhere"], 1, "'nowhere' is no run: give a run folder, or a name in runs/"),
        (["trials", "nowhere"], 1, "first"),
        (["show", "nowhere:3"], 1, "'nowhere'"),
        (["show", "first:77"], 2, "no trial 77: it has 0 to 7"),
        (["compare", "first"], 2, "two runs or more"),
        (["compare", "first", "nowhere"], 1, "'nowhere'"),
        (["trials", "first", "--csv", "--json"], 2, "exclude each other"),
        (["trials", "first", "--top", "0"], 2, "--top is 0"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_is_wrong_is_one_sentence(call, here, arguments, code, said):
    found, out, err = call(*arguments)
    assert (found, out) == (code, "")
    assert err.startswith("tinynas: ")
    assert err.count("\n") == 1
    assert said in err


def test_without_any_run_it_says_how_to_start_one(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command in ("report", "trials", "show"):
        code, _, err = call(command)
        assert code == 1
        assert "There is no run in runs" in err


def test_compare_counts_networks_as_the_report_does(here):
    facts = [read_facts(here / "runs" / name) for name in ("first", "second")]
    found = compare(facts).results
    for place, each in enumerate(facts):
        row = {name: values[place] for name, values in found.items()}
        words = counts_of(each.trials).words
        assert _results(row)["trials"].startswith(f"{words}, ")

"""The command of a run, given to the command line again: it asks for the same search."""

import shlex
from dataclasses import replace

import pytest
import typer.main
from hypothesis import given
from hypothesis import strategies as st

from tests.report.conftest import BOARD
from tinynas.architecture import SearchSpace
from tinynas.cli.app import app
from tinynas.hardware import MEASURES, Limits
from tinynas.options.reading import READING
from tinynas.report.command import command_of
from tinynas.runs import DataSource, Settings
from tinynas.searching import with_limits

SPACE = SearchSpace.for_input((8, 8, 1), 10)
DIGITS = DataSource(kind="digits", digest="0" * 64, summary="digits")
USUAL = {"version": "1", "target": BOARD, "data": DIGITS, "space": SPACE, "limits": BOARD.limits, "final_threads": 2}
SEARCH = typer.main.get_command(app).commands["search"]
OWN = {"version", "target", "data", "space", "limits", "final_threads", "reduction", "peak_rate", "batch_size"}


def _settings(**values):
    return Settings.create(**{**USUAL, **values})


def _asked(command, monkeypatch):
    """What the command line gives to search() for `command`."""
    import tinynas.searching
    from tinynas.cli import main

    found = {}

    class Asked(Exception):  # noqa: N818
        pass

    def search(dataset, target, **options):
        found.update(options, target=target, dataset=dataset)
        raise KeyboardInterrupt

    monkeypatch.setattr(tinynas.searching, "search", search)
    words = shlex.split(command)
    assert words[0] == "tinynas"
    with pytest.raises(SystemExit) as end:
        main(words[1:])
    assert end.value.code == 1
    return found


CASES = {
    "usual": {},
    "all": {
        "n_children": 5, "n_parents": 2, "n_mutations": 3, "seed": 7, "max_trials": 9, "time_budget_s": 5400.5,
        "patience": 4, "strategy": "nsga2", "selection": "comma", "start": "random", "fidelity": "full", "n_folds": 3,
        "n_rungs": 2, "inherit": False, "qat": False, "precision": "bfloat16", "objectives": ("accuracy", "ram"),
        "n_finalists": 2, "final_epochs": 6, "metric": "f1", "augment": "shift,noise", "n_generations": 3,
    },
    "limits": {"limits": with_limits(BOARD, flash_bytes=65536, ram_bytes=20000, macs=10**6, latency_ms=12.5)},
    "all limits": {"limits": Limits(**{name: 70_000 + at for at, name in enumerate(MEASURES)})},
    "usual strategy, where another is usual": {"strategy": "surrogate", "objectives": ("accuracy", "ram")},
    "depth": {"space": replace(SPACE, initial_depth=2, max_depth=5)},
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_command_line_asks_for_the_same_search(monkeypatch, name):
    settings = _settings(**CASES[name])
    command, notes = command_of(settings)
    assert notes == ()
    asked = _asked(command, monkeypatch)
    assert asked["target"] == BOARD
    assert asked["limits"] == settings.limits
    assert asked["space"] == settings.space
    assert asked["workers"] == 2
    assert asked["dataset"].name == "digits"
    given_ = {name: asked[name] for name in asked if name in Settings.model_fields and name not in OWN}
    again = _settings(**{**CASES[name], **given_})
    assert again == settings
    assert {"seed", "n_folds", "precision"} <= set(given_)


@given(st.floats(1.0, 2_000_000.0))
def test_any_time_budget_is_read_back(seconds):
    from tinynas.cli.formats import parse_duration

    words = shlex.split(command_of(_settings(time_budget_s=seconds))[0])
    assert parse_duration(words[words.index("--time-budget") + 1]) == pytest.approx(seconds, rel=1e-9)


def test_data_in_files_with_odd_names_are_quoted():
    source = DataSource(
        kind="path", path="/a b/it's", labels="/l", layout="series", reshape=(784, 1), digest="0", summary="x"
    )
    words = shlex.split(command_of(_settings(data=source))[0])
    for option, value in (("--data", "/a b/it's"), ("--labels", "/l"), ("--layout", "series"), ("--reshape", "784,1")):
        assert words[words.index(option) + 1] == value


@pytest.mark.parametrize(
    "given_options",
    [{"window": 16, "stride": 8, "columns": ["a b", "c"], "label": "-1"}, {"image_size": (24, 32), "colour": "grey"}],
)
def test_the_options_of_a_reader_are_said_as_they_are_read(given_options):
    from tinynas.data.readers import ReadOptions

    source = DataSource(kind="path", path="/d", options=given_options, digest="0", summary="x")
    words = shlex.split(command_of(_settings(data=source))[0])
    said = {name: words[words.index(option) + 1] for name, row in READING.items() if (option := row.option) in words}
    assert ReadOptions.create(said) == ReadOptions.create(given_options)


def test_switches_are_said_without_a_value(monkeypatch):
    command, _ = command_of(_settings(balance=True))
    assert _asked(command, monkeypatch)["balance"] is True
    assert "balance" not in command_of(_settings())[0]
    assert _asked(command_of(_settings(qat=False))[0], monkeypatch)["qat"] is False


def test_what_the_command_cannot_say_is_said_beside_it():
    own = BOARD.model_copy(update={"ram_bytes": 50_000})
    arrays = DataSource(kind="arrays", digest="0", summary="arrays")
    settings = _settings(
        target=own, data=arrays, space=replace(SPACE, hidden_units=(0,)), batch_size=32,
        strategy="own", own={"strategy": "mine.Greedy"},
    )  # fmt: skip
    command, notes = command_of(settings)
    assert "--target my_board.json" in command
    assert "--strategy" not in command
    said = " ".join(notes)
    for part in (
        "my_board.json",
        "arrays in Python",
        "search space",
        "batch_size was 32",
        "strategy was mine.Greedy",
    ):
        assert part in said
    assert command_of(_settings(limits=Limits()))[1] == ()

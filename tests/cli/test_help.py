"""What `tinynas search --help` prints, against what a search does: default by default, panel by panel."""

import re

import numpy as np
import pytest
import typer.main

from tinynas import Dataset, SearchSpace, search
from tinynas.cli import main
from tinynas.cli.app import app
from tinynas.cli.options import DATA, LIMITS
from tinynas.options import PANELS, RUNNING, SETTINGS, SPACE
from tinynas.options.option import STUDY

COMMAND = typer.main.get_command(app)
SEARCH = COMMAND.commands["search"]


def _commands(command=COMMAND, name="tinynas"):
    """Yield every command below with the words that call it."""
    for below, child in getattr(command, "commands", {}).items():
        yield from _commands(child, f"{name} {below}")
    if not hasattr(command, "commands"):
        yield name, command


def _panels(capsys, monkeypatch, width):
    """What the help shows: {panel: {option: text}}, in its order."""
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", width)
    with pytest.raises(SystemExit):
        main(["search", "--help"])
    found, rows, last = {}, {}, ""
    for line in capsys.readouterr().out.splitlines():
        if line.startswith("╭─"):
            rows = found.setdefault(line.strip("╭─╮ "), {})
        elif line.startswith("│"):
            option = re.match(r"│ (?:\* )? *(--[\w-]+)(?: +(--[\w-]+))? +(?:[A-Z]+ +)?(.*?) *│", line)
            last = option[1] if option else last
            rows[last] = option[3] if option else f"{rows[last]} {line.strip('│ ')}"
    return found


@pytest.fixture
def panels(capsys, monkeypatch):
    return _panels(capsys, monkeypatch, 300)


def test_every_option_is_shown_in_its_panel_with_its_text(panels):
    tables = (RUNNING, SETTINGS, SPACE, LIMITS, DATA)
    for row in (row for table in tables for row in table.values() if row.option):
        assert panels[row.panel][row.option] == row.text


def _does(monkeypatch, dataset, **given):
    """The settings that a search comes to by itself."""
    import tinynas.searching.api

    found = []

    def create(folder, settings):
        found.append(settings)
        raise KeyboardInterrupt

    monkeypatch.setattr(tinynas.searching.api.Run, "create", create)
    with pytest.raises(KeyboardInterrupt):
        search(dataset, "nucleo_f401", **given)
    return found[0]


def test_the_default_that_is_printed_is_the_one_that_is_taken(panels, monkeypatch):
    does = _does(monkeypatch, Dataset.digits())
    said = {option: text for rows in panels.values() for option, text in rows.items()}
    for name, row in SETTINGS.items():
        if row.option is None:
            continue
        default = re.search(r"Default: (.*)\.$", said[row.option])
        value = getattr(does, name)
        if value is None or value is False:
            assert default is None or not re.search(r"\d", default[1])
        elif value is True:
            assert default[1] == row.option
        else:
            words = ",".join(value) if isinstance(value, tuple) else str(value)
            assert default[1] == words or words in re.split(r"[ ,]+", default[1]), name
    space = SearchSpace.for_input((8, 8, 1), 10)
    for name, row in SPACE.items():
        assert re.search(r"Default: (\d+)", said[row.option])[1] == str(getattr(space, name))


def test_defaults_that_follow_from_other_things_do_so(panels, monkeypatch):
    study, training = panels[STUDY], panels["Training"]
    several = _does(monkeypatch, Dataset.digits(), objectives=("accuracy", "ram"))
    assert several.strategy == "nsga2"
    assert "or nsga2 where there is more than one objective" in study["--strategy"]
    x, y = np.zeros((12, 8, 8)), np.arange(12) % 3
    few = Dataset.from_arrays(x, y, x_test=x, y_test=y)
    assert _does(monkeypatch, few).n_folds == 4
    assert "or fewer where a class has fewer samples" in training["--folds"]
    trials = _does(monkeypatch, Dataset.digits(), max_trials=3)
    assert trials.n_generations is None
    assert "when no end is given" in panels["What is searched for, and for how long"]["--generations"]


def test_what_a_newcomer_needs_comes_first_and_what_is_for_study_last(panels):
    assert tuple(panels) == PANELS
    assert list(panels[PANELS[0]])[:3] == ["--target", "--data", "--time-budget"]
    assert {"--strategy", "--parents", "--mutations", "--selection", "--start", "--children"} <= set(panels[STUDY])
    for option in ("--parents", "--mutations", "--selection"):
        assert "Only for --strategy evolution" in panels[STUDY][option]
        assert "surrogate" not in panels[STUDY][option], "the usual strategy does not heed it"


@pytest.mark.parametrize("width", [80, 120])
def test_the_help_fits_its_terminal_and_cuts_no_option(capsys, monkeypatch, width):
    shown = {option for rows in _panels(capsys, monkeypatch, width).values() for option in rows}
    assert {parameter.opts[0] for parameter in SEARCH.params} <= shown
    with pytest.raises(SystemExit):
        main(["search", "--help"])
    assert all(len(line) <= width for line in capsys.readouterr().out.splitlines())


@pytest.mark.parametrize(
    ("name", "command"), list(_commands()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_value_has_a_name_and_a_switch_none(name, command):
    for parameter in command.get_params(typer.Context(command)):
        if parameter.param_type_name == "option":
            assert (parameter.metavar == "") == parameter.is_flag, f"{name} {parameter.opts[0]}"
        assert parameter.help, f"{name} {parameter.opts[0]}"
        assert parameter.help.endswith("."), f"{name} {parameter.opts[0]}"


def test_an_option_that_nothing_heeds_is_told_as_it_was_written(capsys, monkeypatch):
    import tinynas.searching.api

    def create(folder, settings):
        raise KeyboardInterrupt

    monkeypatch.setattr(tinynas.searching.api.Run, "create", create)
    with pytest.raises(SystemExit):
        main(["search", "--target", "nucleo_f401", "--parents", "2", "--rungs", "1", "--fidelity", "full"])
    lines = capsys.readouterr().out.splitlines()
    assert "--parents changes nothing here: it is for strategy evolution, and this is surrogate." in lines
    assert "--rungs changes nothing here: it is for fidelity proxy, and this is full." in lines


def test_the_names_in_other_commands_are_those_that_there_are():
    from tinynas.export import FORMATS
    from tinynas.hardware import BUILDS, DEFAULT_BUILD, KERNEL_LIBRARIES
    from tinynas.options.search import OBJECTIVES

    helps = {(name, p.opts[0]): p.help for name, command in _commands() for p in command.params}
    defaults = {(name, p.opts[0]): p.default for name, command in _commands() for p in command.params}
    assert helps["tinynas convert", "--format"] == f"all, a comma list of {', '.join(FORMATS)}, or engine: plain C."
    assert all(name in helps["tinynas analyze", "--kernels"] for name in KERNEL_LIBRARIES)
    assert defaults["tinynas analyze", "--build"] == DEFAULT_BUILD
    assert {word for build in BUILDS for word in build.split()} == {"release", "logs", "-Os", "-O2", "i8"}
    assert all(name in helps["tinynas pareto", "--objectives"] for name in OBJECTIVES)


def test_the_defaults_of_readers_are_what_they_do(tmp_path):
    from tinynas.data import MelFeatures

    assert DATA["mels"].says_default == str(MelFeatures.for_sound(sample_rate=16000, clip=16000).n_mels)
    names = re.match(r"the one called (.*), or the only", DATA["label"].says_default)[1]
    for name in re.split(r", | or ", names):
        (tmp_path / f"{name}.csv").write_text(
            f"a,{name},b\n" + "".join(f"{i % 7},{i % 2},{i % 5}\n" for i in range(40))
        )
        assert Dataset.load(tmp_path / f"{name}.csv").input_shape == (2, 1, 1)


def test_what_a_search_tries_is_called_a_trial_in_every_help():
    for words, command in _commands():
        texts = [command.help or "", *(getattr(parameter, "help", None) or "" for parameter in command.params)]
        for text in texts:
            assert not re.search(r"\b(child|children|candidates?|proposals?)\b", text), f"{words}: {text}"


def test_where_the_trials_are_trained_has_a_panel_of_its_own(panels):
    assert list(panels["Where the trials are trained"]) == ["--executor", "--address"]

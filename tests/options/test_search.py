"""The table of settings against what reads it: Settings, the strategies, the space, the scores, the augmentation."""

import json
from dataclasses import fields

import pytest

from tests.report.conftest import BOARD
from tinynas.architecture import SearchSpace
from tinynas.errors import UsageError
from tinynas.options import HEEDS, SETTINGS, SPACE
from tinynas.options.search import AUGMENTATIONS, METRICS, OBJECTIVES
from tinynas.runs import DataSource, Settings
from tinynas.runs.front import _FIGURES
from tinynas.runs.trial import Evaluation
from tinynas.searching import strategy_for
from tinynas.training.augment import Augmentation

SPACE_8 = SearchSpace.for_input((8, 8, 1), 3)
FOLLOWS = {
    "version",
    "front_end",
    "target",
    "data",
    "space",
    "limits",
    "final_threads",
    "own",
    "figures",
    "extensions",
    "warm_start",
}


def _settings(**values):
    digits = DataSource(kind="digits", digest="0", summary="digits")
    return Settings.create(version="1", target=BOARD, data=digits, space=SPACE_8, limits=BOARD.limits, **values)


def test_every_setting_has_its_row_and_takes_its_default_from_it():
    assert set(SETTINGS) == set(Settings.model_fields) - FOLLOWS
    usual = _settings()
    for name, row in SETTINGS.items():
        assert getattr(usual, name) == row.default
        assert Settings.model_fields[name].description == row.help


NUMBERS = [row for row in SETTINGS.values() if row.kind in ("whole", "number", "time")]


@pytest.mark.parametrize("row", NUMBERS, ids=lambda row: row.name)
def test_the_range_of_a_row_is_that_of_the_setting(row):
    step = 1 if row.kind == "whole" else 1e-9
    inside = [bound for bound in (row.least, row.most) if bound is not None]
    outside = [bound - step for bound in (row.least,) if bound is not None]
    outside += [bound + step for bound in (row.most,) if bound is not None]
    outside += [bound for bound in (row.above, row.below) if bound is not None]
    assert outside
    for value in inside:
        assert getattr(_settings(**{row.name: value}), row.name) == value
    for value in (*outside, "a"):
        with pytest.raises(UsageError, match=rf"^{row.name} is .*; wanted {row.wanted}\.$"):
            _settings(**{row.name: value})


CHOICES = [row for row in SETTINGS.values() if row.kind == "choice"]


@pytest.mark.parametrize("row", CHOICES, ids=lambda row: row.name)
def test_the_choices_of_a_row_are_those_of_the_setting(row):
    for choice in row.choices:
        assert getattr(_settings(**{row.name: choice}), row.name) == choice
        assert choice in row.help, "the help names every choice"
    with pytest.raises(UsageError, match=f"^{row.name} is 'magic'; wanted {row.wanted}"):
        _settings(**{row.name: "magic"})


def test_the_names_are_those_that_there_are():
    assert ("accuracy", *_FIGURES) == OBJECTIVES == SETTINGS["objectives"].choices
    assert {field.name for field in fields(Augmentation)} == {*AUGMENTATIONS, "level"}, "level is that of sound alone"
    assert all(name in SETTINGS["augment"].help for name in AUGMENTATIONS)
    assert SETTINGS["metric"].choices == METRICS
    assert Evaluation.mean.__defaults__[0] in METRICS


def test_the_space_is_the_row():
    usual = SearchSpace.for_input((28, 28, 1), 10)
    for name, row in SPACE.items():
        assert getattr(usual, name) == row.default
    assert SearchSpace.for_input((28, 28, 1), 10, max_depth=2).initial_depth == 2
    assert SearchSpace.for_input((28, 28, 1), 10, max_depth=8).initial_depth == SPACE["initial_depth"].default


OTHER = {"n_parents": 7, "n_mutations": 9, "selection": "comma", "start": "random"}


def _memory(strategy):
    """What a strategy keeps of what it was told."""
    return {name: repr(value) for name, value in vars(strategy).items() if isinstance(value, int | str | float | bool)}


@pytest.mark.parametrize("strategy", HEEDS)
@pytest.mark.parametrize("name", OTHER)
def test_a_strategy_heeds_what_its_row_says_and_nothing_else(strategy, name):
    """Independent of the table: a setting that is heeded changes what the strategy was made of, or what it asks."""
    import numpy as np

    def asked(**values):
        made = strategy_for(_settings(strategy=strategy, **values), lambda architecture: _footprint(architecture))
        first = [proposal.architecture.key for proposal in made.ask(6, np.random.default_rng(0))]
        return first, _memory(made)

    heeds = asked() != asked(**{name: OTHER[name]})
    assert heeds == (strategy in SETTINGS[name].strategies) == (name in HEEDS[strategy])


def _footprint(architecture):
    from tests.searching.conftest import footprint_of

    return footprint_of(architecture)


def test_every_option_of_some_strategies_is_tried_here():
    assert set(OTHER) == {name for name, row in SETTINGS.items() if row.strategies}


def test_a_setting_that_is_wrong_in_a_file_names_the_file():
    from tinynas.errors import RunError

    text = _settings().model_dump_json()
    wrong = json.dumps({**json.loads(text), "n_children": 0})
    with pytest.raises(RunError, match=r"^a/settings\.json: n_children is 0; wanted a whole number from 1 to 1,000\.$"):
        Settings.read(wrong, "a/settings.json")
    assert Settings.read(text, "x") == _settings()

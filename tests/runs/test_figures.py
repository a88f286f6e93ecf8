"""A run keeps the figures of the time that it began with."""

import json

import pytest

from tests.old_run import FOLDER
from tinynas import Architecture, Block, Head, screen
from tinynas.errors import RunError
from tinynas.hardware import FIGURES, Limits, Target
from tinynas.runs import Settings, read_settings

NETWORK = Architecture((28, 28, 1), (Block("conv", 8, 3), Block("depthwise", 8, 3)), Head("flatten"), 10)


def test_a_run_of_version_0_1_is_judged_by_that_versions_time():
    """The figures of version 0.1.0 on this network, as that version told them: no limit of it flips on resume."""
    board = read_settings(FOLDER / "evolution").target
    assert board.figures == 1
    old, new = screen(NETWORK, board), screen(NETWORK, Target.load("nucleo_f401"))
    assert (old.instructions, round(old.latency_ms, 4), old.flash.runtime) == OLD
    assert old.latency_ms != new.latency_ms
    limit = Limits(latency_ms=(old.latency_ms + new.latency_ms) / 2)
    assert len(limit.violations(old)) != len(limit.violations(new))


OLD = (1_417_457, 20.2494, 43_034)  # screened with the code of that version


def test_new_settings_say_which_figures_hold_and_are_read_again():
    text = (FOLDER / "evolution" / "settings.json").read_text(encoding="utf-8")
    old = Settings.read(text, "settings.json")
    assert old.figures == old.target.figures == 1
    again = Settings.read(old.model_dump_json(), "settings.json")
    assert (again.figures, again.target.figures) == (1, 1)
    new = Settings.read(json.dumps({**json.loads(text), "figures": FIGURES}), "settings.json")
    assert (new.figures, new.target.figures) == (FIGURES, FIGURES)
    assert Settings.create(**{**dict(new), "seed": 3}).figures == FIGURES


def test_figures_of_a_later_version_are_told():
    text = (FOLDER / "evolution" / "settings.json").read_text(encoding="utf-8")
    later = json.dumps({**json.loads(text), "figures": FIGURES + 1})
    with pytest.raises(RunError, match=r"settings.json: figures is 3"):
        Settings.read(later, "settings.json")


def test_a_board_is_the_same_board_whatever_its_figures():
    old, new = read_settings(FOLDER / "evolution").target, Target.load("nucleo_f401")
    assert old != new
    assert old.is_same_board(new)
    assert not old.is_same_board(Target.load("nucleo_f411"))
    assert not new.is_same_board(Target(**new.model_dump() | {"active_power_mw": 1}))

"""tools/field_check.py: what is wrong is said, what is as wanted is not."""

import sys
from pathlib import Path

import numpy as np
import pytest

from tests.data.kinds import write_csv

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture(scope="module")
def tool():
    """The module of the program."""
    sys.path.insert(0, str(TOOLS))
    try:
        import field_check

        yield field_check
    finally:
        sys.path.remove(str(TOOLS))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Class folders whose channels are the three axes."""
    place, rng = tmp_path_factory.mktemp("field"), np.random.default_rng(0)
    for name in ("circle", "shake"):
        for number in range(3):
            write_csv(place / "xyz" / name / f"{number}.csv", [["x", "y", "z"], *rng.normal(size=(200, 3)).tolist()])
    return place


def test_what_is_as_wanted_is_ok(tool, folder) -> None:
    rows = [row for row in tool.DATA if row.path == "xyz"]
    assert len(rows) == 3
    for row in rows:
        assert tool.tried(row, folder, False)[1] == []


def test_what_is_not_is_told(tool, folder) -> None:
    for wanted, told in (
        ({"classes": ("a", "b")}, "classes are ('circle', 'shake'), not ('a', 'b')"),
        ({"samples": (1, 1)}, "samples are (16, 8), not (1, 1)"),
        ({"shape": (50, 1, 2)}, "shape are (50, 1, 3), not (50, 1, 2)"),
        ({"says": "nothing of the kind"}, "does not say 'nothing of the kind'"),
        ({"refused": True}, "is not refused"),
    ):
        assert tool.tried(tool.Set("xyz", {"window": 50}, **wanted), folder, False)[1] == [told]
    assert tool.tried(tool.Set("xyz"), folder, False)[1] == ["is refused"]


def test_its_lines_and_its_end(tool, folder, monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["field_check.py", str(folder), "--no-search"])
    monkeypatch.setattr(tool, "DATA", [*tool.DATA[:3], tool.Set("xyz", {"window": 50}, ("a",)), tool.Set("gone.csv")])
    with pytest.raises(SystemExit) as end:
        tool.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["ok"] * 3 + ["WRONG"] + ["absent"] * (1 + len(tool.MODELS))
    assert end.value.code == 1

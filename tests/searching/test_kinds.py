"""A search on the data of every reader: with a made-up score, and for real from the command line."""

import json

import pytest

from tests.data.kinds import KINDS
from tests.searching.conftest import evaluate
from tinynas import search
from tinynas.cli import main
from tinynas.data import load

EVERY = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())


@EVERY
def test_a_search_takes_the_data_of_every_reader(tmp_path, kind) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    data = load(kind.write(folder, 8), **kind.options)
    result = search(
        data, "nucleo_f401", out=tmp_path / "run", evaluate=evaluate, max_trials=2, n_children=2, n_finalists=1
    )
    assert result.best is not None
    assert result.best.architecture.input_shape == kind.shape
    assert result.summary["data"] == data.summary()


@pytest.mark.slow
@EVERY
def test_a_real_search_from_the_command_line_and_its_resume(tmp_path, kind, capsys) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    path = kind.write(folder, 12)
    options = [text for name, value in kind.options.items() for text in (f"--{name.replace('_', '-')}", str(value))]
    run = tmp_path / "run"
    small = ["--trials", "2", "--children", "2", "--finalists", "1", "--folds", "2", "--final-epochs", "2"]
    arguments = [
        "search",
        "--target",
        "nucleo_f401",
        "--data",
        str(path),
        *options,
        *small,
        "--balance",
        "--metric",
        "f1",
    ]
    _call([*arguments, "--workers", "1", "--out", str(run), "--json"])
    summary = json.loads(capsys.readouterr().out)
    assert summary["trials"]["complete"] >= 2
    assert summary["best"]["test"] is not None
    about = json.loads((run / "best" / "architecture.json").read_text())
    assert about["class_names"] == list(kind.names)
    assert (about["features"] is not None) == ("sounds" in str(kind.write.__name__))
    _call(["search", "--resume", str(run), "--json"])
    assert json.loads(capsys.readouterr().out) == summary


def _call(arguments) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert not end.value.code

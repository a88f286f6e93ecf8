"""`tinynas data check` and the data options of search, as a person and as a script meet them."""

import json
import os
import re

import numpy as np
import pytest

from tests.data.kinds import KINDS, write_csv
from tinynas.cli import main
from tinynas.cli.console import console
from tinynas.cli.options import DATA
from tinynas.cli.session import load_data
from tinynas.data import load
from tinynas.data.readers import ReadOptions
from tinynas.runs import DataSource


@pytest.fixture
def call(capsys):
    """Run the command line in this process: exit code, standard output, standard error."""

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return end.value.code or 0, out, err

    return run


def _arguments(kind, path):
    given = [text for name, value in kind.options.items() for text in (f"--{name.replace('_', '-')}", str(value))]
    return [path, *given]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_check_shows_every_kind(call, tmp_path, kind) -> None:
    arguments = _arguments(kind, kind.write(tmp_path, 8))
    code, out, err = call("data", "check", *arguments)
    assert code == 0, err
    assert all(name in out for name in (*kind.names, "sample", "duplicates", "constant"))
    assert ("groups" in out) == kind.grouped
    assert "class_names" not in out
    code, out, err = call("data", "check", *arguments, "--json")
    assert code == 0
    found = json.loads(out)
    assert tuple(found["shape"]) == kind.shape
    assert [one["name"] for one in found["classes"]] == list(kind.names)
    assert found["digest"] == load(arguments[0], **kind.options).digest
    assert found["layout_reason"] in err


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_settings_find_the_same_data_again(tmp_path, kind) -> None:
    """What --resume does: the options, through settings.json and back, load the set that the search began with."""
    path = kind.write(tmp_path, 6)
    quiet = console(stderr=True)
    data, source = load_data(path, kind.options, quiet)
    again = DataSource.model_validate_json(source.model_dump_json())
    assert ReadOptions.create(again.options) == ReadOptions.create(kind.options)
    assert load(again.path, **again.options).digest == data.digest == again.digest


def test_check_warns_of_a_leak(call, tmp_path) -> None:
    x = np.random.default_rng(0).random((60, 6))
    np.savez(tmp_path / "set.npz", x=x, y=np.arange(60) % 2, x_test=x[:10], y_test=np.arange(10) % 2)
    code, out, _ = call("data", "check", tmp_path / "set.npz")
    assert code == 0
    assert "Warning: The split leaks: 10 of 10 test samples equal a training sample" in " ".join(out.split())
    assert "Nothing speaks against" not in out


def test_what_was_assumed_is_said(call, tmp_path) -> None:
    path = write_csv(tmp_path / "a.csv", [["a", "b", "kind"], *[[i, i % 7, "xy"[i % 2]] for i in range(60)]])
    _, out, err = call("data", "check", path)
    assert "The label is column 'kind' (no other was asked for)." in out
    assert err == ""
    _, out, err = call("data", "check", path, "--json")
    assert "The label is column 'kind' (no other was asked for)." in err
    assert "The label is column 'kind' (no other was asked for)." in json.loads(out)["notes"]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--window", "0"], 2, "--window is 0; wanted a whole number"),
        (["--window", "ten"], 2, "--window is 'ten'"),
        (["--stride", "3"], 2, "--stride needs a window"),
        (["--image-size", "8"], 2, "--image-size is for a folder of pictures; "),
        (["--sample-rate", "8000"], 2, "--sample-rate is for a folder of WAV files; "),
        (["--colour", "blue"], 2, "--colour is 'blue'; choose grey or rgb"),
        (["--columns", ","], 2, "--columns is ''; wanted a column's name"),
        (["--label", "nothing"], 1, "has no column 'nothing' (label)"),
        (["--label", "a", "--group", "a"], 2, "--group is a, which is the label too"),
        (["--layout", "sound"], 2, "--layout is 'sound'"),
        (["--reshape", "5,5"], 1, "cannot be reshaped to 5 x 5"),
        (["--reshape", "99999999999999999999,1"], 1, "cannot be reshaped"),
    ],
)
def test_options_that_make_no_sense(call, tmp_path, arguments, code, sentence) -> None:
    path = write_csv(tmp_path / "a.csv", [["a", "b", "label"], *[[i, i % 7, "xy"[i % 2]] for i in range(40)]])
    for command in (["data", "check", path], ["search", "--target", "nucleo_f401", "--data", path]):
        found, out, err = call(*command, *arguments)
        assert (found, out) == (code, "")
        assert err.splitlines()[-1].startswith("tinynas: ")
        assert sentence in err
        assert "Traceback" not in err


def test_options_need_data_and_are_not_given_with_resume(call, tmp_path) -> None:
    for row in DATA.values():
        option, value = row.option, row.choices[0] if row.choices else "3"
        code, _, err = call("search", "--target", "nucleo_f401", option, value)
        assert code == 2
        assert f"{option} needs --data" in err
        code, _, err = call("search", "--resume", tmp_path, option, value)
        assert code == 2
        assert f"{option} cannot be given with --resume" in err
    assert call("search", "--resume", tmp_path, "--balance")[0] == 2
    assert set(DATA) == {*ReadOptions.__dataclass_fields__, "labels", "layout", "reshape"}


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.write_bytes(b"")])
@pytest.mark.parametrize("name", ["a", "a.csv", "a.npz", "x.npy", "a.wav", "a.png", "train-images-idx3-ubyte.gz"])
def test_nonsense_is_told_in_one_sentence(call, tmp_path, make, name) -> None:
    make(tmp_path / name)
    for path in (tmp_path / name, tmp_path):
        code, out, err = call("data", "check", path)
        assert (code, out) == (1, "")
        assert err.startswith("tinynas: ")
        assert err.count("\n") == 1
        assert "Internal error" not in err


def test_steps_and_groups_are_explained(call, tmp_path):
    """A figure without a verdict is a question: what counts as few, and what a group is."""
    rng = np.random.default_rng(0)
    for name, spread in (("fine", 80), ("coarse", 0.5)):
        x = np.clip(rng.normal(128, spread, (90, 8, 8)), 0, 255).astype(np.uint8)
        x[0, 0, 0], x[1, 0, 0] = 0, 255
        np.savez(tmp_path / f"{name}.npz", x=x, y=np.arange(90) % 3, groups=np.arange(90) // 3)
    _, out, _ = call("data", "check", tmp_path / "fine.npz")
    assert re.search(r"the middle 98 % of the values span \S+ of 256: enough, as 16 would be", " ".join(out.split()))
    assert "samples that belong together" in " ".join(out.split())
    assert "none is divided between parts or folds" in " ".join(out.split())
    _, out, _ = call("data", "check", tmp_path / "coarse.npz", "--range", "full")
    assert "too few where they are below 16" in " ".join(out.split())

"""Wrong kinds in public functions, and damaged files of a run: errors of tinynas, one sentence each, nothing else."""

import contextlib
import copy
import inspect
import json
import os
import shutil
import sqlite3
import subprocess
import sys

import numpy as np
import pytest

from tests.every import every
from tests.old_run import FOLDER
from tests.searching.conftest import footprint_of
from tests.tflite.models import fixture
from tinynas import (
    Architecture,
    Block,
    Dataset,
    Head,
    Kind,
    Limits,
    SearchSpace,
    Stage,
    Target,
    analyze,
    convert,
    lower,
    register_kind,
    resume,
    screen,
    search,
    write_report,
)
from tinynas.errors import DataError, RunError, TinynasError, UsageError, door
from tinynas.runs import Best, find_run, front, kept, latest_run, read_settings, read_summary, read_trials
from tinynas.searching import NSGA2, AgingEvolution, Evolution, RandomSearch, with_limits

MODEL = fixture("mn_tiny_c4_b1")
DATA = Dataset.from_arrays(np.random.default_rng(0).random((40, 8, 8)), np.arange(40) % 2)
WRONG = (5, 1.5, True, "x", b"x", ["x"], {"a": 1}, object(), print, np.zeros(3), None, "\udcff", float("nan"))


def _said(kind, call) -> str:
    """What the error of `kind` says that `call` raises, "" when it raises none."""
    try:
        call()
    except kind as error:
        return str(error)
    return ""


def _one_sentence(error: pytest.ExceptionInfo) -> None:
    text = str(error.value)
    assert text
    assert "\n" not in text
    assert len(text) < 600


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: analyze(MODEL, 5), r"analyze\(\): target must be a tinynas.Target or None, got the int 5"),
        (lambda: analyze(MODEL, Target.load("nucleo_f401"), 5), r"limits must be a tinynas.Limits or None"),
        (lambda: analyze("net.tflite"), r"data must be bytes, got the str 'net.tflite'"),
        (lambda: analyze(MODEL, wrong=3), r"analyze\(\) cannot be called like that: got an unexpected keyword"),
        (lambda: convert(formats=5), r"convert\(\): formats must be a sequence, got the int 5"),
        (lambda: convert(formats=[["c"]]), "no format"),
        (lambda: convert(runs=5), "runs must be a path or a text"),
        (lambda: convert(data=5), "data must be a tinynas.Dataset"),
        (lambda: convert(trust="yes"), "trust must be True or False, got the str 'yes'"),
        (lambda: write_report(5), "folder must be a path or a text"),
        (lambda: Limits(flash_bytes=1.5), r"flash_bytes is 1\.5; wanted a whole number"),
    ],
)
def test_what_came_and_what_was_wanted(call, said):
    with pytest.raises(UsageError, match=said) as error:
        call()
    _one_sentence(error)


def test_a_latency_may_have_a_fraction_and_a_count_may_not():
    assert Limits(latency_ms=1.5, flash_bytes=2).latency_ms == 1.5
    assert Limits(flash_bytes=20_000.0).flash_bytes == 20_000


@pytest.mark.parametrize("function", [analyze, convert])
def test_no_argument_of_any_kind_is_a_foreign_error(function, tmp_path, monkeypatch):
    """Each argument in turn is something of every kind; what is right by chance may be done, and nothing is left."""
    monkeypatch.chdir(tmp_path)
    for name in inspect.signature(function).parameters:
        for value in WRONG:
            given = {"data": MODEL} if function is analyze else {"source": "no.tflite"}
            assert "\n" not in _said(TinynasError, lambda options={**given, name: value}: function(**options))
    assert list(tmp_path.iterdir()) == []


SPACE = SearchSpace.for_input((8, 8, 1), 2)
NETWORK = SPACE.handmade()[0]
BOARD = Target.load("nucleo_f401")
X, Y = DATA.x[:, :, :, 0], DATA.y
# What is public, with arguments that are right: each of them in turn is something of every kind.
PUBLIC = {
    "Dataset.load": (Dataset.load, {"path": "no.npz"}),
    "Dataset.load_pair": (Dataset.load_pair, {"images": "no.npy", "labels": "nor.npy"}),
    "Dataset.from_arrays": (Dataset.from_arrays, {"x": X, "y": Y}),
    "Dataset.folds": (DATA.folds, {"k": 2, "seed": 0}),
    "Dataset.representative": (DATA.representative, {"n": 2, "seed": 0}),
    "Target": (Target, BOARD.model_dump()),
    "Target.load": (Target.load, {}),
    "Limits": (Limits, {}),
    "SearchSpace": (SearchSpace, {"input_shape": (8, 8, 1), "n_classes": 2}),
    "SearchSpace.for_input": (SearchSpace.for_input, {"shape": (8, 8, 1), "n_classes": 2}),
    "random_architecture": (SPACE.random_architecture, {"rng": np.random.default_rng(0)}),
    "Architecture": (
        Architecture,
        {"input_shape": (8, 8, 1), "blocks": NETWORK.blocks, "head": NETWORK.head, "n_classes": 2},
    ),
    "Block": (Block, {"kind": "conv", "filters": 4, "kernel_size": 3}),
    "Head": (Head, {}),
    "Kind": (Kind, {"name": "s", "short": "spr", "stages": (Stage("conv", "conv", spatial=True),)}),
    "Stage": (Stage, {"name": "conv", "convolution": "conv"}),
    "register_kind": (register_kind, {}),
    "screen": (screen, {"architecture": NETWORK, "target": BOARD}),
    "lower": (lower, {"architecture": NETWORK}),
    "resume": (resume, {"folder": "nothing"}),
    "with_limits": (with_limits, {"target": BOARD}),
    "find_run": (find_run, {"name": "x"}),
    "latest_run": (latest_run, {"root": "x"}),
    "read_settings": (read_settings, {"folder": "x"}),
    "read_summary": (read_summary, {"folder": "x"}),
    "read_trials": (lambda path: list(read_trials(path)), {"path": "there.sqlite"}),
    "Best": (Best, {"folder": "x"}),
    "kept": (kept, {"folder": "x"}),
    "front": (front, {"trials": []}),
    "Evolution": (Evolution, {"space": SPACE}),
    "AgingEvolution": (AgingEvolution, {"space": SPACE}),
    "NSGA2": (NSGA2, {"space": SPACE}),
    "RandomSearch": (RandomSearch, {"space": SPACE}),
}
READING = ("label", "columns", "window", "rate", "missing", "range", "image_size", "group")


@every("name", PUBLIC)
def test_no_argument_of_what_is_public_is_a_foreign_error(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    function, right = PUBLIC[name]
    names = [each.name for each in inspect.signature(function).parameters.values() if each.kind != each.VAR_KEYWORD]
    names += READING if name.startswith("Dataset.load") else ()
    for argument in dict.fromkeys([*names, *right]):
        for value in (*WRONG, 10**30, -1, "", [None], (1, 2)):
            try:
                said = _said(TinynasError, lambda given={**right, argument: value}: function(**given))
            except Exception as error:
                raise AssertionError(f"{name}({argument}={value!r}): {type(error).__name__}: {error}") from error
            assert "\n" not in said
            assert len(said) < 1500


@pytest.mark.parametrize("value", [object(), "x", np.zeros(3), float("nan"), 10**30, "\udcff", [None]])
def test_no_argument_of_search_is_a_foreign_error(tmp_path, monkeypatch, value):
    """What begins is stopped by its first child; nothing that is refused leaves a folder."""
    monkeypatch.chdir(tmp_path)

    def evaluate(architecture):
        raise KeyboardInterrupt

    for name in (
        *inspect.signature(search).parameters,
        "seed",
        "max_trials",
        "time_budget_s",
        "objectives",
        "peak_rate",
    ):
        if name == "settings":
            continue
        given = {"dataset": DATA, "target": BOARD, "evaluate": evaluate, "screen": lambda _: footprint_of(NETWORK)}
        with contextlib.suppress(KeyboardInterrupt):
            said = _said(
                TinynasError,
                lambda given={**given, "n_generations": 1, "strategy": "random", "out": "run", name: value}: search(
                    **given
                ),
            )
            assert "\n" not in said
            assert not (tmp_path / "run").exists()
        shutil.rmtree(tmp_path / "run", ignore_errors=True)


@pytest.mark.parametrize("executor", [5, int, lambda: None, lambda data, settings: 5, lambda data, settings: 1 / 0])
def test_an_executor_that_is_none_leaves_no_folder(tmp_path, executor):
    with pytest.raises(UsageError, match="executor") as error:
        search(DATA, "nucleo_f401", out=tmp_path / "run", executor=executor)
    _one_sentence(error)
    assert not (tmp_path / "run").exists()


def test_the_door_keeps_name_help_and_result():
    @door
    def half(of: int, name: "str | None" = None) -> float:
        """Half of it."""
        return of / 2

    assert (half(4), half(of=np.int64(4)), half.__name__, half.__doc__) == (2.0, 2.0, "half", "Half of it.")
    for arguments in ((True,), (4.0,), (4, 5), (None,)):
        with pytest.raises(UsageError, match=r"half\(\): "):
            half(*arguments)


# --- files of a run


def _values(value, path=()):
    """Yield the place of everything in a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _values(inner, (*path, key))


def _changed(value, path, new):
    value = copy.deepcopy(value)
    if not path:
        return new
    place = value
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = new
    return value


@pytest.fixture
def run(tmp_path):
    shutil.copytree(FOLDER / "trained", tmp_path / "run")
    return tmp_path / "run"


def test_a_summary_that_is_damaged_anywhere_is_told(run):
    """Whatever stands in the place of whatever: it is read as it was meant, or is one sentence that names the file."""
    path = run / "summary.json"
    whole = json.loads(path.read_text())
    refused = 0
    for place in _values(whole):
        for new in (None, "x", [], {}, -1.5):
            path.write_text(json.dumps(_changed(whole, place, new)))
            said = _said(RunError, lambda: read_summary(run))
            assert not said or (str(path) in said and "\n" not in said)
            refused += bool(said)
    assert refused > 200
    for text in ("", "[", "[" * 100_000, "null", "3", '{"best": 3}', '{"best": {}, "seconds": 1}'):
        path.write_text(text)
        with pytest.raises(RunError, match=r"summary\.json"):
            read_summary(run)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(RunError, match=r"summary\.json"):
        read_summary(run)


def test_a_journal_that_is_damaged_anywhere_is_told(run):
    path = run / "journal.sqlite"
    with sqlite3.connect(path) as connection:
        (number, text) = connection.execute(
            "SELECT number, evaluation FROM trials WHERE state = 'complete' LIMIT 1"
        ).fetchone()
    connection.close()
    refused = 0

    def write(column, value):
        with sqlite3.connect(path) as opened:
            opened.execute(f"UPDATE trials SET {column} = ? WHERE number = ?", (value, number))
        opened.close()

    def read():
        said = _said(RunError, lambda: [str(trial) for trial in read_trials(path)])
        assert not said or "damaged" in said or "could not be used" in said
        return bool(said)

    evaluation = json.loads(text)
    for place in _values(evaluation):
        if len(place) > 3 and place[1] not in (0, "0"):
            continue
        for new in (None, [], "x"):
            write("evaluation", json.dumps(_changed(evaluation, place, new)))
            refused += read()
    assert refused > 50
    write("evaluation", "[" * 100_000)
    assert read()
    write("evaluation", text)
    for column, value in (("generation", "x"), ("elapsed_s", "x"), ("architecture", "5"), ("architecture", b"\xff")):
        kept = sqlite3.connect(path)
        before = kept.execute(f"SELECT {column} FROM trials WHERE number = ?", (number,)).fetchone()[0]
        kept.close()
        write(column, value)
        assert read(), column
        write(column, before)
    assert not read()


# --- names that are not UTF-8

NAME = os.fsdecode(b"caf\xe9")


def test_names_that_are_not_utf8_are_told_where_they_come_in(tmp_path):
    with pytest.raises(DataError, match=r"A class is .* no UTF-8"):
        Dataset.from_arrays(DATA.x, DATA.y, class_names=[NAME, "b"])
    with pytest.raises(RunError, match=r"The run folder is .* no UTF-8"):
        search(DATA, "nucleo_f401", out=tmp_path / NAME)
    assert list(tmp_path.iterdir()) == []
    for name in (NAME, "b"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(3):
            (tmp_path / "data" / name / f"{number}.pgm").write_bytes(b"P5 2 2 255 " + bytes([number] * 4))
    with pytest.raises(DataError, match="no UTF-8"):
        Dataset.load(tmp_path / "data")


@pytest.mark.parametrize(
    "arguments",
    [("analyze",), ("convert",), ("report",), ("data", "check"), ("search", "--target", "nucleo_f401", "--data")],
)
def test_the_command_line_says_names_that_are_not_utf8(tmp_path, arguments):
    done = subprocess.run(
        [sys.executable, "-m", "tinynas", *arguments, os.fsencode(NAME)],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    said = done.stderr.decode()
    assert done.returncode in (1, 2)
    assert "Internal error" not in said
    assert "Traceback" not in said
    assert "caf" in said

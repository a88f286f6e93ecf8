"""Arguments of another kind than wanted: one sentence each, before anything is done."""

import numpy as np
import pytest

from tinynas import Architecture, Block, Dataset, Head, Limits, SearchSpace, Target, lower, resume, screen, search
from tinynas.errors import ArchitectureError, UsageError
from tinynas.searching import Note, with_limits

NETWORK = Architecture((8, 8, 1), (Block("conv", filters=4, kernel_size=3),), Head("gap"), 10)
X, Y = np.random.default_rng(0).random((40, 64)), np.arange(40) % 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"reshape": "8,8"}, "'reshape': it belongs to the data"),
        ({"nonsense": 3}, "'nonsense' (known: augment,"),
        ({"max_trial": 3}, "strategy, time_budget_s; did you mean max_trials?)."),
        ({"trials": 3}, "'trials' (did you mean max_trials?)."),
        ({"children": 3}, "'children' (did you mean n_children?)."),
        ({"mutation": 3}, "did you mean n_mutations?"),
        ({"ram_bytes": 3}, "'ram_bytes': it is a limit, so give limits=tinynas.Limits(ram_bytes=...)."),
        ({"max_flash": 3}, "it is a limit, so give limits=tinynas.Limits(flash_bytes=...)."),
        ({"max_depth": 3}, "it belongs to the space, so give space=tinynas.SearchSpace.for_input(..., max_depth=...)."),
        ({"window": 3}, "'window': it belongs to the data"),
        ({"limits": {"ram_bytes": 3}}, "limits must be a tinynas.Limits, such as"),
        ({"workers": 1000}, "1,000 workers are too many for"),
        ({"workers": True}, "The number of workers is True"),
        ({"seed": "a"}, "seed is 'a'"),
        ({"max_trials": 1.5}, "max_trials is 1.5"),
        ({"objectives": "accuracy"}, "objectives must be a tuple of names"),
        ({"objectives": 5}, "objectives must be a tuple of names"),
        ({"space": "big"}, "space must be a tinynas.SearchSpace"),
        ({"out": 7}, "out must be the path"),
        ({"workers": "two"}, "workers is 'two'"),
        ({"watch": "x"}, "watch must be a function, got 'x'"),
        ({"evaluate": "x"}, "evaluate must be a function"),
        ({"screen": "x"}, "screen must be a function"),
        ({"source": "x"}, "source must be a DataSource"),
        ({"target": 7}, "a Target as target"),
        ({"dataset": "digits"}, "a Dataset as dataset"),
        ({"limits": Limits()}, None),
        ({"version": "2"}, "'version': it follows"),
    ],
    ids=lambda value: repr(value)[:30] if isinstance(value, dict) else None,
)
def test_search(stripes, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    given = {"dataset": stripes, "target": "nucleo_f401", "max_trials": 1, **arguments}
    if said is None:  # what is right gets through to the next check
        given, said = {**given, "seed": "a"}, "seed is 'a'"
    with pytest.raises(UsageError) as error:
        search(given.pop("dataset"), given.pop("target"), **given)
    assert said in str(error.value)
    assert str(error.value).endswith(".")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: resume(5, Dataset.digits()), "folder must be the path of a run folder, got the int 5."),
        (lambda: Dataset.from_arrays("abc", "def"), "x must be an array"),
        (lambda: Dataset.from_arrays(X, "def"), "y must be an array with one entry for each sample, got 'def'"),
        (lambda: Dataset.from_arrays(None, None), "x must be an array with one entry for each sample, got None"),
        (lambda: Dataset.from_arrays(X, Y, reshape="8,8"), "reshape must be a tuple of axes such as (8, 8), got '8,8'"),
        (lambda: Dataset.from_arrays(X, Y, reshape=(8, "8")), "reshape must be a tuple"),
        (lambda: Dataset.from_arrays(X, Y, reshape=64), "reshape must be a tuple"),
        (lambda: Dataset.from_arrays(X, Y, seed="a"), "seed must be a whole number of at least 0, got 'a'"),
        (lambda: Dataset.from_arrays(X, Y, test_fraction="a"), "test_fraction must be a share"),
        (lambda: Dataset.from_arrays(X, Y, name=5), "name must be a string"),
        (lambda: Dataset.from_arrays(X, Y, class_names="ab"), "class_names must be a list"),
        (lambda: Dataset.from_arrays(X, Y, class_names=5), "class_names must be a list"),
        (lambda: Dataset.load(".", windw=5), "window; did you mean window?)."),
        (
            lambda: with_limits(Target.load("nucleo_f401"), ram_byte=2),
            "ram_bytes; did you mean ram_bytes?).",
        ),
        (lambda: Dataset.load(5), "path must be a str or Path of a file or folder, got the int 5."),
        (lambda: Dataset.load(None), "path must be a str or Path of a file or folder, got None."),
        (lambda: Dataset.load_pair(5, "x"), "path must be a str or Path"),
        (lambda: Dataset.load_pair("x", 5), "labels must be a str or Path"),
        (lambda: Dataset.digits(seed="a"), "seed must be a whole number"),
        (lambda: Dataset.digits().folds("3", 0), "k must be a whole number"),
        (lambda: Dataset.digits().folds(3, -1), "seed must be a whole number"),
        (lambda: Dataset.digits().representative("x", 0), "n must be a whole number"),
        (lambda: lower("x"), "architecture must be a tinynas.Architecture, got the str 'x'."),
        (lambda: screen("x", Target.load("nucleo_f401")), "architecture must be an Architecture"),
        (lambda: screen(NETWORK, "nucleo_f401"), "target must be a Target"),
        (lambda: screen(NETWORK, SearchSpace), "target must be a Target"),
    ],
)
def test_the_rest_of_the_python_api(call, said):
    with pytest.raises(UsageError) as error:
        call()
    assert said in str(error.value)
    assert str(error.value).endswith(".")
    assert "\n" not in str(error.value)


def test_numpy_numbers_and_lists_are_as_good():
    reshape = np.array([8, 8])
    data = Dataset.from_arrays(X, Y, reshape=reshape, seed=np.int64(3), test_fraction=np.float64(0.25))
    assert data.input_shape == (8, 8, 1)
    assert Dataset.from_arrays(X.tolist(), Y.tolist(), class_names=np.array(["a", "b"])).class_names == ("a", "b")


def test_a_range_of_the_space_that_there_is_not():
    with pytest.raises(ArchitectureError, match=r"no range .max_dept. .*; did you mean max_depth\?\)\.$"):
        SearchSpace.for_input((8, 8, 1), 3, max_dept=2)


@pytest.mark.parametrize(
    ("given", "notes"),
    [
        ({}, []),
        ({"strategy": "evolution", "n_parents": 2, "selection": "comma", "fidelity": "full"}, []),
        ({"n_parents": 2}, ["n_parents changes nothing here: it is for strategy evolution, and this is surrogate."]),
        (
            {"n_mutations": 2, "strategy": "random", "fidelity": "none", "n_rungs": 1},
            [
                "n_mutations changes nothing here: it is for strategy evolution, aging or nsga2, and this is random.",
                "n_rungs changes nothing here: it is for fidelity proxy, and this is none.",
            ],
        ),
        (
            {"n_mutations": 2, "objectives": ("accuracy", "ram"), "start": "random", "n_parents": 3},
            ["n_parents changes nothing here: it is for strategy evolution, and this is nsga2."],
        ),
        ({"final_epochs": 3, "fidelity": "none"}, [
            "final_epochs changes nothing here: it is for fidelity proxy or full, and this is none."
        ]),
    ],
)  # fmt: skip
def test_what_nothing_heeds_is_told(stripes, tmp_path, monkeypatch, given, notes):
    """Before there is a run folder, as a Note with the names that Python has."""
    import tinynas.searching.api

    def create(folder, settings):
        raise KeyboardInterrupt

    events = []
    monkeypatch.setattr(tinynas.searching.api.Run, "create", create)
    with pytest.raises(KeyboardInterrupt):
        search(stripes, "nucleo_f401", watch=events.append, max_trials=1, **given)
    assert events == [Note(note) for note in notes]

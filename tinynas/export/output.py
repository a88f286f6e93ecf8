"""What a model's output is: classes, one yes or no, values, or the input again; told by the file and by the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from tinynas.data import Dataset
from tinynas.data.values import ValueDataset, values_of
from tinynas.errors import DataError, UsageError
from tinynas.tflite import Graph
from tinynas.tflite.affine import Floats

Ints = npt.NDArray[np.int64]
Kind = Literal["classes", "binary", "values", "reconstruction"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Labelled = Dataset | ValueDataset

_COPIES = frozenset(("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "QUANTIZE", "DEQUANTIZE"))  # what they make is what came in


@dataclass(frozen=True)
class Output:
    """What the output is taken for, and how its real values are read.

    classes: a value a class, the greatest is the answer.  binary: one value, class 1 where it is above `threshold`.
    values: real values.  reconstruction: the input again, whose distance from it says how strange a sample is.
    `class_names` are those of the first two kinds. `reason` says in words why; `others` are the kinds that it might be
    as well, empty where there is no doubt or somebody has said what it is.
    """

    kind: Kind
    class_names: tuple[str, ...] = ()
    threshold: float = 0.5
    reason: str = ""
    others: tuple[Kind, ...] = ()

    def note(self) -> str | None:
        """The guess as a sentence that says how to overrule it; None where it is none."""
        if not self.others:
            return None
        others = " or ".join(f"--output {kind}" for kind in self.others)
        return f"The output is assumed to be {_WORDS[self.kind]}, since {self.reason}; {others} overrides this."

    def answers(self, real: Floats) -> Ints:
        """The classes (n,) that real outputs (n, values) stand for; ties go to the lower class."""
        if self.kind == "binary":
            return np.asarray(real[:, 0] > self.threshold, dtype=np.int64)
        return np.asarray(real.argmax(axis=1), dtype=np.int64)


_WORDS = {
    "classes": "classes, the greatest output being the answer",
    "binary": "a yes or no",
    "values": "values",
    "reconstruction": "the input once more, as an autoencoder gives it",
}


def as_kind(value: object) -> Kind:
    """`value` when it names a kind of output; UsageError otherwise."""
    for kind in KINDS:
        if value == kind:
            return kind
    raise UsageError(f"The output is {value!r}; choose {', '.join(KINDS[:-1])} or {KINDS[-1]}.")


def last_operator(graph: Graph, index: int | None = None) -> str:
    """The operator that makes the tensor `index` (by default the first output), seen through those that only copy."""
    wanted, name = graph.outputs[0] if index is None else index, ""
    for operator in reversed(graph.operators):
        if wanted in operator.outputs:
            name = operator.name
            if name not in _COPIES:
                return name
            wanted = operator.inputs[0]
    return name


def output_of(graph: Graph, data: Labelled | None = None, asked: Kind | None = None) -> Output:
    """What the output of `graph`, of one input and one output, is: as `asked`, or by the file and the labels of `data`.

    DataError when the labels are not what such an output can be compared with, UsageError when `asked` cannot be.
    """
    given, found = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    facts = _Facts(last_operator(graph), _long(given.shape), _long(found.shape), data)
    if asked is not None:
        _require_possible(asked, facts)
    kind, reason, others = _guess(facts) if asked is None else (asked, "it was asked for", ())
    threshold = 0.5 if facts.last == "LOGISTIC" else 0.0
    return Output(kind, _class_names(kind, facts), threshold, reason, others)


def outputs_of(graph: Graph) -> tuple[Output, ...]:
    """What each output of a graph of several inputs or outputs is, by the file alone; none is the input again."""
    found = []
    for index in graph.outputs:
        facts = _Facts(last_operator(graph, index), (), _long(graph.tensors[index].shape), None)
        kind, reason, _ = _guess(facts)
        found.append(Output(kind, _class_names(kind, facts), 0.5 if facts.last == "LOGISTIC" else 0.0, reason))
    return tuple(found)


@dataclass(frozen=True)
class _Facts:
    """What the guess rests on: the operator that makes the output, both shapes without sides of 1, and the data."""

    last: str
    given: tuple[int, ...]
    found: tuple[int, ...]
    data: Labelled | None

    @property
    def values(self) -> int:
        """How many values the output has."""
        return int(np.prod(self.found))

    @property
    def classes(self) -> int | None:
        """How many classes the data have; None without data, or when their labels are no classes."""
        return self.data.n_classes if isinstance(self.data, Dataset) else None


_Guess = tuple[Kind, str, tuple[Kind, ...]]


def _guess(facts: _Facts) -> _Guess:
    if facts.values == 1:
        return _guess_of_one(facts)
    same = bool(facts.given) and np.prod(facts.given) == facts.values
    if len(facts.found) > 1:
        if same:
            return "reconstruction", "it has as many values as the input", ("values",)
        return "values", f"it has {len(facts.found)} axes", ()
    if facts.last == "SOFTMAX":
        return "classes", "its last operator is SOFTMAX", ()
    if facts.classes == facts.values:
        return "classes", "the data have as many classes", ()
    if same:
        return "reconstruction", "it has as many values as the input", ("classes", "values")
    if isinstance(facts.data, ValueDataset) and facts.data.width == facts.values:
        return "values", "the labels of the data are as many values", ()
    return "classes", f"it has {facts.values} values", ("values",)


def _guess_of_one(facts: _Facts) -> _Guess:
    if facts.classes == 2:
        doubt: tuple[Kind, ...] = () if facts.last == "LOGISTIC" else ("values",)
        return "binary", "it is one value and the data have two classes", doubt
    if facts.data is not None and values_of(facts.data) is not None:
        return "values", "it is one value and the labels of the data are numbers", ()
    if facts.last == "LOGISTIC":
        return "binary", "it is one value and the last operator is LOGISTIC", ("values",)
    return "values", f"it is one value and the last operator is {facts.last}, not LOGISTIC", ("binary",)


def _require_possible(asked: Kind, facts: _Facts) -> None:
    n = facts.values
    wrong = {
        "classes": n < 2 and "classes have an output each, two at the least",
        "binary": n != 1 and "a yes or no is one value",
        "values": False,
        "reconstruction": np.prod(facts.given) != n and f"the input has {int(np.prod(facts.given))} values",
    }[asked]
    if wrong:
        raise UsageError(f"The output cannot be {asked}: it has {n} value{'s' if n > 1 else ''}, and {wrong}.")


def _class_names(kind: Kind, facts: _Facts) -> tuple[str, ...]:
    """The names of the classes, numbered ones without data; DataError when the data have other classes."""
    if kind not in ("classes", "binary"):
        return ()
    wanted = 2 if kind == "binary" else facts.values
    if facts.data is None:
        return tuple(f"class {number}" for number in range(wanted))
    if isinstance(facts.data, ValueDataset):
        raise DataError(f"{facts.data.why}; the model's output was taken for classes")
    if facts.data.n_classes != wanted:
        one = "one output, which tells two classes apart" if facts.values == 1 else f"{facts.values} outputs"
        hint = "; --output values takes labels as numbers" if values_of(facts.data) is not None else ""
        raise DataError(
            f"{facts.data.name} has {facts.data.n_classes} classes, but the model has {one}; wanted one output a "
            f"class{hint}"
        )
    return facts.data.class_names


def _long(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(size for size in shape if size != 1)

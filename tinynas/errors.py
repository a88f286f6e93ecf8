"""Every error that tinynas raises on purpose: one sentence that names the thing, what came and what was wanted.

TinynasError              an error that a person can act on (exit code 1)
  UsageError              an option or argument that makes no sense (exit code 2)
  TargetError             a board profile that is wrong or unknown (exit code 2)
  DataError               a data set that cannot be used
  ArchitectureError       a genome that breaks its own rules, or a search space that is empty
  ModelError              a .tflite that cannot be read, written or planned
    UnsupportedOperatorError  an operator whose memory or cost is not known
  ConversionError         a model that does not convert, or whose converted file disagrees with its source
  InfeasibleError         limits that nothing in the search space satisfies
  RunError                a run folder that is missing, in use, damaged or of another search
  BoardError              a board at the end of a serial line that does not answer, or not as it should
"""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from functools import cache, wraps
from numbers import Integral, Real
from os import PathLike
from types import UnionType
from typing import Any, ParamSpec, TypeVar, Union, get_args, get_origin

_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class TinynasError(Exception):
    """The root of all errors that are a message to a person; `exit_code` is what the command line ends with.

    Its text is one line, without characters that steer a terminal: a part of it may come from a damaged file.
    """

    exit_code = 1

    def __str__(self) -> str:
        return _CONTROLS.sub(" ", super().__str__())


class UsageError(TinynasError):
    """An option or argument that makes no sense, alone or with the others."""

    exit_code = 2


class TargetError(TinynasError):
    """A board profile that is wrong, or a name that no profile has."""

    exit_code = 2


class DataError(TinynasError):
    """A data set that cannot be read or cannot be learned from."""


class ArchitectureError(TinynasError):
    """A genome that breaks its own rules, or a search space that holds nothing."""


class ModelError(TinynasError):
    """A .tflite that cannot be read, written or planned."""


class UnsupportedOperatorError(ModelError):
    """An operator whose memory or cost is not known, so that no verdict can be given."""


class ConversionError(TinynasError):
    """A model that does not convert to int8, or whose file disagrees with its source."""


class InfeasibleError(TinynasError):
    """Limits that no architecture of the search space satisfies."""


class RunError(TinynasError):
    """A run folder that is missing, in use, damaged or of another search."""


class BoardError(TinynasError):
    """A board at the end of a serial line that does not answer, or not as it should."""


def check_kind(name: str, value: object, kinds: type | tuple[type, ...], wanted: str) -> None:
    """UsageError unless the argument `name` is of one of `kinds`; `wanted` says in words what it must be."""
    if not isinstance(value, kinds):
        came = "None" if value is None else f"the {type(value).__name__} {value!r}"
        came = came if len(came) <= 60 else f"a {type(value).__name__}"
        raise UsageError(f"{name} must be {wanted}, got {came}.")


# --- kinds, as annotations say them

# The last word of an annotation -> what a value has to be, and that in words.
_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "None": (lambda value: value is None, "None"),
    "bool": (lambda value: isinstance(value, bool), "True or False"),
    "int": (lambda value: isinstance(value, Integral) and not isinstance(value, bool), "a whole number"),
    "float": (lambda value: isinstance(value, Real) and not isinstance(value, bool), "a number"),
    "str": (lambda value: isinstance(value, str), "a text"),
    "Build": (lambda value: isinstance(value, str), "a text"),
    "KernelLibrary": (lambda value: isinstance(value, str), "a text"),
    "Kind": (lambda value: isinstance(value, str), "a text"),  # of output
    "PackageKind": (lambda value: isinstance(value, str), "a text"),
    "Preset": (lambda value: isinstance(value, str), "a text"),
    "Literal": (lambda value: isinstance(value, str), "a text"),  # of words: which, is for the function to say
    "Path": (lambda value: isinstance(value, PathLike), "a path"),
    "bytes": (lambda value: isinstance(value, bytes | bytearray), "bytes"),
    "Sequence": (lambda value: isinstance(value, Sequence) and not isinstance(value, str | bytes), "a sequence"),
    "Iterable": (lambda value: isinstance(value, Iterable) and not isinstance(value, str | bytes), "a sequence"),
    "tuple": (lambda value: isinstance(value, tuple | list), "a tuple"),
    "Mapping": (lambda value: isinstance(value, Mapping), "a mapping"),
    "dict": (lambda value: isinstance(value, dict), "a dict"),
    "Callable": (callable, "a function"),
    "Generator": (lambda value: hasattr(value, "integers") and hasattr(value, "permutation"), "a NumPy Generator"),
    "ndarray": (lambda value: hasattr(value, "__array__"), "a NumPy array"),
}
# Classes of tinynas are told by their names: this room knows none of them.
_CLASSES = frozenset(
    {
        "Analysis",
        "Architecture",
        "Dataset",
        "Evaluation",
        "Footprint",
        "FrontEnd",
        "Head",
        "Limits",
        "Samples",
        "SearchResult",
    }
    | {"SearchSpace", "Settings", "Target", "Trial", "ValueDataset"}
)


def door(function: Callable[_Given, _Made]) -> Callable[_Given, _Made]:
    """Return `function` with a check of its arguments: UsageError for one of another kind than its annotation says.

    An annotation that is no kind of `_KINDS` and no class of tinynas, such as a set of words, is left to the function.
    """
    signature, called = inspect.signature(function), function.__qualname__.rpartition("<locals>.")[2]
    called = called.removesuffix(".__init__")
    kinds = {name: _alternatives(each.annotation) for name, each in signature.parameters.items()}

    @wraps(function)
    def checked(*arguments: _Given.args, **options: _Given.kwargs) -> _Made:
        try:
            bound = signature.bind(*arguments, **options).arguments
        except TypeError as error:
            raise UsageError(f"{called}() cannot be called like that: {error}.") from None
        for name, value in bound.items():
            if not _is_one_of(value, kinds[name]):
                check_kind(f"{called}(): {name}", value, (), _words(kinds[name]))
        return function(*arguments, **options)

    return checked


def check_fields(value: Any) -> None:
    """UsageError when a field of the dataclass `value` is of another kind than its annotation says."""
    for name, alternatives in _of_fields(type(value)):  # type: ignore[arg-type]  # a class can be hashed
        if not _is_one_of(getattr(value, name), alternatives):
            check_kind(name, getattr(value, name), (), _words(alternatives))


def require_utf8(kind: type[TinynasError], what: str, text: str) -> None:
    """An error of `kind` when `text`, such as the name of a file, is no UTF-8 and can be written nowhere."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise kind(f"{what} is {ascii(text)[:200]}, which is no UTF-8: rename it.") from None


@cache
def _of_fields(cls: type) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the name of each field of a dataclass with the last words of what it takes."""
    return tuple((field.name, _alternatives(field.type)) for field in fields(cls))  # type: ignore[arg-type]  # an annotation too


@cache
def _alternatives(annotation: Any) -> tuple[str, ...]:
    """Return the last words of what an annotation takes: ("Sequence", "None") for "Sequence[str] | None"."""
    if get_origin(annotation) in (Union, UnionType):
        return tuple(name for each in get_args(annotation) for name in _alternatives(each))
    if annotation is type(None):
        return ("None",)
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    while text != (text := re.sub(r"\[[^\[\]]*\]", "", text)):
        pass  # what stands in brackets, the innermost first
    return tuple(part.strip(" '\"").rpartition(".")[2] for part in text.split("|"))


def _is_one_of(value: Any, alternatives: tuple[str, ...]) -> bool:
    for name in alternatives:
        if name in _KINDS:
            if _KINDS[name][0](value):
                return True
        elif name not in _CLASSES or any(base.__name__ == name for base in type(value).__mro__):
            return True
    return False


def _words(alternatives: tuple[str, ...]) -> str:
    words = [_KINDS[name][1] if name in _KINDS else f"a tinynas.{name}" for name in alternatives]
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)

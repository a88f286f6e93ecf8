"""From the tables of options to a command's parameters, and from what a person wrote to values."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any

import typer

from tinynas.cli.completion import listing, starting
from tinynas.cli.formats import parse_duration, parse_names, parse_size
from tinynas.errors import ModelError, UsageError
from tinynas.hardware import MEASURES
from tinynas.options import PANELS, RUNNING, SETTINGS, SPACE, Option
from tinynas.options.captures import CAPTURES
from tinynas.options.option import FIRST
from tinynas.options.reading import LOADING, READING

LIMITS: Mapping[str, Option] = {name: measure.option for name, measure in MEASURES.items()}
DATA: Mapping[str, Option] = {**LOADING, **READING}
# Kind -> what stands for the value in the help, and how the text becomes a value (None: it is one already).
_KINDS: Mapping[str, tuple[str, Callable[[str, Option], Any] | None]] = {
    "whole": ("N", lambda text, row: _number(int, text, row)),
    "number": ("NUMBER", lambda text, row: _number(float, text, row)),
    "switch": ("", None),
    "choice": ("NAME", None),
    "names": ("NAMES", lambda text, row: parse_names(text.lower())),
    "time": ("TIME", lambda text, row: parse_duration(text)),
    "size": ("SIZE", lambda text, row: parse_size(text, str(row.option))),
    "text": ("TEXT", None),
}
_NAMES = {
    name: row.option
    for table in (RUNNING, SETTINGS, SPACE, LIMITS, DATA, CAPTURES)
    for name, row in table.items()
    if row.option
}


def takes(*tables: Mapping[str, Option], first: Sequence[str] = ()) -> Callable[[Callable[..., None]], Any]:
    """Give a command the options of `tables` in place of its `**given`: those that were given arrive there, as values.

    The help shows panel by panel, in each the parameters that `first` names before the others. An error that speaks of
    a keyword speaks of the option.
    """
    rows = {name: row for table in tables for name, row in table.items() if row.option}

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def run(**arguments: Any) -> None:
            own = {name: value for name, value in arguments.items() if name not in rows}
            try:
                command(
                    **own, **{name: _value(rows[name], arguments[name]) for name in rows if arguments[name] is not None}
                )
            except (UsageError, ModelError) as error:
                raise type(error)(in_options(str(error))) from error

        parameters = [p for p in inspect.signature(command).parameters.values() if p.kind is not p.VAR_KEYWORD]
        parameters += [_parameter(row) for row in rows.values()]
        order = {name: place for place, name in enumerate(first)}
        parameters.sort(key=lambda parameter: (_panel(parameter), order.get(parameter.name, len(order))))
        keywords = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
        run.__signature__ = inspect.Signature(keywords)  # type: ignore[attr-defined]
        return run

    return decorate


def in_options(text: str) -> str:
    """Return `text` with the options of the command line where it speaks of keywords of Python.

    That is its first word, and every other that has an underscore, but within quotes and paths.
    """
    first, space, rest = text.partition(" ")
    rest = re.sub(r"(?<![\w/.'\"-])[a-z]+(?:_[a-z]+)+(?![\w/'\"-])", lambda match: _NAMES.get(match[0], match[0]), rest)
    return _NAMES.get(first, first) + space + rest


@dataclass(frozen=True)
class More:
    """What a person wrote as "+30m": so much more."""

    value: Any


def _value(row: Option, given: Any) -> Any:
    """Return what `given` means; UsageError where it makes no sense for the option."""
    if row.more and isinstance(given, str) and given.startswith("+"):
        return More(_value(row, given[1:]))
    read = _KINDS[row.kind][1]
    value = given if read is None else read(given, row)
    if not row.holds(value):
        raise _refused(row, given)
    return value


def _number(number: type[int] | type[float], text: str, row: Option) -> float:
    try:
        return number(text)
    except ValueError:
        raise _refused(row, repr(text)) from None


def _refused(row: Option, given: str) -> UsageError:
    said = repr(given) if row.kind == "choice" else given
    return UsageError(f"{row.option} is {said}; wanted {row.wanted}.")


def _parameter(row: Option) -> inspect.Parameter:
    names = f"{row.option}/--no-{str(row.option)[2:]}" if row.default is True else str(row.option)
    complete = listing if row.kind == "names" else starting
    option = typer.Option(
        names,
        help=row.text,
        rich_help_panel=None if row.panel == FIRST else row.panel,
        metavar=row.metavar or _KINDS[row.kind][0],
        autocompletion=complete(row.choices) if row.choices else None,
    )
    kind: Any = bool if row.kind == "switch" else str
    return inspect.Parameter(
        row.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option]
    )


def _panel(parameter: inspect.Parameter) -> int:
    """The place of the panel in which the help shows `parameter`."""
    about = getattr(parameter.annotation, "__metadata__", (None,))[0]
    return PANELS.index(getattr(about, "rich_help_panel", None) or FIRST)

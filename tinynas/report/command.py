"""The command line that repeats a run: its settings, said as options of `tinynas search`."""

import shlex
from typing import Any

from tinynas.architecture import SearchSpace
from tinynas.errors import TinynasError
from tinynas.hardware import MEASURES, Target
from tinynas.options import RUNNING, SETTINGS, SPACE, Option
from tinynas.options.reading import LOADING, READING
from tinynas.runs import Settings


def command_of(settings: Settings) -> tuple[str, tuple[str, ...]]:
    """Return the command that starts the same search, and a sentence for each thing that it cannot say."""
    words, notes = ["tinynas", "search", "--target", _target(settings.target)], []
    if words[-1].endswith(".json"):
        notes.append(f"{words[-1]} is the board's profile, which settings.json holds under “target”.")
    words += _data(settings)
    if settings.data.kind == "arrays":
        notes.append("The data were arrays in Python: give search() the same ones, or write them as files for --data.")
    for name, what in settings.own.items():
        notes.append(f"{name} was {what}, which only search() in Python takes.")
    for option, value in _chosen(settings):
        if option.option is None:
            notes.append(f"{option.name} was {value!r}, which only search() in Python takes.")
        else:
            words += option.words(value)
    words += _space(settings, notes) + _limits(settings)
    words += RUNNING["workers"].words(settings.final_threads)
    words += [] if settings.warm_start is None else ["--warm-start", settings.warm_start]
    for extension in settings.extensions:
        more = {name: value for name in SETTINGS if (value := getattr(extension, name, None)) is not None}
        given = " ".join(f"{SETTINGS[name].option} +{SETTINGS[name].words(value)[1]}" for name, value in more.items())
        notes.append(f"Then it went on, by tinynas search --resume RUN {given}.")
    return shlex.join(words), tuple(notes)


def _chosen(settings: Settings) -> list[tuple[Option, Any]]:
    """Return the settings that are not as they come, those whose default follows from other things, and the seed."""
    values = ((option, getattr(settings, name)) for name, option in SETTINGS.items())
    return [
        (option, value)
        for option, value in values
        if value is not None
        and option.name not in settings.own
        and (option.name == "seed" or option.default_words or value != option.default)
    ]


def _target(target: Target) -> str:
    try:
        shipped = Target.load(target.name) if target.name in Target.names() else None
    except TinynasError:
        shipped = None
    return target.name if shipped is not None and shipped.is_same_board(target) else "my_board.json"


def _data(settings: Settings) -> list[str]:
    data = settings.data
    words = [] if data.path is None else ["--data", data.path]
    for name, option in {**LOADING, **READING}.items():
        value = getattr(data, name, None) if name in LOADING else data.options.get(name)
        words += [] if value is None else option.words(value)
    return words


def _space(settings: Settings, notes: list[str]) -> list[str]:
    space = settings.space
    usual = SearchSpace.for_input(space.input_shape, space.n_classes)
    depths = {name: getattr(space, name) for name in SPACE}
    if space != SearchSpace.for_input(space.input_shape, space.n_classes, **depths):
        notes.append("The search space was made in Python; settings.json holds it under “space”.")
    return [
        word for name, value in depths.items() if value != getattr(usual, name) for word in SPACE[name].words(value)
    ]


def _limits(settings: Settings) -> list[str]:
    usual, limits = settings.target.limits, settings.limits
    words = []
    for name, measure in MEASURES.items():
        value = getattr(limits, name)
        if value is not None and value != getattr(usual, name):
            words += measure.option.words(value)
    return words

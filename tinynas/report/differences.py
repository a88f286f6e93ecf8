"""The settings in which runs differ, as a person says them: a row a thing, a text for each run."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tinynas.hardware import MEASURES
from tinynas.options import SETTINGS, Option
from tinynas.options.reading import LOADING, READING
from tinynas.report.words import duration, number
from tinynas.runs import DataSource, Extension, Settings
from tinynas.words import counted

_NOTHING = "-"


def differences(settings: Sequence[Settings]) -> dict[str, tuple[str, ...]]:
    """Return the rows in which `settings` differ, by their names, in the order of settings.json.

    What follows from something that is told is left out: the facts of another board, the limits that a board sets
    itself, the digest of other data.
    """
    rows = [_rows(each, settings) for each in settings]
    names = dict.fromkeys(name for row in rows for name in row)
    found = {name: tuple(row.get(name, _NOTHING) for row in rows) for name in names}
    return {name: texts for name, texts in found.items() if len(set(texts)) > 1}


def _rows(settings: Settings, among: Sequence[Settings]) -> dict[str, str]:
    """Return every row of one run; those of which no two runs differ are left out later."""
    rows = {"tinynas": settings.version, "board": settings.target.name}
    if _same(each.target.name for each in among):
        profile = settings.target.model_dump(mode="json")
        rows |= {f"board: {_spaced(name)}": _text(value) for name, value in profile.items()}
    rows["data"] = _data(settings.data, [each.data for each in among])
    for name, option in {**LOADING, **READING}.items():
        value = getattr(settings.data, name, None) if name in LOADING else settings.data.options.get(name)
        rows[_spaced(name)] = _setting(option, value)
    for name, value in settings.space.to_dict().items():
        rows[_SPACE.get(name, f"search space: {_spaced(name)}")] = _SPACED.get(name, _range)(value)
    rows |= _limits(settings)
    rows |= {_named(option): _setting(option, getattr(settings, name)) for name, option in SETTINGS.items()}
    rows["threads of the final training"] = number(settings.final_threads)
    rows |= {f"own {name}": what for name, what in settings.own.items()}
    rows["latency is counted as in"] = f"edition {settings.figures}"
    rows["begins with the best of"] = settings.warm_start or _NOTHING
    rows["given more, when it had ended"] = "; then ".join(map(_more, settings.extensions)) or _NOTHING
    return rows


def _data(data: DataSource, among: Sequence[DataSource]) -> str:
    """Return what the samples are; where other ones are described alike, also where they are, or a mark of them."""
    text = _samples(data)
    alike = [other for other in among if other.digest != data.digest and _samples(other) == text]
    if not alike:
        return text
    if all(other.path != data.path for other in alike):
        return f"{text}, {data.path or data.kind}"
    return f"{text}, contents {data.digest[:8]}"


def _samples(data: DataSource) -> str:
    """Return the first clause of a data set's summary: its name and how many samples it has."""
    before, word, _ = data.summary.partition(" samples")
    return before + word


def _limits(settings: Settings) -> dict[str, str]:
    own = settings.target.limits
    rows = {}
    for name, measure in MEASURES.items():
        value = getattr(settings.limits, name)
        chosen = value != getattr(own, name)
        rows[f"limit: {measure.label}"] = (measure.text(value) if value is not None else "none") if chosen else _NOTHING
    return rows


def _setting(option: Option, value: Any) -> str:
    if value is None:
        return _NOTHING
    return duration(value) if option.kind == "time" and isinstance(value, int | float) else _text(value)


def _more(extension: Extension) -> str:
    given = {
        "generation": extension.n_generations,
        "trial": extension.max_trials,
    }
    said = [counted(value, noun) for noun, value in given.items() if value is not None]
    said += [] if extension.time_budget_s is None else [duration(extension.time_budget_s)]
    return " and ".join(said)


def _text(value: Any) -> str:
    """Return a plain value: yes and no, numbers with separators, lists with commas."""
    if value is None:
        return _NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{_spaced(name)} {_text(each)}" for name, each in value.items())
    return ", ".join(map(_text, value)) if isinstance(value, list | tuple) else str(value)


def _range(value: Any) -> str:
    """Return what may be drawn of a gene; numbers in their order, whatever the order in which they are preferred."""
    numbers = isinstance(value, list | tuple) and all(isinstance(each, int | float) for each in value)
    return _text(sorted(value) if numbers else value)


def _shape(value: Iterable[int]) -> str:
    return " x ".join(map(str, value))


_SPACE = {"input_shape": "input", "n_classes": "classes"}
_SPACED: Mapping[str, Callable[[Any], str]] = {"input_shape": _shape}


def _named(option: Option) -> str:
    """Return the name of an option in words, as the command line has it: "--trials" is "trials"."""
    return _spaced(option.name) if option.option is None else option.option[2:].replace("-", " ")


def _spaced(name: str) -> str:
    """Return the name of a setting in words: "n_rungs" is "rungs"."""
    words = name.removeprefix("n_").replace("_", " ")
    return words.removesuffix(" s") if name.endswith("_s") else words


def _same(values: Iterable[Any]) -> bool:
    return len(set(values)) == 1

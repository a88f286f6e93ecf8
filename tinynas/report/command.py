"""The command line that repeats a run: its settings, said as options of `tinynas search`."""

import shlex
from dataclasses import asdict
from typing import Any

from tinynas.architecture import SearchSpace
from tinynas.errors import TinynasError
from tinynas.hardware import Target
from tinynas.runs import Settings

# Settings that are said in another way, or follow from what is said.
_NO_OPTION = {"version", "target", "data", "space", "limits", "final_threads"}
_NAMES = {"max_trials": "trials", "time_budget_s": "time-budget"}
_LIMITS = {
    "params": "max-params",
    "flops": "max-flops",
    "macs": "max-macs",
    "flash_bytes": "max-flash",
    "ram_bytes": "max-ram",
    "largest_tensor_bytes": "max-tensor",
    "latency_ms": "max-latency",
}
_PYTHON_ONLY = ("reduction", "peak_rate", "batch_size")
_ALWAYS = ("seed", "n_folds", "precision")  # what they are by themselves follows from the data and the processor


def command_of(settings: Settings) -> tuple[str, tuple[str, ...]]:
    """Return the command that starts the same search, and a sentence for each thing that it cannot say."""
    words, notes = ["tinynas", "search", "--target", _target(settings.target)], []
    if words[-1].endswith(".json"):
        notes.append(f"{words[-1]} is the board's profile, which settings.json holds under “target”.")
    words += _data(settings)
    if settings.data.kind == "arrays":
        notes.append("The data were arrays in Python: give search() the same ones, or write them as files for --data.")
    for name, value in _chosen(settings).items():
        if name in _PYTHON_ONLY:
            notes.append(f"{name} was {value!r}, which only search() in Python takes.")
        elif isinstance(value, bool):
            words.append(f"--{option_of(name)}" if value else f"--no-{option_of(name)}")
        else:
            words += _words(option_of(name), f"{value:.12g}s" if name == "time_budget_s" else value)
    words += _space(settings, notes) + _limits(settings, notes)
    words += ["--workers", str(settings.final_threads)]
    return shlex.join(words), tuple(notes)


def option_of(setting: str) -> str:
    """Return the option, without its dashes, that sets `setting`: n_children is children."""
    return _NAMES.get(setting, setting.removeprefix("n_").replace("_", "-"))


def _words(option: str, value: Any) -> list[str]:
    """Return an option and its value as words: --qat or --no-qat, --objectives accuracy,ram, --children 8."""
    if isinstance(value, bool):
        return [f"--{option}" if value else f"--no-{option}"]
    return [f"--{option}", ",".join(map(str, value)) if isinstance(value, tuple) else str(value)]


def _chosen(settings: Settings) -> dict[str, Any]:
    """Return the settings that are not as they come, and those that are always said."""
    return {
        name: value
        for name, field in Settings.model_fields.items()
        if name not in _NO_OPTION
        and (value := getattr(settings, name)) is not None
        and (name in _ALWAYS or value != field.default)
    }


def _target(target: Target) -> str:
    try:
        shipped = Target.load(target.name) if target.name in Target.names() else None
    except TinynasError:
        shipped = None
    return target.name if shipped == target else "my_board.json"


def _data(settings: Settings) -> list[str]:
    words: list[str] = []
    given = settings.data.model_dump(exclude={"kind", "digest", "summary"})
    for name, value in given.items():
        named = value if isinstance(value, dict) else {"data" if name == "path" else name: value}
        for option, each in named.items():
            words += [] if each is None else _words(option.replace("_", "-"), each)
    return words


def _space(settings: Settings, notes: list[str]) -> list[str]:
    space = settings.space
    usual = SearchSpace.for_input(space.input_shape, space.n_classes)
    words = []
    for name in ("initial_depth", "max_depth"):
        if getattr(space, name) != getattr(usual, name):
            words += [f"--{name.replace('_', '-')}", str(getattr(space, name))]
    depths = {"initial_depth": space.initial_depth, "max_depth": space.max_depth}
    if space != SearchSpace.for_input(space.input_shape, space.n_classes, **depths):
        notes.append("The search space was made in Python; settings.json holds it under “space”.")
    return words


def _limits(settings: Settings, notes: list[str]) -> list[str]:
    words, usual = [], asdict(settings.target.limits)
    for name, value in asdict(settings.limits).items():
        if value is None or value == usual[name]:
            continue
        if name in _LIMITS:
            words += [f"--{_LIMITS[name]}", str(value)]
        else:
            notes.append(f"The limit {name} was {value:,}, which only search() in Python takes.")
    return words

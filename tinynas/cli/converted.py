"""How a model that was converted is shown on a terminal: the folder, what it needs each way, how right it is."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tinynas.cli.console import console, table
from tinynas.cli.figures import front_end_words
from tinynas.cli.formats import share, size
from tinynas.words import counted, within

if TYPE_CHECKING:
    from rich.table import Table

    from tinynas.export import Converted

_NAMED = 16  # files of a folder that are told by their names; a package has more, most of them in folders of its own
_WAYS = {"memory": "plain C", "speed": "plain C for speed"}


def show_converted(converted: "Converted", source: str) -> None:
    """Print where the files are and what is known of them; `source` is how a person named the model."""
    screen = console()
    folder, files = _written(converted.files)
    screen.print(f"Wrote {counted(len(converted.files), 'file')} into {folder}: {files}")
    facts = table(None, "converted, *value")
    if not converted.is_engine:
        plan = ", with a memory plan in the file" if converted.offline_plan else ""
        arena = converted.arena
        facts.add_row("model file", f"{size(converted.analysis.footprint.flash_bytes)} B")
        facts.add_row("arena", f"{size(arena.minimum)} B and {size(arena.margin)} B of margin{plan}")
    front = converted.analysis.front_end
    if front is not None:
        latency = None if converted.is_engine else converted.analysis.footprint.latency_ms
        facts.add_row("before the network", front_end_words(front, latency))
    for name, value in _score(converted):
        facts.add_row(name, value)
    facts.add_row("checked", _checked(converted))
    if converted.fits:
        facts.add_row("fits", str(converted.analysis.target))
    screen.print(_ways(converted))
    screen.print(facts)
    if converted.stage not in (None, "final"):
        screen.print(
            f"This model had a {converted.stage} training only: the final one comes at a search's end, and for any "
            f"trial with tinynas train {source}."
        )
    for note in converted.notes:
        screen.print(f"Note: {note}")
    for sentence in converted.warnings:
        screen.print(f"Warning: {sentence}", style="bold red")


def _written(files: tuple[Path, ...]) -> tuple[str, str]:
    """Return the folder that holds all of `files`, and what is in it: the names, or where many are those at its top."""
    folder = Path(os.path.commonpath([path.parent for path in files]))
    names = [path.relative_to(folder) for path in files]
    if len(names) > _NAMED:
        counts: dict[str, int] = {}
        for name in names:
            counts[name.parts[0]] = counts.get(name.parts[0], 0) + 1
        tops = {name.parts[0]: len(name.parts) > 1 for name in names}
        texts = [f"{top}/ ({counts[top]})" if is_folder else top for top, is_folder in tops.items()]
    else:
        texts = [str(name) for name in names]
    first = sorted(texts, key=lambda name: name != "README.md")
    return str(folder), ", ".join(first)


def _ways(converted: "Converted") -> "Table":
    """Return what the network needs, without its front end, a column for each way to run it."""
    footprint = converted.analysis.footprint
    engines = converted.engines.values()
    rows = table(None, ", ".join(["on a Cortex-M4", ">TFLM", *(f">{_WAYS[preset]}" for preset in converted.engines)]))
    ram, flash = footprint.network_ram_bytes, footprint.flash.network
    rows.add_row("RAM of the network", *(f"{each:,} B" for each in (ram, *(each.ram for each in engines))))
    rows.add_row("Flash of the network", *(f"{each:,} B" for each in (flash, *(each.flash for each in engines))))
    rows.add_row("instructions, about", *map(size, (footprint.instructions, *(each.instructions for each in engines))))
    if engines:
        more = {"memory": "", "speed": " --optimize speed"}
        rows.add_row("written by --format", "all", *(f"engine{more[preset]}" for preset in converted.engines))
    return rows


def _checked(converted: "Converted") -> str:
    held = f"the self-test holds {converted.golden_samples} of its outputs"
    if converted.is_engine:
        exact = "TFLM answers the same to the last bit" if converted.golden_maker == "TFLM" else "TFLM was not run"
        return f"{exact}; {held}"
    if converted.tflm_largest_step is not None:
        return f"TFLM agrees with the reference {within(converted.tflm_largest_step)}; {held}"
    if converted.golden_maker == "TFLM":
        return f"TFLM ran the file; {held}"
    return (
        "TFLM's Python package is not available here: the file was not run in it, and the golden outputs are "
        f"those of {converted.golden_maker.split(' (')[0]}"
    )


def _score(converted: "Converted") -> list[tuple[str, str]]:
    """Return rows of how right the model is on test samples, none where no data were given."""
    accuracy, error = converted.accuracy, converted.error
    rows = []
    if accuracy is not None:
        before = "" if accuracy.float32 is None else f", {share(accuracy.float32)} before quantisation"
        rows.append(("accuracy", f"{share(accuracy.int8)} (int8) on {size(accuracy.samples)} test samples{before}"))
    if error is not None:
        before = "" if error.float32 is None else f", {error.float32:.4g} before quantisation"
        rows.append(
            (
                error.measure,
                f"{error.int8:.4g} (int8) on {size(error.samples)} test samples{before}; "
                f"answering the same for every sample has {error.constant:.4g}",
            )
        )
    return rows

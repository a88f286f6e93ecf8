"""`tinynas data`: look at a data set, or make one; and the options that say how data are read."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinynas.cli.captures import from_pcap

if TYPE_CHECKING:
    from tinynas.data.check import Check

_PANEL = "Data"


def _option(text: str, *names: str) -> Any:
    return typer.Option(*names, help=text, rich_help_panel=_PANEL)


# The options of every command that reads data, by the names that ReadOptions has.
Layout = Annotated[str | None, _option("What an H x W sample is: image or series.")]
Reshape = Annotated[str | None, _option("Lay a sample out anew, such as 784,1.")]
Labels = Annotated[Path | None, _option("The labels file, when the data is an IDX or .npy file of samples.")]
Label = Annotated[str | None, _option("CSV: the column of the label, by name or number.")]
Group = Annotated[str | None, _option("CSV: the column that says what belongs together, such as a person.")]
Columns = Annotated[str | None, _option("CSV: the columns to read, such as ax,ay,az. Default: all others.")]
Window = Annotated[str | None, _option("CSV of signals, WAV: steps of a window; makes a CSV one of signals.")]
Stride = Annotated[str | None, _option("Steps from one window to the next. Default: a window.")]
ImageSize = Annotated[str | None, _option("Pictures: bring all to 32, or to height x width as 24x32.")]
Colour = Annotated[str | None, _option("Pictures: grey or rgb. Default: grey where all are.")]
SampleRate = Annotated[str | None, _option("WAV: bring all to so many Hz.")]
Mels = Annotated[str | None, _option("WAV: bands of the log-mel spectrogram (40).")]
NAMES = ("label", "group", "columns", "window", "stride", "image_size", "colour", "sample_rate", "mels")

app = typer.Typer(no_args_is_help=True, help="Look at data before a search, or make a set of them.")


@app.callback()
def _group() -> None:
    """Look at data before a search, or make a set of them."""


app.command("from-pcap")(from_pcap)


@app.command()
def check(
    context: typer.Context,
    data: Annotated[Path, typer.Argument(metavar="PATH", help="What search takes as --data.")],
    labels: Labels = None,
    layout: Layout = None,
    reshape: Reshape = None,
    label: Label = None,
    group: Group = None,
    columns: Columns = None,
    window: Window = None,
    stride: Stride = None,
    image_size: ImageSize = None,
    colour: Colour = None,
    sample_rate: SampleRate = None,
    mels: Mels = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Say what is in a data set: shape, classes, balance, duplicates, constants, range, and whether the split leaks."""
    from tinynas.cli.console import console as console_for
    from tinynas.cli.session import load_data

    options = {name: context.params[name] for name in NAMES}
    dataset, source = load_data(data, labels, layout, reshape, options, console_for(stderr=True))
    from tinynas.data.check import check as check_data

    found = check_data(dataset)
    if as_json:
        import json

        typer.echo(json.dumps({**found.to_dict(), "digest": source.digest}, indent=1))
        return
    _show(found)


def _show(found: "Check") -> None:
    from tinynas.cli.console import console, table

    screen = console()
    height, width, channels = found.shape
    shape = f"{height} steps x {channels}" if found.layout == "series" else f"{height} x {width} x {channels}"
    facts = table(found.name, "data, *value")
    facts.add_row("sample", f"{shape}, {found.layout}: {found.layout_reason}")
    facts.add_row("samples", _samples(found))
    facts.add_row("values", f"{found.source_dtype}, {_ranges(found)}")
    facts.add_row("constant", f"{found.constant:,} of {found.values:,} values of a sample")
    facts.add_row("duplicates", f"{found.duplicates:,} in the training part, {found.leaked:,} test samples in it too")
    if found.n_groups is not None:
        facts.add_row("groups", f"{found.n_groups:,} in the training part, {len(found.shared_groups):,} in both parts")
    screen.print(facts)
    classes = table("Classes", "class, >training, >share, >test")
    n = sum(train for _, train, _ in found.classes)
    for name, train, test in found.classes[:40]:
        classes.add_row(name, f"{train:,}", f"{100 * train / n:.1f} %", f"{test:,}")
    if len(found.classes) > 40:
        classes.add_row(f"and {len(found.classes) - 40} more", "", "", "")
    screen.print(classes)
    for warning in found.warnings:
        screen.print(f"Warning: {warning}")
    if not found.warnings:
        screen.print("Nothing speaks against a search.")


def _samples(found: "Check") -> str:
    train, test = sum(one[1] for one in found.classes), sum(one[2] for one in found.classes)
    return f"{train:,} training, {test:,} test; the largest class has {found.imbalance:.3g} times the smallest"


def _ranges(found: "Check") -> str:
    """The raw range, of all values or of the first channels."""
    texts = [f"{low:.6g} to {high:.6g}" for low, high in found.range[:4]]
    more = f" and {len(found.range) - 4} more channels" if len(found.range) > 4 else ""
    return ", ".join(texts) + more + " become 0 to 1"

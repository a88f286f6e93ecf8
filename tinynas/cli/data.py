"""`tinynas data`: look at a data set, or make one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinynas.cli.captures import from_pcap
from tinynas.cli.command import Command, Group
from tinynas.cli.options import DATA, takes

if TYPE_CHECKING:
    from tinynas.data.check import Check

app = typer.Typer(cls=Group, no_args_is_help=True, help="Check data before a search, or make a data set.")


@app.callback()
def _group() -> None:
    """Check data before a search, or make a data set."""


app.command("from-pcap", cls=Command)(from_pcap)


@app.command(cls=Command)
@takes(DATA)
def check(
    data: Annotated[Path, typer.Argument(metavar="PATH", help="The data, as for --data of search.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
    **given: Any,
) -> None:
    """Say what is in a data set: shape, classes, balance, duplicates, constants, range, and whether the split leaks."""
    from tinynas.cli.console import console as console_for
    from tinynas.cli.session import load_data

    dataset, source = load_data(data, given, console_for(stderr=as_json), say=as_json)
    from tinynas.data.check import check as check_data

    found = check_data(dataset)
    if as_json:
        import json

        typer.echo(json.dumps({**found.to_dict(), "digest": source.digest}, indent=1))
        return
    _show(found)


def _show(found: "Check") -> None:
    from tinynas.cli.console import console, table
    from tinynas.data.prepare import WARNING

    screen = console()
    height, width, channels = found.shape
    shape = f"{height} steps x {channels}" if found.layout == "series" else f"{height} x {width} x {channels}"
    facts = table(found.name, "data, *value")
    facts.add_row("sample", f"{shape}, {found.layout}: {found.layout_reason}")
    facts.add_row("samples", _samples(found))
    facts.add_row("values", f"{found.source_dtype}, {_ranges(found)}")
    facts.add_row("int8 steps", _steps(found))
    facts.add_row("constant", f"{found.constant:,} of {found.values:,} values of a sample")
    facts.add_row("duplicates", f"{found.duplicates:,} in the training part, {found.leaked:,} test samples in it too")
    if found.n_groups is not None:
        facts.add_row("groups", f"{found.n_groups:,} in the training part, {_shared(found)}")
    screen.print(facts)
    classes = table("Classes", "class, >training, >share, >test")
    n = sum(train for _, train, _ in found.classes)
    for name, train, test in found.classes[:40]:
        classes.add_row(name, f"{train:,}", f"{100 * train / n:.1f} %", f"{test:,}")
    if len(found.classes) > 40:
        classes.add_row(f"and {len(found.classes) - 40} more", "", "", "")
    screen.print(classes)
    for warning in found.warnings:
        if f"{WARNING}{warning}" not in found.notes:  # which were said while the data were read
            screen.print(f"{WARNING}{warning}")
    if not found.warnings:
        screen.print("Nothing speaks against a search.")


def _samples(found: "Check") -> str:
    train, test = sum(one[1] for one in found.classes), sum(one[2] for one in found.classes)
    balance = (
        "all classes have the same number"
        if found.imbalance == 1
        else f"the largest class has {found.imbalance:.3g} times as many as the smallest"
    )
    return f"{train:,} training, {test:,} test; {balance}"


def _steps(found: "Check") -> str:
    """The steps of the first channels, or from the fewest to the most of many, and whether they are enough."""
    from tinynas.data.check import FEW_STEPS
    from tinynas.data.ranges import STEPS

    steps = found.steps
    said = ", ".join(f"{each:.3g}" for each in steps) if len(steps) <= 4 else f"{min(steps):.3g} to {max(steps):.3g}"
    whose = "the values" if len(steps) == 1 else "each channel's values"
    coarse = any(0 < each < FEW_STEPS for each in steps)
    verdict = f"too few where they are below {FEW_STEPS}" if coarse else f"enough, as {FEW_STEPS} would be"
    return f"the middle 98 % of {whose} span {said} of {STEPS}: {verdict}"


def _shared(found: "Check") -> str:
    """What a group is, and whether any lies in both parts."""
    what = "a group being samples that belong together, as those of one recording, file or person"
    shared = len(found.shared_groups)
    return f"{what}: {f'{shared:,} of them are in both parts' if shared else 'none is divided between parts or folds'}"


def _ranges(found: "Check") -> str:
    """The raw range, of all values or of the first channels."""
    texts = [f"{low:.6g} to {high:.6g}" for low, high in found.range[:4]]
    more = f" and {len(found.range) - 4} more channels" if len(found.range) > 4 else ""
    return ", ".join(texts) + more + " become 0 to 1"

"""`tinynas data from-pcap`: network captures to a labelled data set of sessions."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinynas.cli.options import takes
from tinynas.options.captures import CAPTURES

if TYPE_CHECKING:
    from rich.console import Console

    from tinynas.data.captures import Built


@takes(CAPTURES, first=("labels", "out"))
def from_pcap(
    captures: Annotated[list[Path], typer.Argument(help="Captures (pcap, pcapng; .gz too), or folders of them.")],
    labels: Annotated[
        Path,
        typer.Option(help="A CSV file with the columns capture and label and, if need be, which sessions are meant."),
    ],
    out: Annotated[Path, typer.Option(help="The folder to write; new or empty.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print manifest.json, progress on stderr.")] = False,
    **given: Any,
) -> None:
    """Make a data set of the TCP and UDP sessions in network captures: IDX files and a manifest."""
    from tinynas.cli.console import console as console_for
    from tinynas.data.captures import CaptureOptions
    from tinynas.data.captures import from_pcap as build

    console = console_for(stderr=True)
    if given.get("mask") == ("none",):
        given["mask"] = ()
    options = CaptureOptions(**given)
    built = build(captures, labels, out, options, watch=lambda about: _say(console, about))
    if as_json:
        import json

        typer.echo(json.dumps(built.manifest, indent=1))
        return
    _show(built)


def _say(console: "Console", about: Mapping[str, Any]) -> None:
    """Print one line about a capture that has been read."""
    parts = [f"{about['packets']:,} packets", f"{about['sessions']:,} sessions"]
    for kind in ("malformed", "skipped"):
        count = sum(about[kind].values())
        if count:
            parts.append(f"{count:,} {kind}")
    lacking = {"unlabelled": "without a label", "empty": "without a byte"}
    parts += [f"{about[kind]:,} {text}" for kind, text in lacking.items() if about[kind]]
    end = "" if about["end"] == "whole" else f" (the file is {about['end']}; what came before that is used)"
    console.print(f"{about['path']}: {', '.join(parts)}{end}", soft_wrap=True)


def _show(built: "Built") -> None:
    """Print the classes, what was dropped, and what comes next."""
    from tinynas.cli.console import console, table

    manifest, screen = built.manifest, console()
    classes = table(None, "class, >training, >test, the test part is")
    for name, split in manifest["classes"].items():
        chosen = (
            "sessions drawn at random" if split["by"] == "session" else f"whole captures, {len(split['test_captures'])}"
        )
        classes.add_row(name, f"{split['train']:,}", f"{split['test']:,}", chosen)
    screen.print(classes)
    duplicates = manifest["duplicates"]
    screen.print(
        f"Dropped: {duplicates['same_label']:,} duplicates, {duplicates['conflicting_labels']:,} sessions whose bytes "
        f"have several labels."
    )
    if manifest["classes_without_samples"]:
        screen.print(f"No session is labelled {', '.join(manifest['classes_without_samples'])}.", soft_wrap=True)
    screen.print(f"Kept in {built.folder}; manifest.json says what became of every packet.", soft_wrap=True)
    screen.print(f"Next: tinynas search --target NAME --data {built.folder}", soft_wrap=True)

"""Analyse and export every .tflite below a folder, and print a table of what came of each.

    python tools/public_models.py FOLDER [--no-export] [--markdown]

A row a file: its bytes; whether `tinynas analyze` knows all of it; the arena's head with the reference kernels, as
tinynas plans it and as TFLM does (the tflite_micro wheel); the smallest arena under CMSIS-NN; whether `tinynas convert`
makes firmware of it; and the reason for each refusal, TFLM's own after "TFLM:". Equal files are one row. The last line
counts. Ends with 1 where the two heads differ.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinynas import convert
from tinynas.errors import TinynasError
from tinynas.tflite import analyze, plan_head, read, tflm


@dataclass(frozen=True)
class Row:
    """What came of a file: None where a figure is not known."""

    name: str
    n_bytes: int
    planned: int | None = None
    found: int | None = None
    arena: int | None = None
    exported: bool | None = None
    reason: str = ""

    @property
    def wrong(self) -> bool:
        """Whether TFLM plans another head."""
        return None not in (self.planned, self.found) and self.planned != self.found


def heads_of(models: Sequence[bytes]) -> list[int | str | None]:
    """The head of each model as TFLM plans it, or why it does not load it; None where TFLM is not here."""
    if not tflm.available():
        return [None] * len(models)
    try:
        return list(tflm.heads_bytes(models))
    except TinynasError as error:
        if len(models) == 1:
            return [f"TFLM: {str(error).removeprefix('TFLM: ').removeprefix('TFLM ')}"]
    half = len(models) // 2  # a model that does not load ends the process of all
    return heads_of(models[:half]) + heads_of(models[half:])


def _is_known(data: bytes) -> bool:
    """Whether tinynas plans the model's arena."""
    try:
        plan_head(read(data), "reference")
    except TinynasError:
        return False
    return True


def look_at(path: Path, name: str, head: int | str | None, export: bool) -> Row:
    """The row of a file; `head` is what heads_of says of it."""
    data = path.read_bytes()
    found, reasons = (None, [head]) if isinstance(head, str) else (head, [])
    try:
        arena = analyze(data).arena.minimum
        planned = plan_head(read(data), "reference").head
    except TinynasError as error:
        return Row(name, len(data), None, found, None, None, "; ".join([str(error), *reasons]))
    exported = None
    if export:
        with tempfile.TemporaryDirectory() as folder:
            try:
                convert(path, out=Path(folder) / "firmware")
                exported = True
            except TinynasError as error:
                exported, reasons = False, [*reasons, str(error)]
    return Row(name, len(data), planned, found, arena, exported, "; ".join(reasons))


def shown(row: Row, markdown: bool) -> str:
    """A row as text."""
    cells = (
        row.name,
        f"{row.n_bytes:,}",
        "no" if row.planned is None else "yes",
        *("-" if value is None else f"{value:,}" for value in (row.planned, row.found, row.arena)),
        {True: "yes", False: "no", None: "-"}[row.exported],
        ("WRONG " if row.wrong else "") + _first(row.reason.replace("|", "/")),
    )
    if markdown:
        return "| " + " | ".join(cells) + " |"
    widths = (58, 10, 4, 9, 9, 10, 4, 0)
    return " ".join(
        f"{cell:{'<' if place in (0, 2, 6, 7) else '>'}{width}}"
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ).rstrip()


def _first(reason: str) -> str:
    """A reason without the list of what else is known, which is long."""
    for mark in ("; the operators that are known are", " (known: ", " (but for "):
        head, found, tail = reason.partition(mark)
        if found:
            reason = head + tail[tail.find("; TFLM:") :] if "; TFLM:" in tail else head
    return reason


def summary(rows: Sequence[Row]) -> str:
    """How many of all."""
    known = [row for row in rows if row.planned is not None]
    counts = Counter(
        analysed=len(known),
        heads=sum(row.planned == row.found for row in known),
        compared=sum(row.found is not None for row in known),
        exported=sum(row.exported is True for row in rows),
        run=sum(row.found is not None for row in rows),
    )
    return (
        f"{len(rows)} files: TFLM loads {counts['run']}, {counts['analysed']} are analysed, head equal to TFLM's in "
        f"{counts['heads']} of {counts['compared']}, {counts['exported']} exported"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--no-export", action="store_true", help="only analyse")
    parser.add_argument("--markdown", action="store_true", help="the table as Markdown")
    given = parser.parse_args()
    head = ("file", "bytes", "analysed", "head", "TFLM's head", "arena", "exported", "why not")
    if given.markdown:
        print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    files: dict[bytes, Path] = {}
    for path in sorted(given.folder.rglob("*.tflite")):
        files.setdefault(path.read_bytes(), path)
    known = [data for data in files if _is_known(data)]  # TFLM loads these in one process, as a rule
    heads = dict(zip(known, heads_of(known), strict=True))
    rows: list[Row] = []
    for data, path in files.items():
        found = heads[data] if data in heads else heads_of([data])[0]
        rows.append(look_at(path, str(path.relative_to(given.folder)), found, not given.no_export))
        print(shown(rows[-1], given.markdown), flush=True)
    print(f"\n{summary(rows)}")
    sys.exit(1 if any(row.wrong for row in rows) else 0)


if __name__ == "__main__":
    main()

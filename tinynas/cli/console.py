"""Where tables go: a terminal at its width; a pipe or file at that of COLUMNS, else at one that cuts no name."""

import os

from rich import box
from rich.console import Console
from rich.table import Table

_PIPE_WIDTH = 140


def console(stderr: bool = False) -> Console:
    """Return the console of standard output (or error); it takes no markup, since names may hold brackets."""
    found = Console(stderr=stderr, markup=False, highlight=False)
    if not found.is_terminal:
        found.soft_wrap = True  # a sentence stays a line, for whoever reads by lines; tables keep to the width
        if not os.environ.get("COLUMNS", "").isdigit():
            found.width = max(found.width, _PIPE_WIDTH)
    return found


def table(title: str | None, columns: str) -> Table:
    """Return a table with the columns of the comma list: `>` before a name aligns right, `*` lets it wrap."""
    made = Table(title=title, title_justify="left", box=box.SIMPLE, pad_edge=False)
    for name in columns.split(","):
        bare = name.strip()
        made.add_column(
            bare.lstrip(">*"),
            justify="right" if bare.startswith(">") else "left",
            no_wrap=not bare.startswith("*"),
            overflow="fold",
        )
    return made

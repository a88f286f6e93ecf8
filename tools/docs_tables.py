"""Write the tables of options in docs/ anew from tinynas.options; --check only compares, and ends with 1.

Each stands below the line <!-- table of NAME, by tools/docs_tables.py --> and ends with an empty line.
"""

import argparse
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from tinynas.hardware import MEASURES
from tinynas.options import SETTINGS, Option
from tinynas.options.reading import LOADING, READING

DOCS = Path(__file__).parents[1] / "docs"


def settings() -> list[str]:
    """The settings: keyword, default of Settings, option, meaning."""
    rows = [
        (f"`{row.name}`", f"`{row.default!r}`", _option(row), row.text if row.default_words else row.about)
        for row in SETTINGS.values()
    ]
    return _table("setting | default | option | meaning", rows)


def limits() -> list[str]:
    """The limits: keyword, option, meaning."""
    options = [measure.option for measure in MEASURES.values()]
    return _table("limit | option | meaning", [(f"`{row.name}`", _option(row), row.text) for row in options])


def reading() -> list[str]:
    """The options of the readers: option, keyword of Dataset.load, meaning."""
    rows = {**LOADING, **READING}.values()
    return _table("option | keyword | meaning", [(_option(row), f"`{row.name}`", row.text) for row in rows])


TABLES = {"settings": settings, "limits": limits, "reading": reading}


def written(text: str) -> str:
    """`text`, the content of a Markdown file, with its tables as they have to be."""
    return re.sub(
        r"(<!-- table of (\w+), by tools/docs_tables\.py -->\n)\n*(?:\|.*\n)*\n*",
        lambda match: "\n".join([match[1], *TABLES[match[2]](), "\n"]),
        text,
    )


def _option(row: Option) -> str:
    return f"`{row.option}`" if row.option else "only in Python"


def _table(head: str, rows: Iterable[Iterable[str]]) -> list[str]:
    lines = [" | ".join(each.replace("|", "\\|") for each in row) for row in rows]
    return [f"| {head} |", "|" + "---|" * len(head.split(" | ")), *(f"| {line} |" for line in lines)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; end with 1 when a table is not as it has to be"
    )
    check = parser.parse_args().check
    old = []
    for path in sorted(DOCS.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        if written(text) != text:
            old.append(path.name)
            if not check:
                path.write_text(written(text), encoding="utf-8")
    if old:
        print(f"{', '.join(old)}: {'to be written anew by python tools/docs_tables.py' if check else 'written anew'}")
    sys.exit(1 if old and check else 0)


if __name__ == "__main__":
    main()

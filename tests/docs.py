"""README.md and docs/*.md taken apart: their blocks, what stands above each, and the commands within the text.

A block is fenced, or indented by four spaces with a command in its first line. What is run is what a reader would type:

    python               all blocks of a file one after the other, in one process
    sh, or indented      a command a line, in one folder for the file (see tests/test_docs.py for what lies in it)
    json, toml           read
    text                 nothing
    anything else        must be marked as not run

A comment right above a block says otherwise:

    <!-- not run: REASON -->                      never
    <!-- slow -->                                 by `make test-all` only: it trains, or takes more than some seconds
    <!-- run with: A -> B; C -> D -->             with A replaced by B, and so on
    <!-- slow, run with: 20m -> 30s -->           both
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md")))
COMMANDS = (
    "tinynas",
    "make",
    "python",
    "pytest",
    "pip",
    "source",
    "apt-get",
    "export",
    "cd",
    "cp",
    "mkdir",
    "git",
    "uv",
)
LANGUAGES = {"python": "python", "sh": "command", "bash": "command", "console": "command"}
READ = ("json", "toml")

_FENCE = re.compile(r"^(?P<fence>```+)(?P<language>[^\n`]*)\n(?P<code>.*?)^(?P=fence)\s*$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:(?<=\n\n)|(?<=-->\n)|\A)(?P<code> {4}[^\n]*\n(?: {4}[^\n]*\n|\n(?= {4}))*)")
_MARK = re.compile(r"(?P<slow>slow)?(?:(?:^|, )run with: (?P<changes>.+))?")


@dataclass(frozen=True)
class Block:
    """A block of a file: `kind` is python, command, json, toml, text or other; `skip` the reason why it is not run."""

    path: Path
    line: int
    kind: str
    code: str
    skip: str | None = None
    slow: bool = False

    def __str__(self) -> str:
        return f"{self.path.name}:{self.line}"


class MarkError(ValueError):
    """A comment above a block that is none of those that there are."""


def blocks(path: Path) -> tuple[Block, ...]:
    """The blocks of a Markdown file, in its order."""
    text = path.read_text(encoding="utf-8")
    found, outside = [], text
    for match in _FENCE.finditer(text):
        language = match["language"].strip().lower()
        kind = LANGUAGES.get(language, language if language in (*READ, "text") else "other")
        found.append((match.start(), kind, match["code"]))
        outside = outside[: match.start()] + re.sub(r"[^\n]", "x", match[0]) + outside[match.end() :]
    for match in _INDENTED.finditer(outside):
        code = re.sub(r"^ {4}", "", match["code"], flags=re.MULTILINE)
        first = code.split()[0] if code.split() else ""
        if first in COMMANDS:
            found.append((match.start(), "command", code))
    return tuple(_marked(path, text, *block) for block in sorted(found))


def _marked(path: Path, text: str, start: int, kind: str, code: str) -> Block:
    line, before = text.count("\n", 0, start) + 1, text[:start].rstrip()
    if not before.endswith("-->"):
        return Block(path, line, kind, code)
    comment = " ".join(before[before.rindex("<!--") + 4 : -3].split())
    if comment.startswith("not run: "):
        return Block(path, line, kind, code, skip=comment.removeprefix("not run: "))
    mark = _MARK.fullmatch(comment)
    if mark is None or not comment:
        raise MarkError(f"{path.name}:{line}: unknown comment above a block: {comment!r}")
    for change in (mark["changes"] or "").split(";"):
        if change.strip():
            old, arrow, new = (part.strip() for part in change.partition("->"))
            if not arrow or old not in code:
                raise MarkError(f"{path.name}:{line}: {change.strip()!r} changes nothing in the block")
            code = code.replace(old, new)
    return Block(path, line, kind, code, slow=mark["slow"] is not None)


def inline_commands(path: Path) -> tuple[str, ...]:
    """The code within the text that begins with a command, and single options."""
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    spans = (" ".join(span.split()) for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", text))
    return tuple(span for span in spans if span.split()[0] in COMMANDS or re.match(r"--[a-z]", span))

"""README.md and docs/*.md: every block of code runs, every command and option in the text is one that there is.

A block that is not marked is run (tests/docs.py has the marks). The blocks of a file run in its order in one folder
(tests/furnish.py has what lies in it).
"""

import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import typer.main

import tinynas
from tests.docs import COMMANDS, FILES, ROOT, MarkError, blocks, inline_commands
from tests.every import every
from tests.furnish import add_keras_model, furnish, programs
from tinynas.options import SETTINGS
from tinynas.options.captures import CAPTURES

BLOCKS = {path: blocks(path) for path in FILES}
PYTHON = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
IDS = [str(path.relative_to(ROOT)) for path in FILES]
LIMIT_S = 600


@pytest.fixture(scope="module")
def furnished(tmp_path_factory):
    """The folder that a file's blocks find, to be copied for each, and the programs beside it."""
    root = tmp_path_factory.mktemp("docs")
    return furnish(root / "work"), programs(root / "bin")


@pytest.fixture
def work(furnished, tmp_path, monkeypatch):
    """A copy of that folder, and the working directory."""
    folder = shutil.copytree(furnished[0], tmp_path / "work", symlinks=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", f"{furnished[1]}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return folder


def _furnish_more(request, work, chosen):
    """Put a run and my.keras into the folder if a block speaks of them: they take a training, and TensorFlow."""
    text = "\n".join(block.code for block in chosen)
    if re.search(r"runs/|\bbest\b|--resume|--run\b|tinynas (pareto|report|compare|trials|show|train)", text):
        run = request.getfixturevalue("small_run")
        for name in ("a", "b", "small"):
            shutil.copytree(run.folder, work / "runs" / name)
        (work / "runs" / "latest").symlink_to("small")
    if "my.keras" in text:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            add_keras_model(work / "my.keras")


def chosen(path, slow):
    """The blocks of a file that are to run: those that are slow only if `slow`."""
    return [block for block in BLOCKS[path] if block.skip is None and (slow or not block.slow)]


def run(blocks):
    """Run blocks of one file in their order; return those that have run."""
    names, ran = {"__name__": "__docs__"}, []
    for block in blocks:
        _RUNNERS[block.kind](block, names)
        ran.append(block)
    return ran


def _python(block, names):
    # dont_inherit: the block is a program of its own; the empty lines let a traceback name the file's line.
    exec(compile("\n" * block.line + block.code, str(block.path), "exec", dont_inherit=True), names)


def _commands(block, names):
    done = subprocess.run(
        ["bash", "-euc", block.code],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, f"{block}: exit code {done.returncode}\n{block.code}\n{done.stdout}\n{done.stderr}"


def _json(block, names):
    json.loads(block.code)


def _toml(block, names):
    tomllib = pytest.importorskip("tomllib")
    tomllib.loads(block.code)


def _unmarked(block, names):
    raise AssertionError(f"{block}: a block of this kind cannot be run; put <!-- not run: REASON --> above it")


_RUNNERS = {
    "python": _python,
    "command": _commands,
    "json": _json,
    "toml": _toml,
    "text": lambda block, names: None,
    "other": _unmarked,
}


@pytest.mark.xdist_group("small_run")
@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_every_block_runs(path, work, request, capsys):
    blocks = chosen(path, slow=False)
    if any("keras" in block.code for block in blocks):
        request.getfixturevalue("tensorflow")
    _furnish_more(request, work, blocks)
    ran = run(blocks)
    for block in BLOCKS[path]:
        assert (block in ran) == (block.skip is None and not block.slow), f"{block} did not run, and nothing says why"
    out = capsys.readouterr().out
    for line in _said(ran):
        assert line in out


@pytest.mark.slow
@pytest.mark.xdist_group("small_run")
@pytest.mark.parametrize("path", [p for p in FILES if any(b.slow for b in BLOCKS[p])], ids=lambda path: path.name)
def test_every_slow_block_runs_too(path, work, request):
    _furnish_more(request, work, chosen(path, slow=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras in this process warns of its own affairs
        ran = run(chosen(path, slow=True))
    assert ran == [block for block in BLOCKS[path] if block.skip is None]


def _said(blocks):
    """What the Python blocks say that they print: a comment on the line of a print, or below it."""
    return [
        line
        for block in blocks
        if block.kind == "python"
        for line in re.findall(r"^(?: *print\(.*)?\)(?:  |\n)# (.*)", block.code, re.MULTILINE)
    ]


def test_something_is_said():
    assert sum(len(_said(found)) for found in BLOCKS.values()) >= 3


def test_what_is_not_run_has_a_reason_and_is_the_exception():
    everything = [block for found in BLOCKS.values() for block in found]
    skipped = [block for block in everything if block.skip is not None]
    assert all(len(block.skip.split()) >= 3 for block in skipped), skipped
    assert len(skipped) < len(everything) / 2


@every("name", sorted(set(tinynas.__all__) - {"__version__"}))
def test_every_public_name_is_shown_and_in_the_changelog(name):
    word = re.compile(rf"\b{name}\b")
    assert any(word.search(block.code) for block in BLOCKS[ROOT / "docs" / "python.md"])
    assert word.search((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))


def test_the_tables_of_options_are_those_of_the_options():
    command = [sys.executable, ROOT / "tools" / "docs_tables.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_a_default_in_the_text_is_the_default(path):
    """`--parents` (3): a number in brackets behind an option is what is taken without it."""
    defaults = {row.option: row.says_default for row in (*SETTINGS.values(), *CAPTURES.values())}
    for option, said in re.findall(r"`(--[a-z-]+)` \(([\d.]+)\)", path.read_text(encoding="utf-8")):
        assert re.split(r"[, ]", defaults[option])[0] == said, option


def test_the_readme_counts_the_boards():
    (count,) = re.findall(r"(\d+) boards ship with", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert int(count) == len(tinynas.Target.names())


def test_every_setting_is_in_the_table():
    follow = {
        "version",
        "data",
        "target",
        "space",
        "limits",
        "final_threads",
        "own",
        "figures",
        "extensions",
        "warm_start",
        "front_end",
    }
    section = PYTHON.split("## Settings")[1].split("\n## ")[0]
    rows = [line.split("|") for line in section.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row[1])}
    assert named == set(tinynas.Settings.model_fields) - follow
    for row in rows:
        for name, default in zip(re.findall(r"`(\w+)`", row[1]), re.findall(r"`([^`]*)`", row[2]), strict=True):
            assert repr(tinynas.Settings.model_fields[name].default) == default, name


# --- the commands within the text


def _command_line():
    from tinynas.cli.app import app

    return typer.main.get_command(app)


def _options(command):
    """All options of a command and of the commands below it."""
    own = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    return own.union(*(_options(below) for below in getattr(command, "commands", {}).values()))


def _check_tinynas(words):
    command, rest = _command_line(), words[1:]
    known = {"--help", "--debug", "--version", "--install-completion", "--show-completion"}
    while rest and hasattr(command, "commands") and not rest[0].startswith("-") and rest[0] != "…":
        assert rest[0] in command.commands, f"there is no command {rest[0]!r}"
        command, rest = command.commands[rest[0]], rest[1:]
    for word in rest:
        if word.startswith("--"):
            assert word.split("=")[0] in _options(command) | known, f"{word} is no option of {command.name}"


def _check_inline(span):
    """AssertionError when a command or option in the text is not there."""
    words = span.split()
    if words[0] == "tinynas":
        _check_tinynas(words)
    elif words[0] == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert all(word in targets for word in words[1:] if "=" not in word)
    elif words[0] in ("python", "pytest"):
        for word in words[1:]:
            assert (ROOT / word).exists() or not re.fullmatch(r"[\w./]+\.py|tests/.*|tools/.*", word)
    elif words[0].startswith("--"):
        of_tools = "".join(path.read_text() for path in (ROOT / "tools").glob("*.py"))
        for word in words:
            name = re.match(r"--[a-z][\w-]*", word)
            assert name is None or name[0] in _options(_command_line()) or f'"{name[0]}"' in of_tools, word


SPANS = [(path.name, span) for path in FILES for span in dict.fromkeys(inline_commands(path))]


@every("path, span", SPANS)
def test_every_command_and_option_in_the_text_is_there(path, span):
    _check_inline(span)


@every("path", FILES)
def test_every_link_within_the_project_leads_somewhere(path):
    for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        assert "://" in link or (path.parent / link).exists(), link


def _anchors(path):
    """The names by which GitHub links to the headings of a page."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every("path", FILES)
def test_every_link_to_a_heading_finds_it(path):
    for page, anchor in re.findall(r"\]\(([^)#:\s]*)#([^)\s]+)\)", path.read_text(encoding="utf-8")):
        assert anchor in _anchors(path.parent / page if page else path), f"{page}#{anchor}"


TELEGRAPHIC = re.compile(
    r"\ban? \w+ an? (class|sample|row|column|channel|trial|event|operator|person|moment|fold|epoch|generation|number)\b"
)


@every("path", FILES)
def test_each_is_said_with_a_preposition(path):
    """A folder for each class, never "a folder a class"."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    found = [match[0] for match in TELEGRAPHIC.finditer(text) if match[0].split()[1] not in ("is", "as", "of", "in")]
    assert found == []


def test_every_page_is_in_the_index():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    for page in sorted((ROOT / "docs").glob("*.md")):
        assert page.name == "README.md" or f"]({page.name})" in index, page.name


# --- and the taking apart itself


def _parsed(tmp_path, text):
    (tmp_path / "page.md").write_text(text)
    return blocks(tmp_path / "page.md")


PAGE = """# Page

    tinynas targets
    make x

    python y.py

 * item

    not a command

<!-- not run: it takes a week -->

    make world

<!-- slow, run with: 20m -> 2s; --out a -> --out b -->
    tinynas search --time-budget 20m --out a

```python
x = '''
    tinynas not this
'''
```

<!-- run with:
     NAME -> x -->
```sh
tinynas NAME
```

```c
int x;
```
"""


def test_a_page_is_taken_apart(tmp_path):
    commands, world, search, python, shell, c = _parsed(tmp_path, PAGE)
    assert (commands.kind, commands.code, commands.line) == ("command", "tinynas targets\nmake x\n\npython y.py\n", 3)
    assert (world.code, world.skip) == ("make world\n", "it takes a week")
    assert (search.code, search.slow, search.skip) == ("tinynas search --time-budget 2s --out b\n", True, None)
    assert (python.kind, python.slow) == ("python", False)
    assert "tinynas not this" in python.code
    assert (shell.kind, shell.code) == ("command", "tinynas x\n")
    assert c.kind == "other"
    with pytest.raises(AssertionError, match="cannot be run"):
        _unmarked(c, {})


@pytest.mark.parametrize("mark", ["no run", "slow run with: a -> b", "run with: b", "run with: nowhere -> b", "Slow"])
def test_a_comment_that_is_no_mark_is_an_error(tmp_path, mark):
    with pytest.raises(MarkError, match=r"page\.md:3"):
        _parsed(tmp_path, f"text\n<!-- {mark} -->\n```sh\ntinynas a\n```\n")


def test_a_block_that_fails_is_named(tmp_path, work):
    (block,) = _parsed(tmp_path, "text\n\n    cd nowhere\n")
    with pytest.raises(AssertionError, match=r"page\.md:3: exit code 1"):
        _commands(block, {})
    (block,) = _parsed(tmp_path, "```python\nassert 0\n```\n")
    with pytest.raises(AssertionError):
        _python(block, {})


@pytest.mark.parametrize(
    "span",
    [
        "tinynas serch",
        "tinynas search --targt x",
        "tinynas data nothing",
        "make tset",
        "python tools/gone.py",
        "--gone",
    ],
)
def test_a_command_that_is_not_there_is_found(span):
    with pytest.raises(AssertionError):
        _check_inline(span)


def test_the_words_that_begin_a_command_are_looked_for(tmp_path):
    for word in COMMANDS:
        assert len(_parsed(tmp_path, f"text\n\n    {word} x\n")) == 1
    (tmp_path / "page.md").write_text("`tinynas x` and ``a`` and `--gone 3` and `else`\n```sh\n`make`\n```\n")
    assert inline_commands(Path(tmp_path / "page.md")) == ("tinynas x", "--gone 3")

"""The table of who may import whom, held against the imports in the code."""

import ast
from importlib.util import resolve_name
from pathlib import Path

import pytest

import tinynas
from tests.every import every

ROOT = Path(tinynas.__file__).parent
ROWS = {
    "errors": 0,
    "features": 0,
    "options": 0,
    "version": 0,
    "words": 0,
    "architecture": 1,
    "hardware": 1,
    "tflite": 1,
    "data": 1,
    "screening": 2,
    "training": 2,
    "runs": 2,
    "engine": 2,
    "searching": 3,
    "measuring": 3,
    "export": 3,
    "report": 3,
    "cli": 4,
    "tinynas": 5,  # the public door: it opens on every room, so that none of them may go through it
}
MODULES = {"errors", "version", "words"}  # rooms of one file
SIDEWAYS = {
    ("tflite", "hardware"),
    ("features", "errors"),
    ("options", "errors"),
    ("options", "words"),
    ("searching", "report"),  # for SearchResult.report()
}
HEAVY = ("tensorflow", "tf_keras", "keras_flops", "tensorflow_model_optimization")
FILES = sorted(path for path in ROOT.rglob("*.py") if path.parent != ROOT or path.stem in MODULES)


def _room(module: str) -> str:
    """The room of a module of tinynas; the door itself is none."""
    return module.split(".")[1] if "." in module else "tinynas"


def _imports(tree: ast.AST, package: str):
    """Yield the tinynas rooms that a module in `package` imports, those for type checkers alone left out."""
    for node in ast.iter_child_nodes(tree):
        modules = []
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom):
            from_ = "." * node.level + (node.module or "")
            module = resolve_name(from_, package) if node.level else from_
            # `from tinynas import data` is the room, `from tinynas import screen` goes through the door
            rooms = [f"{module}.{alias.name}" for alias in node.names if module == "tinynas" and alias.name in ROWS]
            modules = rooms if len(rooms) == len(node.names) else [module, *rooms]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
            modules = [word.value for word in node.args[:1] if isinstance(word, ast.Constant)]
        yield from (_room(module) for module in modules if module.split(".")[0] == "tinynas")
        if not modules:
            yield from _imports(node, package)


@every("path", FILES)
def test_imports_point_down(path):
    inside = path.relative_to(ROOT)
    room = inside.parts[0].removesuffix(".py")
    package = ".".join(["tinynas", *inside.parts[:-1]])
    for other in _imports(ast.parse(path.read_text()), package):
        allowed = other == room or ROWS[other] < ROWS[room] or (room, other) in SIDEWAYS
        assert allowed, f"{room} (row {ROWS[room]}) imports {other} (row {ROWS[other]})"


@pytest.mark.parametrize(
    ("line", "rooms"),
    [
        ("from tinynas.data import Dataset", ["data"]),
        ("from tinynas.data.files import find_files", ["data"]),
        ("import tinynas.cli.app", ["cli"]),
        ("import tinynas.cli.app as a, os", ["cli"]),
        ("from tinynas import __version__", ["tinynas"]),
        ("from tinynas import cli", ["cli"]),
        ("from tinynas import cli, Dataset", ["tinynas", "cli"]),
        ("import tinynas", ["tinynas"]),
        ("from ..runs import Run", ["runs"]),
        ("from .. import Dataset", ["tinynas"]),
        ("from . import files", ["data"]),
        ("def f():\n    from tinynas import search\n    return search", ["tinynas"]),
        ("x = importlib.import_module('tinynas.training.build')", ["training"]),
        ("if TYPE_CHECKING:\n    from tinynas import search", []),
        ("if x:\n    from tinynas import search", ["tinynas"]),
        ("import numpy\nfrom tinynasium import x", []),
    ],
)
def test_no_way_to_import_goes_unseen(line, rooms):
    assert list(_imports(ast.parse(line), "tinynas.data")) == rooms


def test_every_room_is_in_the_table():
    rooms = {path.name for path in ROOT.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    assert rooms == set(ROWS) - MODULES - {"tinynas"}


@every("path", FILES)
def test_only_the_command_line_prints_or_exits(path):
    if path.relative_to(ROOT).parts[0] == "cli":
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("print", "exit", "quit", "sys.exit"), f"line {node.lineno}: {called}"
        if isinstance(node, ast.Attribute):
            assert ast.unparse(node) != "sys.argv", f"line {node.lineno}: sys.argv"


def test_tensorflow_stays_in_one_room():
    for path in FILES:
        room = path.relative_to(ROOT).parts[0]
        for node in ast.walk(ast.parse(path.read_text())):
            names = (
                [a.name for a in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            heavy = [n for n in names if n.split(".")[0] in HEAVY]
            assert not heavy or room == "training", f"{path.relative_to(ROOT)} imports {heavy}"

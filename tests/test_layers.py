"""The table of who may import whom, held against the imports in the code."""

import ast
from pathlib import Path

import pytest

import tinynas

ROOT = Path(tinynas.__file__).parent
ROWS = {
    "errors": 0,
    "options": 0,
    "architecture": 1,
    "hardware": 1,
    "tflite": 1,
    "data": 1,
    "screening": 2,
    "training": 2,
    "runs": 2,
    "searching": 3,
    "export": 3,
    "report": 3,
    "cli": 4,
}
SIDEWAYS = {("tflite", "hardware")}
HEAVY = ("tensorflow", "tf_keras", "keras_flops", "tensorflow_model_optimization")
FILES = sorted(path for path in ROOT.rglob("*.py") if path.parent != ROOT)


def _imports(tree: ast.AST, typing_only: bool = False):
    """Yield the tinynas rooms that a module imports, those for type checkers alone left out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").startswith("tinynas."):
            yield node.module.split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (a.name.split(".")[1] for a in node.names if a.name.startswith("tinynas."))
        else:
            yield from _imports(node)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path):
    room = path.relative_to(ROOT).parts[0]
    for other in _imports(ast.parse(path.read_text())):
        allowed = other == room or ROWS[other] < ROWS[room] or (room, other) in SIDEWAYS
        assert allowed, f"{room} (row {ROWS[room]}) imports {other} (row {ROWS[other]})"


def test_every_room_is_in_the_table():
    rooms = {path.name for path in ROOT.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    assert rooms == set(ROWS) - {"errors"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
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

"""What an import loads, how much work it is, and what the public door shows."""

import resource
import subprocess
import sys

import pytest

import tinynas
import tinynas.searching

HEAVY = ("tensorflow", "tf_keras", "sklearn", "matplotlib", "tflite_micro", "bokeh", "jinja2", "pydantic")


def _python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_import_loads_nothing_heavy():
    loaded = _python(f"import sys, tinynas; print([m for m in {HEAVY!r} if m in sys.modules])")
    assert loaded == "[]"


@pytest.mark.parametrize("command", ["--help", "search --help", "convert --help", "data check --help"])
def test_help_reads_tables_alone(command):
    """Pydantic is what Typer itself loads to read a line."""
    code = f"""
import sys
from tinynas.cli import main
try:
    main({command.split()!r})
except SystemExit as end:
    assert not end.code, end.code
loaded = [m for m in {(*HEAVY[:-1], "numpy", "scipy", "PIL")!r} if m in sys.modules]
print([*loaded, *(m for m in sys.modules if m in ("tinynas.runs", "tinynas.data", "tinynas.hardware.target"))])
"""
    assert _python(code).splitlines()[-1] == "[]"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["search", "--help"], ["targets"], ["doctor"]])
def test_command_line_answers_without_tensorflow(arguments):
    code = f"""
import sys
from tinynas.cli import main
try:
    main({arguments!r})
except SystemExit as end:
    assert not end.code, end.code
print()
print([m for m in {HEAVY[:-1]!r} if m in sys.modules])
"""
    assert _python(code).splitlines()[-1] == "[]"


def _modules(code: str) -> int:
    """How many modules are loaded after `code`."""
    return int(_python(f"import sys\n{code}\nprint()\nprint(len(sys.modules))").splitlines()[-1])


HELP = """
from tinynas.cli import main
try:
    main(["--help"])
except SystemExit:
    pass
"""


@pytest.mark.parametrize(("code", "most"), [("import tinynas", 60), (HELP, 500)])
def test_few_modules_are_loaded(code, most):
    assert _modules(code) - _modules("pass") < most


def _cpu_seconds(arguments: list[str]) -> float:
    """User and system time of one Python with these arguments: the least of five, since the machine is noisy."""
    spent = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(spent)


def test_little_is_done_before_the_first_answer():
    """In multiples of the CPU time of a bare Python, measured here and now: about 2 and 15, and 100 with TensorFlow."""
    bare = _cpu_seconds(["-c", "pass"])
    assert _cpu_seconds(["-c", "import tinynas"]) < 6 * bare
    assert _cpu_seconds(["-m", "tinynas", "--help"]) < 40 * bare


@pytest.mark.parametrize("room", [tinynas, tinynas.searching], ids=lambda room: room.__name__)
def test_every_public_name_is_there(room):
    assert set(room.__all__) <= set(dir(room))
    for name in room.__all__:
        assert getattr(room, name) is not None


def test_what_an_executor_or_strategy_of_one_s_own_needs_is_public():
    for name in ("Evaluation", "Executor", "FoldScores", "Job", "Outcome", "Proposal", "Scores", "State", "Strategy"):
        assert name in tinynas.__all__
        assert name in tinynas.searching.__all__
        assert getattr(tinynas, name) is getattr(tinynas.searching, name)
    assert sorted(tinynas.__all__) == tinynas.__all__


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nonsense"):
        _ = tinynas.nonsense

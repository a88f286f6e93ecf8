"""What an import loads, how long it takes, and what the public door shows."""

import subprocess
import sys

import pytest

import tinynas

HEAVY = ("tensorflow", "tf_keras", "sklearn", "matplotlib", "tflite_micro", "pydantic")


def _python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_import_loads_nothing_heavy():
    loaded = _python(f"import sys, tinynas; print([m for m in {HEAVY!r} if m in sys.modules])")
    assert loaded == "[]"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["search", "--help"], ["targets"]])
def test_command_line_answers_without_tensorflow(arguments):
    code = f"""
import sys
from tinynas.cli import main
try:
    main({arguments!r})
except SystemExit as end:
    assert not end.code, end.code
print()
print([m for m in {HEAVY[:5]!r} if m in sys.modules])
"""
    assert _python(code).splitlines()[-1] == "[]"


def test_every_public_name_is_there():
    assert sorted(tinynas.__all__) == tinynas.__all__
    for name in tinynas.__all__:
        assert getattr(tinynas, name) is not None


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nonsense"):
        _ = tinynas.nonsense

"""What is shipped: a wheel that comes out the same wherever it is built, from packages with licences that are known.

And sources that the oldest and the newest Python read without a warning; that they use nothing which came after the
oldest one, mypy checks (`python_version` in pyproject.toml).
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import licences  # noqa: E402
import pytest  # noqa: E402

_BUILD = "from hatchling.build import build_wheel; print(build_wheel('out'))"


def _wheel(place: Path) -> Path:
    """Build the wheel from a copy of the sources in `place`, which is what differs."""
    place.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, place / name)  # as of now: the times differ too
    for name in ("tinynas", "targets"):
        shutil.copytree(
            ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"), copy_function=shutil.copy
        )
    done = subprocess.run([sys.executable, "-c", _BUILD], cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return place / "out" / done.stdout.split()[-1]


def test_two_builds_give_the_same_wheel(tmp_path):
    first, second = _wheel(tmp_path / "a"), _wheel(tmp_path / "elsewhere")
    assert hashlib.sha256(first.read_bytes()).digest() == hashlib.sha256(second.read_bytes()).digest()
    names = zipfile.ZipFile(first).namelist()
    assert "tinynas/hardware/targets/nucleo_f401.json" in names
    assert not [name for name in names if name.startswith("tests/") or name.endswith(".pyc")]


def test_every_locked_package_has_a_licence_that_may_be_used():
    names = licences.locked((ROOT / "requirements.lock").read_text())
    assert len(names) > 50
    doubtful = {
        name: said for name in names if (said := licences.licence(name)) is not None and not licences.is_free(said)
    }
    assert doubtful == {}


def test_what_may_be_used_and_what_may_not():
    for said in ("MIT", "BSD License", "Apache-2.0 OR GPL-3.0", "MIT AND (BSD-3-Clause OR GPL-2.0)", "The MIT License"):
        assert licences.is_free(said), said
    for said in ("GPL-3.0", "MIT AND GPL-3.0", "", "Proprietary", "GNU Affero General Public License v3"):
        assert not licences.is_free(said), said


_OLDEST, _NEWEST = re.search(
    r'requires-python = ">=3\.(\d+),<3\.(\d+)"', (ROOT / "pyproject.toml").read_text()
).groups()
_COMPILE = """
import pathlib, sys
paths = list(pathlib.Path("tinynas").rglob("*.py"))
for path in paths:
    compile(path.read_bytes(), str(path), "exec")
print(sys.version_info.minor, len(paths) > 100)
"""


@pytest.mark.parametrize("minor", [int(_OLDEST), int(_NEWEST) - 1])
def test_the_oldest_and_the_newest_python_read_the_sources(minor):
    python = _python(minor)
    if python is None:
        pytest.skip(f"Python 3.{minor} is not here")
    done = subprocess.run(
        [python, "-W", "error", "-c", _COMPILE], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{minor} True\n"


def _python(minor: int) -> str | None:
    """Return a Python 3.`minor` of this machine: of the path, or of pyenv."""
    installed = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [shutil.which(f"python3.{minor}"), *map(str, installed.glob(f"3.{minor}.*/bin/python3"))]
    return next(
        (each for each in found if each and subprocess.run([each, "-V"], capture_output=True).returncode == 0), None
    )

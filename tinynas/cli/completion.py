"""What the shell completes on Tab, beside commands and options; where nothing fits, it completes file names."""

from collections.abc import Callable, Iterable
from pathlib import Path

RUN = 'A run folder, a name in runs/, or "latest".'
"""What names a run, said once; `runs` completes it."""


def boards(incomplete: str) -> list[str]:
    """Return the shipped boards whose names begin so."""
    from tinynas.hardware import Target

    return [name for name in Target.names() if name.startswith(incomplete)]


def runs(incomplete: str) -> list[str]:
    """Return the run folders whose paths begin so: those in the folder that is written so far, or else in runs/."""
    typed = Path(incomplete)
    inside = typed if incomplete.endswith("/") else typed.parent
    folders = [Path("runs")] if inside == Path() else [inside, Path("runs")]
    found = {str(path.parent) for folder in folders for path in folder.glob("*/settings.json")}
    return sorted(path for path in found if path.startswith(incomplete))


def sources(incomplete: str) -> list[str]:
    """Return what `convert` takes."""
    return [name for name in ("best",) if name.startswith(incomplete)]


def starting(names: Iterable[str]) -> Callable[[str], list[str]]:
    """Return what offers those of `names` that begin as what is written so far."""
    return lambda incomplete: [name for name in names if name.startswith(incomplete)]


def listing(names: Iterable[str]) -> Callable[[str], list[str]]:
    """Return the same for a comma list, in which no name comes twice."""

    def offer(incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        rest = (name for name in names if name not in before.split(","))
        return [before + comma + name for name in rest if name.startswith(last)]

    return offer

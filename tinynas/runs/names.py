"""Which run a person means, and which trial of it: the one rule of every command and every function."""

import re
from pathlib import Path

from tinynas.errors import RunError, UsageError, door

RUNS = Path("runs")  # where a search puts its folder by itself
_NEWEST = ("best", "latest")
_MARK = "settings.json"  # a folder that holds it is a run's
_KEPT = ("best", "models", "trained", "weights")


@door
def find_run(name: Path | str, root: Path | str = RUNS) -> Path:
    """Return the run folder that `name` means: a folder, else one of that name below `root`, else the newest run.

    "latest", or "best", is the newest run below `root`. A link to a run is followed. RunError when there is no such
    run, with those that there are; UsageError when `name` is a trial's, such as "latest:12".
    """
    folder, number = run_and_trial(name, root)
    if number is not None:
        raise UsageError(f"{str(name)!r} is a trial, where a whole run is wanted: leave out :{number}.")
    return folder


@door
def run_and_trial(name: Path | str, root: Path | str = RUNS) -> tuple[Path, int | None]:
    """Return the run folder and the number of "RUN:12", RUN being what `find_run` takes; None without a number.

    Whether the run has such a trial is not looked at.
    """
    text, root, number = str(name), Path(root), None
    found = _folder(text, root)
    match = re.fullmatch(r"(.+):(\d{1,9})", text, re.ASCII)
    if found is None and match is not None and not _exists(Path(text)):
        text, number = match[1], int(match[2])
        found = _folder(text, root)
    if found is not None:
        return found, number
    if text in _NEWEST:
        return latest_run(root), number
    if text and _exists(Path(text)):
        raise RunError(f"{text} is not a run folder: it has no {_MARK}.")
    names = sorted(folder.name for folder in _runs(root))
    there = f"{root}/ has {_some(names)}" if names else f"there is none in {root}/ either"
    raise RunError(f'{text!r} is no run: give a run folder, or a name in {root}/, or "latest" ({there}).')


def require_outside_models(folder: Path) -> None:
    """RunError when `folder` is, or lies in, one that a run keeps its models in: what is there is the run's own."""
    try:
        place = folder.resolve()
        for each in (place, *place.parents):
            if each.name.partition(".")[0] in _KEPT and (each.parent / _MARK).is_file():
                raise RunError(
                    f"{folder} is where the run {each.parent} keeps its own models, which are not written over: choose "
                    f"another --out."
                )
    except (OSError, ValueError, RuntimeError) as error:  # a name that no file can have, or links in a circle
        raise UsageError(f"{str(folder)[:200]!r} is no path ({getattr(error, 'strerror', None) or error}).") from error


def _folder(text: str, root: Path) -> Path | None:
    """Return the run folder `text`, itself or below `root`, what a link points to; None when there is none."""
    for folder in (Path(text), root / text):
        if text and _exists(folder / _MARK):
            return folder.resolve() if folder.is_symlink() else folder
    return None


@door
def latest_run(root: Path | str) -> Path:
    """Return the newest run folder below `root`: the newest with a model, else the one begun last.

    RunError when there is none.
    """
    root = Path(root)
    link = root / "latest"
    if _exists(link / _MARK):
        return link.resolve()
    newest = max(_runs(root), key=lambda folder: ((folder / _MARK).stat().st_mtime, folder.name), default=None)
    if newest is None:
        raise RunError(f"There is no run in {root}: start one with tinynas search, or name the folder of one.")
    return newest


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long for a file
        return False


def _runs(root: Path) -> list[Path]:
    found = (path.parent for path in root.glob(f"*/{_MARK}")) if root.is_dir() else ()
    return [folder for folder in found if not folder.is_symlink()]


def _some(names: list[str], most: int = 6) -> str:
    shown = ", ".join(names[-most:])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} older ones"

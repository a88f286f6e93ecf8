"""Which run a person means: a path, a name below runs/, "latest" or "best"; and which trial of it."""

import re
from pathlib import Path

from tinynas.errors import RunError, UsageError
from tinynas.report.facts import RunFacts
from tinynas.runs import Trial, latest_run

_NEWEST = ("best", "latest")


def find_run(text: str, root: Path = Path("runs")) -> Path:
    """Return the run folder that `text` means: a folder, else one of that name below `root`, else the newest run.

    RunError when there is no such run; it names the runs that there are.
    """
    for folder in (Path(text), root / text):
        if text and (folder / "settings.json").is_file():
            return folder.resolve() if folder.is_symlink() else folder
    if text in _NEWEST:
        return latest_run(root)
    found = (path.parent for path in root.glob("*/settings.json")) if root.is_dir() else ()
    known = sorted(folder.name for folder in found if not folder.is_symlink())
    there = f"{root}/ has {_some(known)}" if known else f"there is none in {root}/ either"
    raise RunError(f"{text!r} is no run: give a run folder, or a name in {root}/ ({there}).")


def split_trial(text: str) -> tuple[str, int | None]:
    """Return the run's name and the trial's number of "RUN:12"; the number is None without one."""
    match = re.fullmatch(r"(.+):(\d{1,9})", text)
    if match is None or Path(text).exists():
        return text, None
    return match[1], int(match[2])


def find_trial(facts: RunFacts, number: int | None) -> Trial:
    """Return the trial of that number, or the best one for None; UsageError or RunError when there is none."""
    if number is None:
        if facts.best is None:
            raise RunError(f"{facts.folder} has no trained trial yet; name one, such as {facts.folder}:0.")
        return facts.best
    found = next((trial for trial in facts.trials if trial.number == number), None)
    if found is None:
        last = max((trial.number for trial in facts.trials), default=None)
        there = "it has none yet" if last is None else f"it has 0 to {last}"
        raise UsageError(f"{facts.folder} has no trial {number}: {there}.")
    return found


def _some(names: list[str], most: int = 6) -> str:
    shown = ", ".join(names[-most:])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} older ones"

"""What keeps a job from an outcome without being a verdict on its child: a process's errors, its death, its silence."""

import errno
from dataclasses import dataclass

from tinynas.errors import RunError, TinynasError
from tinynas.words import counted

ERROR, FULL, DIED, SILENT = "error", "full", "died", "silent"
_FULL = {errno.ENOSPC, errno.EDQUOT}
# Errors of a machine that has too little of something, by name: this room knows no TensorFlow.
_OF_MACHINE = {"MemoryError", "ResourceExhaustedError", "InternalError", "UnavailableError", "AbortedError"}
_MOST_TRIES = {ERROR: 3, FULL: 2, DIED: 3, SILENT: 2}


@dataclass(frozen=True)
class Trouble:
    """A try that failed: its kind, one of those above, and what was said."""

    kind: str
    said: str

    @property
    def most_tries(self) -> int:
        """How many tries a job has, this one among them, of which all but the first have nothing beside them."""
        return _MOST_TRIES[self.kind]

    def verdict(self, tries: int) -> str:
        """Return what is recorded of a child after so many tries."""
        often = "once" if tries == 1 else counted(tries, "time") if tries > 2 else "twice"
        alone = f", the last {'time' if tries == 2 else counted(tries - 1, 'time')} with nothing beside it"
        alone = alone if tries > 1 else ""
        if self.kind == DIED:
            return (
                f"The worker process died {often} on this child{alone} ({self.said}); is there memory enough? That is "
                f"no verdict on the child."
            )
        if self.kind == SILENT:
            return f"This child gave no answer {often}{alone} ({self.said}); --trial-timeout waits longer."
        return f"{self.said} ({often}{alone})"


def trouble_of(error: BaseException) -> Trouble | None:
    """Return what `error`, raised by a training, says of its process; None for a verdict of tinynas on the child."""
    text = " ".join(f"{type(error).__name__}: {error}".split())[:500]
    if isinstance(error, TinynasError):
        text = str(error)
    causes = _causes(error)
    if any(isinstance(each, OSError) and each.errno in _FULL for each in causes):
        return Trouble(FULL, text)
    of_machine = any(type(each).__name__ in _OF_MACHINE or isinstance(each, OSError) for each in causes)
    return None if isinstance(error, TinynasError) and not of_machine else Trouble(ERROR, text)


def final_failed(trouble: Trouble) -> RunError:
    """Return what ends a search whose final training had trouble, and had it again."""
    what = {DIED: "died twice", SILENT: "gave no answer, twice"}.get(trouble.kind, "failed twice")
    hint = "make room on the disk" if trouble.kind == FULL else "is there memory enough?"
    return RunError(f"The process of the final training {what} ({trouble.said}); {hint} --resume tries again.")


def _causes(error: BaseException | None) -> list[BaseException]:
    """Return the error, what it came of, and so on."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found

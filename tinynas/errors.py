"""Every error that tinynas raises on purpose: one sentence that names the thing, what came and what was wanted.

TinynasError              an error that a person can act on (exit code 1)
  UsageError              an option or argument that makes no sense (exit code 2)
  TargetError             a board profile that is wrong or unknown (exit code 2)
  DataError               a data set that cannot be used
  ArchitectureError       a genome that breaks its own rules, or a search space that is empty
  ModelError              a .tflite that cannot be read, written or planned
    UnsupportedOperatorError  an operator whose memory or cost is not known
  ConversionError         a model that does not convert, or whose converted file disagrees with its source
  InfeasibleError         limits that nothing in the search space satisfies
  RunError                a run folder that is missing, in use, damaged or of another search
"""


class TinynasError(Exception):
    """The root of all errors that are a message to a person; `exit_code` is what the command line ends with."""

    exit_code = 1


class UsageError(TinynasError):
    """An option or argument that makes no sense, alone or with the others."""

    exit_code = 2


class TargetError(TinynasError):
    """A board profile that is wrong, or a name that no profile has."""

    exit_code = 2


class DataError(TinynasError):
    """A data set that cannot be read or cannot be learned from."""


class ArchitectureError(TinynasError):
    """A genome that breaks its own rules, or a search space that holds nothing."""


class ModelError(TinynasError):
    """A .tflite that cannot be read, written or planned."""


class UnsupportedOperatorError(ModelError):
    """An operator whose memory or cost is not known, so that no verdict can be given."""


class ConversionError(TinynasError):
    """A model that does not convert to int8, or whose file disagrees with its source."""


class InfeasibleError(TinynasError):
    """Limits that no architecture of the search space satisfies."""


class RunError(TinynasError):
    """A run folder that is missing, in use, damaged or of another search."""


def check_kind(name: str, value: object, kinds: type | tuple[type, ...], wanted: str) -> None:
    """UsageError unless the argument `name` is of one of `kinds`; `wanted` says in words what it must be."""
    if not isinstance(value, kinds):
        came = "None" if value is None else f"the {type(value).__name__} {value!r}"
        came = came if len(came) <= 60 else f"a {type(value).__name__}"
        raise UsageError(f"{name} must be {wanted}, got {came}.")

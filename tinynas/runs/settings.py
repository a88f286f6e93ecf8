"""The settings of a search: everything that, with the data, decides its journal. Kept as settings.json."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from tinynas.architecture import SearchSpace
from tinynas.errors import RunError, TinynasError, UsageError
from tinynas.hardware import Limits, Target
from tinynas.runs.front import checked_objectives


class DataSource(BaseModel):
    """Where the data came from, so that a resumed search can load them again and see that they are the same."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["digits", "path", "arrays"]
    path: str | None = None
    labels: str | None = None
    layout: str | None = None
    reshape: tuple[int, ...] | None = None
    options: dict[str, int | str | tuple[int, ...] | tuple[str, ...]] = {}  # of its reader: see docs/data.md
    digest: str
    summary: str


class Settings(BaseModel):
    """What was asked for. `max_trials` counts trained children; `time_budget_s` is wall seconds for everything.

    A proxy search trains a child for a short while; the best 1 / `reduction` of each rung go on to the next of
    `n_rungs`, each `reduction` times as long as the one before. With `inherit` a child starts from the weights of its
    parent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    target: Target
    data: DataSource
    space: SearchSpace
    limits: Limits
    seed: int = Field(0, ge=0, lt=2**31)
    strategy: Literal["evolution", "aging", "nsga2", "surrogate", "random"] = "surrogate"
    objectives: tuple[str, ...] = ("accuracy",)
    selection: Literal["comma", "plus"] = "plus"
    start: Literal["handmade", "random"] = "handmade"
    n_generations: int | None = Field(None, ge=1)
    n_children: int = Field(8, ge=1, le=1000)
    n_parents: int = Field(3, ge=1, le=1000)
    n_mutations: int = Field(2, ge=1, le=100)
    patience: int | None = Field(None, ge=1)
    max_trials: int | None = Field(None, ge=1)
    time_budget_s: float | None = Field(None, gt=0, le=30 * 86400)
    fidelity: Literal["none", "proxy", "full"] = "proxy"
    n_rungs: int = Field(3, ge=1, le=6)
    reduction: int = Field(3, ge=2, le=10)
    inherit: bool = True
    n_folds: int = Field(5, ge=2)
    n_finalists: int = Field(3, ge=1)
    final_epochs: int | None = Field(None, ge=1)
    metric: Literal["accuracy", "precision", "recall", "f1"] = "accuracy"
    balance: bool = False
    augment: str = "auto"
    final_threads: int = Field(1, ge=1)
    peak_rate: float = Field(4e-3, gt=0, lt=1)
    batch_size: int = Field(64, ge=1)
    qat: bool = True
    precision: Literal["float32", "bfloat16"] = "float32"

    @field_validator("objectives")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return checked_objectives(value)

    @classmethod
    def create(cls, **values: Any) -> "Settings":
        """Return the settings; a value that makes no sense is a UsageError of one sentence."""
        try:
            return cls(**values)
        except ValidationError as error:
            raise UsageError(_sentence(error, "The search")) from error

    @classmethod
    def read(cls, text: str, path: str) -> "Settings":
        """Return the settings that `text`, the content of `path`, holds; RunError when it is not what was written."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise RunError(_sentence(error, path)) from error
        except TinynasError as error:
            raise RunError(f"{path}: {error}") from error


def _sentence(error: ValidationError, where: str) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "the whole"
    came = repr(first["input"])
    came = came if len(came) <= 60 else came[:57] + "..."
    return f"{where}: {key} is {came}, but: {first['msg'].lower()}."

"""The settings of a search: everything that, with the data, decides its journal. Kept as settings.json."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticSerializationError

from tinynas.architecture import SearchSpace
from tinynas.data import Dataset
from tinynas.errors import RunError, TinynasError, UsageError
from tinynas.hardware import FIGURES, FrontEnd, Limits, Target
from tinynas.options import SETTINGS
from tinynas.options.search import Fidelity, Metric, Precision, Prefer, Selection, Start, StrategyName
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
    digest: str = ""
    summary: str = ""

    def load(self) -> Dataset:
        """Return the data again; UsageError for arrays, which are kept nowhere, DataError when the files are gone."""
        if self.kind == "arrays":
            raise UsageError(
                f"The search began from arrays in Python ({self.summary}), which a run does not keep: give them again, "
                f"tinynas.resume(folder, dataset)."
            )
        if self.path is None:
            return Dataset.digits()
        found = self._loaded()
        if found.features is None or "features" in self.options or self.digest in ("", found.digest):
            return found
        before = self._loaded(features="log_mel")  # as runs had them before there was a choice
        return before if before.digest == self.digest else found

    def _loaded(self, **more: str) -> Dataset:
        given: dict[str, Any] = {**self.options, **more}
        given |= {"labels": self.labels, "layout": self.layout, "reshape": self.reshape}
        return Dataset.load(str(self.path), **given)

    def of(self, dataset: Dataset) -> "DataSource":
        """Return this source, found from anywhere, with what tells its data from others: those of `dataset`."""
        paths = {name: str(Path(path).absolute()) for name in ("path", "labels") if (path := getattr(self, name))}
        return self.model_copy(update={**paths, "digest": dataset.digest, "summary": dataset.summary()})


def _of(name: str) -> Any:
    """Return the pydantic field of the setting: default, range and meaning as its Option says them."""
    option = SETTINGS[name]
    bounds = {"ge": option.least, "le": option.most, "gt": option.above, "lt": option.below}
    given: dict[str, Any] = {key: bound for key, bound in bounds.items() if bound is not None}
    return Field(option.default, description=option.help, **given)


class Extension(BaseModel):
    """What a search that had ended was given more of: generations, trained children, seconds of wall time.

    It goes on with `generation`, at the age of `age_s` seconds; `best` is the trial that was its best until then.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    generation: int = Field(ge=0)
    age_s: float = Field(ge=0)
    best: int | None = None
    n_generations: int | None = Field(None, ge=1)
    max_trials: int | None = Field(None, ge=1)
    time_budget_s: float | None = Field(None, gt=0)


class Settings(BaseModel):
    """What was asked for: each field beside data, target, space and limits is described in tinynas.options.SETTINGS.

    `figures` are those of the time that the limits are held against: a run keeps what it began with, and one without
    the key began with version 0.1.0's. `own` names what was given in Python and no file can hold ("strategy":
    "module.Class"): a resume needs it again. The strategy is "own" where it was an object. `warm_start` is the path of
    the run that it began with the best of, `front_end` what makes the network's input of samples, which the limits
    count, and `extensions` are what it was given more of, each time when it had ended.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    target: Target
    data: DataSource
    space: SearchSpace
    limits: Limits
    seed: int = _of("seed")
    strategy: Literal[StrategyName, "own"] = _of("strategy")
    objectives: tuple[str, ...] = _of("objectives")
    selection: Selection = _of("selection")
    start: Start = _of("start")
    n_generations: int | None = _of("n_generations")
    n_children: int = _of("n_children")
    n_parents: int = _of("n_parents")
    n_mutations: int = _of("n_mutations")
    patience: int | None = _of("patience")
    max_trials: int | None = _of("max_trials")
    time_budget_s: float | None = _of("time_budget_s")
    fidelity: Fidelity = _of("fidelity")
    n_rungs: int = _of("n_rungs")
    reduction: int = _of("reduction")
    inherit: bool = _of("inherit")
    n_folds: int = _of("n_folds")
    n_finalists: int | None = _of("n_finalists")
    final_epochs: int | None = _of("final_epochs")
    metric: Metric = _of("metric")
    prefer: Prefer = _of("prefer")
    balance: bool = _of("balance")
    augment: str = _of("augment")
    final_threads: int = Field(1, ge=1)
    peak_rate: float | None = _of("peak_rate")
    batch_size: int = _of("batch_size")
    qat: bool = _of("qat")
    precision: Precision = _of("precision")
    own: dict[str, str] = {}
    figures: int = Field(FIGURES, ge=1, le=FIGURES)
    warm_start: str | None = None
    front_end: FrontEnd | None = None
    extensions: tuple[Extension, ...] = ()

    @model_validator(mode="after")
    def _timed(self) -> "Settings":
        """The board with the run's figures."""
        object.__setattr__(self, "target", self.target.with_figures(self.figures))
        return self

    @field_validator("objectives")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return checked_objectives(value)

    @classmethod
    def create(cls, **values: Any) -> "Settings":
        """Return the settings; a value that makes no sense is one sentence, its name first: UsageError."""
        try:
            settings = cls(**values)
            settings.model_dump_json()
        except ValidationError as error:
            raise UsageError(_sentence(error)) from error
        except PydanticSerializationError as error:
            raise UsageError("The path of the data, or another text that is given, is no UTF-8: rename it.") from error
        return settings

    @classmethod
    def read(cls, text: str, path: str) -> "Settings":
        """Return the settings that `text`, the content of `path`, holds; RunError when it is not what was written."""
        try:
            settings = cls.model_validate_json(text)
            known = "figures" in settings.model_fields_set
            return settings if known else cls.model_validate({**dict(settings), "figures": 1})
        except ValidationError as error:
            raise RunError(f"{path}: {_sentence(error)}") from error
        except TinynasError as error:
            raise RunError(f"{path}: {error}") from error


def _sentence(error: ValidationError) -> str:
    """Return what is wrong first: the setting, what came, what was wanted."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "the whole"
    came = repr(first["input"])
    came = came if len(came) <= 60 else came[:57] + "..."
    option = SETTINGS.get(str(first["loc"][0])) if first["loc"] else None
    wanted = f"but: {first['msg'].lower()}" if option is None else f"wanted {option.wanted}"
    return f"{key} is {came}{',' if option is None else ';'} {wanted}."

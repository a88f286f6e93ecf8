"""What was measured on a board, kept in a file beside its profile, and how its estimates follow from it."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from math import exp, hypot, isfinite, log
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tinynas.errors import TargetError
from tinynas.hardware.kernels import TargetKernels
from tinynas.words import counted

Runtime = Literal["tflm", "engine"]

COUNTED_ERROR = 0.03
"""The least error of an estimate that rests on measurements: that of the counted instructions (latency.py)."""

_MANY = 10  # models, from which on nine of ten of them say the error
_RUNTIMES: Mapping[Runtime, str] = {"tflm": "TFLM", "engine": "the engine"}


class Measured(BaseModel):
    """How much longer a board takes than is estimated for it (`ratio`), and the relative `error` of what is left.

    `kernels` are those that it holds for. `source` says what was measured.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ratio: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    error: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    kernels: TargetKernels
    source: str


@dataclass(frozen=True)
class Timed:
    """An operator of a measured model: microseconds of an inference, and those estimated without any measurement."""

    name: str
    us: float
    estimated_us: float


@dataclass(frozen=True)
class Record:
    """One model measured on a board, in microseconds of an inference: the median, and what was estimated for it.

    `error` is what the estimate stated. `core`, `clock_hz`, `kernels` and `figures` are what the estimate was for: a
    board whose profile has changed has not been measured. `model` is the .tflite's SHA-256.
    """

    model: str
    origin: str
    runtime: Runtime
    optimize: str
    us: float
    estimated_us: float
    error: float
    core: str
    clock_hz: int
    kernels: TargetKernels
    figures: int
    when: str
    is_emulated: bool = False
    operators: tuple[Timed, ...] = ()

    def holds_for(self, other: "Record") -> bool:
        """Whether `other` is a measurement of the same thing, which a newer one replaces."""
        names = ("model", "runtime", "optimize", "kernels")
        return all(getattr(self, name) == getattr(other, name) for name in names)


def measured(records: Sequence[Record]) -> Measured | None:
    """What the records of a board say of its times; None without any.

    Those of TFLM count where there are any. Those of the engine alone say how fast the board runs other code: the error
    then has in it what the core's estimate states, as squares.
    The ratio is the geometric mean of measured over estimated times, a model having one vote. The error is how far a
    mix of other operators could be off: nine tenths of the time were spent in operators that are no further from the
    ratio. With several models it is at least how far each is off what the others say (nine of ten, from ten on).
    """
    by_runtime = {name: [each for each in records if each.runtime == runtime] for runtime, name in _RUNTIMES.items()}
    name, used = next(((name, found) for name, found in by_runtime.items() if found), ("", []))
    if not used:
        return None
    ratio = _ratio(used)
    error = max(_spread_of_operators(used, ratio), _left_out(used), COUNTED_ERROR)
    if not any(record.operators for record in used) and len(used) == 1:
        error = max(error, used[0].error)
    if used[0].runtime == "engine":
        error = hypot(error, max(record.error for record in used))
    emulated = " of an emulator" if any(record.is_emulated for record in used) else ""
    source = f"{counted(len(used), 'model')} measured with {name}{emulated}: {ratio:.2f} of what is estimated without"
    return Measured(ratio=ratio, error=round(error, 3), kernels=used[-1].kernels, source=source)


def _ratio(records: Sequence[Record]) -> float:
    return exp(sum(log(record.us / record.estimated_us) for record in records) / len(records))


def _spread_of_operators(records: Sequence[Record], ratio: float) -> float:
    """The deviation from the ratio that nine tenths of the estimated time stay below, a model having one vote."""
    found = []
    for record in records:
        whole = sum(each.estimated_us for each in record.operators)
        found += [
            (abs(each.us / each.estimated_us / ratio - 1), each.estimated_us / whole)
            for each in record.operators
            if each.estimated_us > 0
        ]
    found.sort()
    upto = list(accumulate(weight for _, weight in found))
    return next((off for (off, _), weight in zip(found, upto, strict=True) if weight >= 0.9 * upto[-1] - 1e-9), 0.0)


def _left_out(records: Sequence[Record]) -> float:
    """How far a model is off what the others say: the worst, or from ten models on nine of ten."""
    if len(records) < 2:
        return 0.0
    off = sorted(
        abs(_ratio([record]) / _ratio([other for other in records if other is not record]) - 1) for record in records
    )
    return off[-1] if len(off) < _MANY else off[int(0.9 * len(off))]


# --- the file


def path_for(board: str, profile: Path | None) -> Path:
    """Where the measurements of a board are kept: beside its own `profile`, or for one that ships with tinynas in the
    user's folder of data ($XDG_DATA_HOME, or ~/.local/share)."""
    if profile is not None:
        return profile.with_suffix(".measured.json")
    home = os.environ.get("XDG_DATA_HOME", "")
    return (
        (Path(home) if os.path.isabs(home) else Path.home() / ".local" / "share") / "tinynas" / f"{board}.measured.json"
    )


def read_records(path: Path) -> tuple[Record, ...]:
    """The records of the file, none where there is no file; TargetError where it is not what was written."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError, RuntimeError) as error:
        raise _unreadable(path, error) from None
    try:
        return tuple(map(_record, json.loads(text)["records"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> TargetError:
    said = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}".splitlines()[0]
    return TargetError(f"{path}, what was measured on the board, cannot be read ({said}); remove it and measure again")


def _record(values: dict[str, Any]) -> Record:
    record = Record(**{**values, "operators": tuple(Timed(**each) for each in values["operators"])})
    times = [record.us, record.estimated_us, record.error]
    times += [time for each in record.operators for time in (each.us + 1, each.estimated_us + 1)]
    if not all(isinstance(time, int | float) and isfinite(time) and time > 0 for time in times):
        raise ValueError("a time is no number above 0")
    if record.runtime not in _RUNTIMES:
        raise ValueError(f"no runtime is called {record.runtime!r}")
    return record


def add_record(path: Path, record: Record) -> tuple[Record, ...]:
    """Put the record into the file, in the place of an older one of the same; all records. TargetError."""
    kept = tuple(other for other in read_records(path) if not record.holds_for(other))
    records = (*kept, record)
    text = json.dumps({"records": [asdict(each) for each in records]}, indent=1)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_text(text + "\n", encoding="utf-8")
        scratch.replace(path)
    except OSError as error:
        raise TargetError(f"{path} cannot be written: {error.strerror or error}") from None
    return records


def valid(records: Iterable[Record], core: str, clock_hz: int, kernels: str, figures: int) -> tuple[Record, ...]:
    """Those that were measured against the estimates of such a board."""
    now = (core, clock_hz, kernels, figures)
    return tuple(each for each in records if (each.core, each.clock_hz, each.kernels, each.figures) == now)

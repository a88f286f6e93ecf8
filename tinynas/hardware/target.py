"""A board as a value: a JSON profile, checked, with one sentence for all that is wrong in it."""

import json
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from tinynas.errors import TargetError
from tinynas.hardware.cores import CORES, CoreName
from tinynas.hardware.kernels import TARGET_KERNELS, KernelLibrary, TargetKernels, nearest_library
from tinynas.hardware.limits import Limits
from tinynas.hardware.measured import Measured, measured, path_for, read_records, valid
from tinynas.hardware.old_figures import FIGURES
from tinynas.words import known

_BYTES, _RESERVE = "a whole number of bytes, 1 to 2**40", "a whole number of bytes, 0 to 2**40"
_WANTED: Mapping[str, str] = {
    "name": "the profile's name, a text that is not empty",
    "mcu": "the microcontroller's part number, a text that is not empty",
    "core": f"one of {', '.join(CORES)}",
    "clock_hz": "the core's clock in Hz, a whole number, 100_000 to 2**40 (64 MHz is 64000000)",
    "flash_bytes": _BYTES,
    "ram_bytes": _BYTES,
    "reserved_flash_bytes": _RESERVE,
    "reserved_ram_bytes": _RESERVE,
    "kernels": f"one of {', '.join(TARGET_KERNELS)}",
    "ram_bank": "a text",
    "source": "a text",
    "power_scope": "board or chip: what active_power_mw was measured of",
    "flash_wait_cycles": "the core's cycles that a read of Flash waits where no cache has it, a number from 0, or null",
    "flash_read_bytes": "the bytes that one read of Flash brings, a whole number, 1 to 4096",
    "flash_cache_bytes": "the bytes of weights that a cache before the Flash keeps, a whole number, 0 to 2**40",
    "idle_power_mw": "the power between inferences, asleep with its memory kept, in mW, a number from 0, or null",
    "measured": "what tinynas measure found: ratio and error, numbers above 0, kernels and source; or null",
    "active_power_mw": "the power while the core computes in mW, a number above 0, or null where it is not known",
}

Text = Annotated[str, Field(strict=True)]
FilledText = Annotated[str, Field(strict=True, min_length=1)]
Count = Annotated[int, Field(strict=True, gt=0, le=2**40)]
Clock = Annotated[
    int, Field(strict=True, ge=100_000, le=2**40)
]  # less is one in MHz, whose latencies nobody would doubt
Reserve = Annotated[int, Field(strict=True, ge=0, le=2**40)]
Idle = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Cycles = Annotated[float, Field(strict=True, ge=0, le=10_000, allow_inf_nan=False)]
Width = Annotated[int, Field(strict=True, gt=0, le=4096)]
Power = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]


_LATER = (
    {"source", "measured"}
    | {"flash_wait_cycles", "flash_read_bytes", "flash_cache_bytes"}
    | {"active_power_mw", "power_scope", "idle_power_mw"}
)


class Target(BaseModel):
    """A board: what it has, what a program around the model keeps of it, and which kernels TFLM runs there.

    `flash_bytes` and `ram_bytes` are what the linker can give to one program and to one static array;
    `reserved_flash_bytes` and `reserved_ram_bytes` are what the program itself needs beside TFLM and the model.
    `ram_bank` says which memory `ram_bytes` is. `active_power_mw` is the power at `clock_hz` while the core
    computes, of the whole board or of the chip alone (`power_scope`): figures of different scope do not compare.
    `idle_power_mw` is that of the same scope while it sleeps, its memory kept, until the next inference.
    A read of Flash brings `flash_read_bytes` and waits `flash_wait_cycles`, but for what a cache of
    `flash_cache_bytes` keeps; None where that is not known, or weights are not read from Flash.
    `measured` is what `tinynas measure` found of its times; `load` takes it from the file that is kept of the board.
    TargetError, in one sentence that holds everything that is wrong.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: FilledText
    mcu: FilledText
    core: CoreName
    clock_hz: Clock
    flash_bytes: Count
    ram_bytes: Count
    kernels: TargetKernels
    reserved_flash_bytes: Reserve = 0
    reserved_ram_bytes: Reserve = 0
    ram_bank: Text = ""
    source: Text = ""
    active_power_mw: Power | None = None
    idle_power_mw: Idle | None = None
    power_scope: Literal["board", "chip"] = "board"
    flash_wait_cycles: Cycles | None = None
    flash_read_bytes: Width = 8
    flash_cache_bytes: Reserve = 0
    measured: Measured | None = None
    _figures: int = PrivateAttr(FIGURES)

    def __init__(self, **values: Any) -> None:
        _fill(self, values, f"Target {values.get('name', 'without a name')!r}")

    @model_validator(mode="after")
    def _agree(self) -> "Target":
        for memory in ("flash_bytes", "ram_bytes"):
            reserved, size = getattr(self, f"reserved_{memory}"), getattr(self, memory)
            if reserved >= size:
                raise ValueError(f"reserved_{memory} is {reserved}, but {memory} is only {size}; nothing would be left")
        allowed = CORES[self.core].kernels
        if self.kernels not in allowed:
            raise ValueError(
                f"kernels is {self.kernels!r}, which a {self.core} cannot run; wanted {' or '.join(allowed)}"
            )
        return self

    @classmethod
    def load(cls, name_or_path: str | Path) -> "Target":
        """The shipped board of that name, or the board in a .json file (any name with a suffix or a folder in it)."""
        text = str(name_or_path)
        if text.lower().endswith(".json") or "/" in text or "\\" in text:
            return cls._read(Path(text)).with_measurements(Path(text))
        if text not in cls.names():
            near = get_close_matches(text.lower(), cls.names(), n=3, cutoff=0.4)
            hint = f"the nearest are {', '.join(near)}" if near else f"known: {', '.join(cls.names())}"
            raise TargetError(f"no board is called {text!r} ({hint}); a board of your own is the path of a .json file")
        return cls._read(_folder() / f"{text}.json").with_measurements()

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of the boards that ship with tinynas, sorted."""
        return tuple(sorted(path.stem for path in _folder().glob("*.json")))

    @classmethod
    def all(cls) -> tuple["Target", ...]:
        """Every board that ships with tinynas, by name."""
        return tuple(cls.load(name) for name in cls.names())

    @classmethod
    def _read(cls, path: Path) -> "Target":
        target = cls.__new__(cls)
        _fill(target, _json_object(path), str(path))
        return target

    @property
    def figures(self) -> int:
        """Which figures of the time hold (hardware/old_figures.py): a run keeps those that it began with."""
        return self._figures

    def with_figures(self, figures: int) -> "Target":
        """The board with the figures of that number."""
        if figures == self._figures:
            return self
        board = self.model_copy()
        board._figures = figures
        return board

    def with_measurements(self, profile: Path | None = None) -> "Target":
        """The board with what was measured of it so far; `profile` is its own file, None for one that ships."""
        records = read_records(path_for(self.name, profile))
        found = measured(valid(records, self.core, self.clock_hz, self.kernels, self.figures))
        return self if found is None else self.model_copy(update={"measured": found})

    def without_measurements(self) -> "Target":
        """The board with what is estimated without any measurement of it."""
        return self if self.measured is None else self.model_copy(update={"measured": None})

    def is_same_board(self, other: "Target") -> bool:
        """Whether `other` is this board, whatever was measured of it: alike but, where it has other figures, for what
        only those have."""
        if self.figures == other.figures:
            return self.without_measurements() == other.without_measurements()
        return self.model_dump(exclude=_LATER) == other.model_dump(exclude=_LATER)

    @property
    def flash_stall(self) -> float:
        """Cycles that a byte of weights costs because it comes from Flash, beside its load."""
        return 0.0 if self.flash_wait_cycles is None else self.flash_wait_cycles / self.flash_read_bytes

    @property
    def limits(self) -> Limits:
        """What the board leaves: for the file and for the arena alone, and for both with all that TFLM adds."""
        flash, ram = self.flash_bytes - self.reserved_flash_bytes, self.ram_bytes - self.reserved_ram_bytes
        return Limits(flash_bytes=flash, ram_bytes=ram, board_flash_bytes=flash, board_ram_bytes=ram)

    @property
    def kernel_library(self) -> KernelLibrary:
        """The kernel library whose formulas the board is computed with."""
        return nearest_library(self.kernels)

    @property
    def arena_is_exact(self) -> bool:
        """Whether those formulas are the board's own, checked to the byte."""
        return self.kernels == self.kernel_library

    @property
    def arena_status(self) -> Literal["exact", "estimated"]:
        """ "exact" or "estimated", as a Footprint says it."""
        return "exact" if self.arena_is_exact else "estimated"


def _folder() -> Path:
    """Where the profiles lie: inside the installed package, or beside it in a checkout."""
    inside = Path(__file__).parent / "targets"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "targets"


def _fill(target: Target, values: Mapping[str, Any], where: str) -> None:
    try:
        BaseModel.__init__(target, **values)
    except ValidationError as error:
        # A key nobody knows goes first, since it often explains a missing one.
        problems = sorted(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
        raise TargetError(f"{where}: {'; '.join(map(_problem, problems))}") from None


def _problem(problem: Mapping[str, Any]) -> str:
    """One thing that is wrong, in words."""
    key = str(problem["loc"][0]) if problem["loc"] else ""
    if problem["type"] == "extra_forbidden":
        return f"unknown key {key!r} ({known(key, _WANTED)})"
    if problem["type"] == "missing":
        return f"the key {key!r} is missing; wanted {_WANTED[key]}"
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    return f"{key} is {_short(problem['input'])}; wanted {_WANTED[key]}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _json_object(path: Path) -> dict[str, Any]:
    if path.exists() and not path.is_file():
        raise TargetError(f"{path}: the board's profile cannot be read: it is not a file")
    try:
        values = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_unique)
    except OSError as error:
        raise TargetError(f"{path}: the board's profile cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise TargetError(f"{path}: the board's profile is not JSON: {error}") from None
    if not isinstance(values, dict):
        raise TargetError(f"{path}: the board's profile is a JSON {type(values).__name__}; wanted an object of keys")
    return values


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} is there twice")
    return values

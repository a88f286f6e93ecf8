"""What a model needs of a board: Flash, RAM, compute; the value that limits are held against."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

ArenaStatus = Literal["exact", "estimated"]


@dataclass(frozen=True)
class Arena:
    """TFLM's tensor arena, in bytes.

    `head` is the plan of activations and scratch buffers, `tail` TFLM's own structures, `used` their sum (what
    arena_used_bytes() says), `minimum` the smallest arena, a multiple of 16, in which AllocateTensors() succeeds.
    """

    head: int
    tail: int
    used: int
    minimum: int


@dataclass(frozen=True)
class Flash:
    """Flash in bytes: the .tflite file, and the code that TFLM adds to a program for its operators."""

    model: int
    runtime: int

    @property
    def total(self) -> int:
        """Model and code together."""
        return self.model + self.runtime


@dataclass(frozen=True)
class Footprint:
    """Every figure of a model on one board.

    `flops` is None where only a .tflite is known. `instructions` is None where the time of an operator under TFLM is
    not known; then, and where the board's core or its power is not known, so are `latency_ms` and `energy_mj`. Both are
    estimates: `latency_error` and `energy_error` are relative (0.35: nine of ten true figures are expected within
    35 %). `ram_outside_bytes` is the interpreter, the operator resolver, the C library's data and the stack.
    `arena_status` is "estimated" where the board's kernels are computed with another library's formulas.
    """

    params: int
    flops: int | None
    macs: int
    largest_tensor_bytes: int
    flash: Flash
    arena: Arena
    ram_outside_bytes: int
    live_bytes_peak: int
    instructions: int | None
    latency_ms: float | None = None
    energy_mj: float | None = None
    arena_status: ArenaStatus = "exact"
    latency_error: float | None = None
    energy_error: float | None = None

    @property
    def flash_bytes(self) -> int:
        """Bytes of the .tflite file."""
        return self.flash.model

    @property
    def arena_bytes(self) -> int:
        """Bytes of the smallest arena."""
        return self.arena.minimum

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; `from_dict` is its inverse."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Footprint":
        """The footprint that `to_dict` wrote, the errors left out or not; KeyError or TypeError when it is not one."""
        nested = {"flash": Flash(**values["flash"]), "arena": Arena(**values["arena"])}
        return cls(**{**values, **nested})

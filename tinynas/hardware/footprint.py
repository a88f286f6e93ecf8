"""What a model needs of a board: Flash, RAM, compute; the value that limits are held against."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from tinynas.hardware.front_end import FrontEnd

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
    """Flash in bytes: the .tflite file, the code that TFLM adds to a program for its operators, and the front end's."""

    model: int
    runtime: int
    front_end: int = 0

    @property
    def network(self) -> int:
        """Model and TFLM's code together."""
        return self.model + self.runtime

    @property
    def total(self) -> int:
        """All of it."""
        return self.network + self.front_end


@dataclass(frozen=True)
class Footprint:
    """Every figure of a model on one board.

    `flops` is None where only a .tflite is known. `instructions` is None where the time of an operator under TFLM is
    not known; then, and where the board's core or its power is not known, so are `latency_ms` and `energy_mj`. Both are
    estimates: `latency_error` and `energy_error` are relative (0.35: nine of ten true figures are expected within
    35 %). `ram_outside_bytes` is the interpreter, the operator resolver, the C library's data and the stack, and
    `front_end_ram_bytes` what makes the network's input of samples: 0 where the model has none (see FrontEnd).
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
    front_end_ram_bytes: int = 0

    @property
    def network_ram_bytes(self) -> int:
        """Bytes of RAM of the arena and what is beside it."""
        return self.arena_bytes + self.ram_outside_bytes

    @property
    def ram_bytes(self) -> int:
        """Bytes of RAM in all: of the network and of the front end."""
        return self.network_ram_bytes + self.front_end_ram_bytes

    def with_front_end(self, front_end: "FrontEnd | None") -> "Footprint":
        """The same with what stands before the network; as it is without."""
        if front_end is None:
            return self
        flash = replace(self.flash, front_end=front_end.flash_bytes)
        return replace(self, flash=flash, front_end_ram_bytes=front_end.ram_bytes)

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

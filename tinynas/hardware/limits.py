"""Limits on a model, and what breaks them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from math import isfinite
from typing import NamedTuple

from tinynas.errors import ModelError, UsageError
from tinynas.hardware.footprint import Footprint


class _Measure(NamedTuple):
    label: str
    unit: str
    used: Callable[[Footprint], float | None]
    error: Callable[[Footprint], float | None] = lambda footprint: None


_MEASURES: Mapping[str, _Measure] = {
    "params": _Measure("parameters", "", lambda f: f.params),
    "flops": _Measure("FLOPs", "", lambda f: f.flops),
    "macs": _Measure("MACs", "", lambda f: f.macs),
    "flash_bytes": _Measure("model file", " B", lambda f: f.flash.model),
    "ram_bytes": _Measure("arena", " B", lambda f: f.arena.minimum),
    "largest_tensor_bytes": _Measure("largest tensor", " B", lambda f: f.largest_tensor_bytes),
    "latency_ms": _Measure("latency", " ms", lambda f: f.latency_ms, lambda f: f.latency_error),
    "board_flash_bytes": _Measure("Flash with runtime", " B", lambda f: f.flash.total),
    "board_ram_bytes": _Measure("RAM with runtime", " B", lambda f: f.arena.minimum + f.ram_outside_bytes),
}


@dataclass(frozen=True)
class Violation:
    """A limit that is broken: its name in Limits, what the model uses and what is allowed.

    `error` is the relative error of what the model uses, where that is an estimate.
    """

    limit: str
    used: float
    allowed: float
    error: float | None = None

    @property
    def excess(self) -> float:
        """How far over, in the limit's unit."""
        return self.used - self.allowed

    @property
    def ratio(self) -> float:
        """Used over allowed; above 1."""
        return self.used / self.allowed

    def __str__(self) -> str:
        """One clause: "arena 101,232 B, limit 98,304 B (2,928 B over)"; an estimate says that it is one."""
        label, unit = _MEASURES[self.limit][:2]
        used, allowed, excess = (_number(value) for value in (self.used, self.allowed, self.excess))
        about = "" if self.error is None else f" (an estimate, +/- {100 * self.error:.0f} %)"
        return f"{label} {used}{unit}{about}, limit {allowed}{unit} ({excess}{unit} over)"


@dataclass(frozen=True)
class Limits:
    """Upper bounds, inclusive; None is no bound. UsageError for a bound that is not a finite number above 0.

    `flash_bytes` is about the .tflite file and `ram_bytes` about the smallest arena; `board_flash_bytes` adds TFLM's
    code, `board_ram_bytes` the interpreter, the resolver, the C library's data and the stack.
    """

    params: int | None = None
    flops: int | None = None
    macs: int | None = None
    flash_bytes: int | None = None
    ram_bytes: int | None = None
    largest_tensor_bytes: int | None = None
    latency_ms: float | None = None
    board_flash_bytes: int | None = None
    board_ram_bytes: int | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if value is not None and not (number and isfinite(value) and value > 0):
                raise UsageError(f"The limit {field.name} is {value!r}; wanted a number above 0, or None for no limit.")

    def violations(self, footprint: Footprint) -> tuple[Violation, ...]:
        """The limits that `footprint` breaks, in the order of the fields; () when it fits.

        ModelError when a limit is set and its figure is not known: what was not measured does not pass.
        """
        broken = []
        for name, measure in _MEASURES.items():
            allowed = getattr(self, name)
            if allowed is None:
                continue
            used = measure.used(footprint)
            if used is None or used != used:
                raise ModelError(
                    f"The limit {name} is {_number(allowed)}{measure.unit}, but the model's {measure.label} is not "
                    f"known here; leave the limit away, or use a board and a model for which it can be worked out."
                )
            if used > allowed:
                broken.append(Violation(name, used, allowed, measure.error(footprint)))
        return tuple(broken)


def _number(value: float) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"

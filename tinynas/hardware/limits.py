"""Limits on a model, and what breaks them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from math import isfinite
from typing import Literal

from tinynas.errors import ModelError, UsageError
from tinynas.hardware.footprint import Footprint
from tinynas.options import Option
from tinynas.options.option import LIMITS

Parts = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Measure:
    """A figure that may be limited, described once: Limits, verdict, shrinking, help and command all read it here.

    `label` is its name within a sentence and `unit` its unit, "" for a mere count. `resource` is what an architecture
    that is over the limit has to save. `used` is the figure of a footprint, None where it is not known, and `error` its
    relative error where it is an estimate. `option` is how the limit is said on the command line. `parts` are what the
    figure adds up to, by name, where that is more than the network's own.
    """

    label: str
    unit: str
    resource: Literal["flash", "ram", "compute"]
    used: Callable[[Footprint], float | None]
    option: Option
    error: Callable[[Footprint], float | None] = lambda footprint: None
    parts: Callable[[Footprint], Parts] = lambda footprint: ()

    @property
    def title(self) -> str:
        """The label as the head of a row."""
        return self.label[0].upper() + self.label[1:]

    def text(self, value: float) -> str:
        """A value with its unit: "101,232 B"."""
        return f"{_number(value)} {self.unit}".rstrip()


def _limit(name: str, option: str, help: str, kind: Literal["size", "number"] = "size") -> Option:
    metavar = "BYTES" if name.endswith("_bytes") else "MS" if name.endswith("_ms") else "N"
    return Option(name, help, kind, option=option, above=0, panel=LIMITS, metavar=metavar)


def _parts(network: int, front_end: int) -> Parts:
    return (("network", network), ("front end", front_end)) if front_end else ()


# One row for each field of Limits, in the same order.
MEASURES: Mapping[str, Measure] = {
    "params": Measure(
        "parameters", "", "flash", lambda f: f.params, _limit("params", "--max-params", "Parameters of the model.")
    ),
    "flops": Measure(
        "FLOPs",
        "",
        "compute",
        lambda f: f.flops,
        _limit("flops", "--max-flops", "Floating-point operations of one inference."),
    ),
    "macs": Measure(
        "MACs",
        "",
        "compute",
        lambda f: f.macs,
        _limit("macs", "--max-macs", "Multiply-accumulates of one inference, such as 2M."),
    ),
    "flash_bytes": Measure(
        "model file",
        "B",
        "flash",
        lambda f: f.flash_bytes,
        _limit("flash_bytes", "--max-flash", "Bytes of the model file (.tflite), such as 64000 or 64KiB."),
    ),
    "ram_bytes": Measure(
        "tensor arena",
        "B",
        "ram",
        lambda f: f.arena_bytes,
        _limit("ram_bytes", "--max-ram", "Bytes of the tensor arena, such as 20k or 20KiB."),
    ),
    "largest_tensor_bytes": Measure(
        "largest tensor",
        "B",
        "ram",
        lambda f: f.largest_tensor_bytes,
        _limit("largest_tensor_bytes", "--max-tensor", "Bytes of the largest tensor."),
    ),
    "latency_ms": Measure(
        "latency",
        "ms",
        "compute",
        lambda f: f.latency_ms,
        _limit("latency_ms", "--max-latency", "Milliseconds of one inference, as estimated for the board.", "number"),
        lambda f: f.latency_error,
    ),
    "board_flash_bytes": Measure(
        "Flash with TFLM",
        "B",
        "flash",
        lambda f: f.flash.total,
        _limit(
            "board_flash_bytes",
            "--max-flash-total",
            "Bytes of Flash in all: the model file, TFLM's code, and the C of features and stream.",
        ),
        parts=lambda f: _parts(f.flash.network, f.flash.front_end),
    ),
    "board_ram_bytes": Measure(
        "RAM with TFLM",
        "B",
        "ram",
        lambda f: f.ram_bytes,
        _limit(
            "board_ram_bytes",
            "--max-ram-total",
            "Bytes of RAM in all: the arena, TFLM's own data, the stack, and what features and stream keep.",
        ),
        parts=lambda f: _parts(f.network_ram_bytes, f.front_end_ram_bytes),
    ),
}


@dataclass(frozen=True)
class Violation:
    """A limit that is broken: its name in Limits, what the model uses and what is allowed.

    `error` is the relative error of what the model uses, where that is an estimate, and `parts` what it adds up to,
    where there is a front end.
    """

    limit: str
    used: float
    allowed: float
    error: float | None = None
    parts: Parts = ()

    @property
    def excess(self) -> float:
        """How far over, in the limit's unit."""
        return self.used - self.allowed

    @property
    def ratio(self) -> float:
        """Used over allowed; above 1."""
        return self.used / self.allowed

    def __str__(self) -> str:
        """One clause: "tensor arena 101,232 B, limit 98,304 B (2,928 B over)"; an estimate says that it is one."""
        measure = MEASURES[self.limit]
        used, allowed, excess = (measure.text(value) for value in (self.used, self.allowed, self.excess))
        about = "" if self.error is None else f" (an estimate, +/- {100 * self.error:.0f} %)"
        if self.parts:
            about += f" ({' + '.join(f'{name} {measure.text(size)}' for name, size in self.parts)})"
        return f"{measure.label} {used}{about}, limit {allowed} ({excess} over)"


@dataclass(frozen=True)
class Limits:
    """Upper bounds, inclusive; None is no bound. UsageError for a bound that is not a finite number above 0.

    `flash_bytes` is about the .tflite file and `ram_bytes` about the smallest arena; `board_flash_bytes` adds TFLM's
    code, `board_ram_bytes` the interpreter, the resolver, the C library's data and the stack, and both add the front
    end of a model of sound or of a series: features, ring and stream.
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
            if value is not None and MEASURES[field.name].option.kind == "size" and value % 1:
                raise UsageError(f"The limit {field.name} is {value!r}; wanted a whole number, since it counts.")

    def violations(self, footprint: Footprint) -> tuple[Violation, ...]:
        """The limits that `footprint` breaks, in the order of the fields; () when it fits.

        ModelError when a limit is set and its figure is not known: what was not measured does not pass.
        """
        broken = []
        for name, measure in MEASURES.items():
            allowed = getattr(self, name)
            if allowed is None:
                continue
            used = measure.used(footprint)
            if used is None or used != used:
                raise ModelError(
                    f"The limit {name} is {measure.text(allowed)}, but the model's {measure.label} is not "
                    f"known here; leave the limit out, or use a board and a model for which it can be worked out."
                )
            if used > allowed:
                broken.append(Violation(name, used, allowed, measure.error(footprint), measure.parts(footprint)))
        return tuple(broken)


def _number(value: float) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"

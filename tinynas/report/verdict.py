"""Whether the best model fits its board, and how much room it leaves: the memories in parts, each limit in turn."""

from dataclasses import dataclass

from tinynas.errors import TinynasError
from tinynas.hardware import MEASURES, Footprint, Limits, Target
from tinynas.hardware.limits import Measure
from tinynas.report.words import bytes_text, number


@dataclass(frozen=True)
class Part:
    """A stretch of a memory: what lies there, its bytes, its share of the whole, and a short name for its colour."""

    label: str
    bytes: int
    share: float
    kind: str


@dataclass(frozen=True)
class Memory:
    """Flash or RAM of the board, in parts that add up to `total` bytes; `free` is negative when it does not fit."""

    name: str
    total: int
    used: int
    free: int
    parts: tuple[Part, ...]

    @property
    def free_share(self) -> float:
        """What is left of the board's memory, a share of it."""
        return self.free / self.total


@dataclass(frozen=True)
class LimitRow:
    """A limit: what the model uses of it, both in words, and the share that is used (None where it is not known)."""

    label: str
    used: str
    allowed: str
    share: float | None


@dataclass(frozen=True)
class Verdict:
    """`fits` is None where a limit's figure is not known; `reasons` say what is broken or unknown."""

    fits: bool | None
    reasons: tuple[str, ...]
    memories: tuple[Memory, ...]
    limits: tuple[LimitRow, ...]


def verdict(footprint: Footprint, target: Target, limits: Limits) -> Verdict:
    """Return the verdict on a model with `footprint` on `target`, under `limits`."""
    fits: bool | None
    try:
        reasons = tuple(str(violation) for violation in limits.violations(footprint))
        fits = not reasons
    except TinynasError as error:
        fits, reasons = None, (str(error),)
    flash = _memory(
        "Flash",
        target.flash_bytes,
        ("model file", footprint.flash.model, "model"),
        ("TFLM’s code", footprint.flash.runtime, "runtime"),
        ("features and stream", footprint.flash.front_end, "front"),
        ("reserved", target.reserved_flash_bytes, "reserved"),
    )
    ram = _memory(
        "RAM",
        target.ram_bytes,
        ("tensor arena", footprint.arena_bytes, "model"),
        ("interpreter and stack", footprint.ram_outside_bytes, "runtime"),
        ("features and stream", footprint.front_end_ram_bytes, "front"),
        ("reserved", target.reserved_ram_bytes, "reserved"),
    )
    rows = (_limit(measure, getattr(limits, name), footprint) for name, measure in MEASURES.items())
    return Verdict(fits, reasons, (flash, ram), tuple(row for row in rows if row is not None))


def _memory(name: str, total: int, *parts: tuple[str, int, str]) -> Memory:
    used = sum(size for _, size, _ in parts)
    whole = max(total, used)  # one that does not fit is drawn beyond the board's end
    made = tuple(Part(label, size, size / whole, kind) for label, size, kind in parts if size)
    return Memory(name, total, used, total - used, made)


def _limit(measure: Measure, allowed: float | None, footprint: Footprint) -> LimitRow | None:
    if allowed is None:
        return None
    label = measure.title if measure.error(footprint) is None else f"{measure.title} (estimated)"
    used = measure.used(footprint)
    if used is None:
        return LimitRow(label, "not known", _text(allowed, measure.unit), None)
    return LimitRow(label, _text(used, measure.unit), _text(allowed, measure.unit), used / allowed)


def _text(value: float, unit: str) -> str:
    return bytes_text(int(value)) if unit == "B" else number(value) + (f" {unit}" if unit else "")

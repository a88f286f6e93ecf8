"""Whether the best model fits its board, and how much room it leaves: the memories in parts, each limit in turn."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

from tinynas.errors import TinynasError
from tinynas.hardware import Footprint, Limits, Target
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


_Figure = Callable[[Footprint], float | None]
_ROWS: Mapping[str, tuple[str, str, _Figure]] = {
    "params": ("Parameters", "", lambda f: f.params),
    "flops": ("FLOPs", "", lambda f: f.flops),
    "macs": ("MACs", "", lambda f: f.macs),
    "flash_bytes": ("Model file", "B", lambda f: f.flash_bytes),
    "ram_bytes": ("Tensor arena", "B", lambda f: f.arena_bytes),
    "largest_tensor_bytes": ("Largest tensor", "B", lambda f: f.largest_tensor_bytes),
    "latency_ms": ("Latency (estimated)", "ms", lambda f: f.latency_ms),
    "board_flash_bytes": ("Flash with TFLM", "B", lambda f: f.flash.total),
    "board_ram_bytes": ("RAM with TFLM", "B", lambda f: f.arena_bytes + f.ram_outside_bytes),
}


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
        ("reserved", target.reserved_flash_bytes, "reserved"),
    )
    ram = _memory(
        "RAM",
        target.ram_bytes,
        ("tensor arena", footprint.arena_bytes, "model"),
        ("interpreter and stack", footprint.ram_outside_bytes, "runtime"),
        ("reserved", target.reserved_ram_bytes, "reserved"),
    )
    rows = (_limit(name, getattr(limits, name), footprint) for name in (field.name for field in fields(limits)))
    return Verdict(fits, reasons, (flash, ram), tuple(row for row in rows if row is not None))


def _memory(name: str, total: int, *parts: tuple[str, int, str]) -> Memory:
    used = sum(size for _, size, _ in parts)
    whole = max(total, used)  # one that does not fit is drawn beyond the board's end
    made = tuple(Part(label, size, size / whole, kind) for label, size, kind in parts if size)
    return Memory(name, total, used, total - used, made)


def _limit(name: str, allowed: float | None, footprint: Footprint) -> LimitRow | None:
    if allowed is None or name not in _ROWS:
        return None
    label, unit, figure = _ROWS[name]
    used = figure(footprint)
    if used is None:
        return LimitRow(label, "not known", _text(allowed, unit), None)
    return LimitRow(label, _text(used, unit), _text(allowed, unit), used / allowed)


def _text(value: float, unit: str) -> str:
    return bytes_text(int(value)) if unit == "B" else number(value) + (f" {unit}" if unit else "")

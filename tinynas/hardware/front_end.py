"""What stands before the network on the device: features, the ring of the last frames or steps, and the stream.

RAM is that of the structures of the generated C, to the byte. Flash is the tables of constants, to the byte, and code
that was measured in linked programs; time is that of instructions which were counted on an emulated board and held
against the turns of the loops. tools/fit_front_end.py writes both into front_end.json, with their errors.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from math import hypot
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinynas.hardware.cores import CORES, WITHOUT_FPU
from tinynas.hardware.estimate import Estimate
from tinynas.hardware.front_counts import (
    Kind,
    features_bytes,
    kind_of,
    options_of,
    ring_bytes,
    stream_bytes,
    tables_bytes,
    turns_of_option,
    turns_of_push,
    turns_of_window,
)
from tinynas.hardware.runtime import OTHER_KERNELS_ERROR

if TYPE_CHECKING:
    from tinynas.features import Features
    from tinynas.features.stream import Stream
    from tinynas.hardware.target import Target

COSTS = Path(__file__).with_name("front_end.json")
_THUMB_2 = ("Cortex-M3", "Cortex-M4", "Cortex-M4F", "Cortex-M7", "Cortex-M33")


@dataclass(frozen=True)
class FrontEnd:
    """What features, ring and stream take of a board, in bytes and instructions.

    `kind`: "int_log_mel" or "log_mel" of sound, "spectral" or "steps" of a sensor. `tables_bytes` and `code_bytes` are
    Flash, the code with a relative error of `code_error`; it includes the stream's. `features_bytes` is RAM to make
    features in, `ring_bytes` that of the window's values, a byte each or two before "spectral", and `stream_bytes` that
    of the last results. `push_instructions` are those of a frame (or step), `window_instructions` those of a window
    and its result, with its features where these are "spectral", a window after `stride` frames;
    `instructions_error` is their relative error. `every_s` is the time from one frame or step to the next, None where
    it is not known. Times in ms are estimates with a relative error of `time_error`; None without a board, or where
    its core's speed is not known.
    """

    kind: Kind
    tables_bytes: int
    code_bytes: int
    code_error: float
    features_bytes: int
    ring_bytes: int
    stream_bytes: int
    push_instructions: int
    window_instructions: int
    stride: int
    every_s: float | None = None
    push_ms: float | None = None
    window_ms: float | None = None
    time_error: float | None = None

    @property
    def words(self) -> str:
        """What it is, for a person."""
        return "ring and stream" if self.kind == "steps" else "features, ring and stream"

    @property
    def flash_bytes(self) -> int:
        """Bytes of Flash in all."""
        return self.tables_bytes + self.code_bytes

    @property
    def ram_bytes(self) -> int:
        """Bytes of RAM in all."""
        return self.features_bytes + self.ring_bytes + self.stream_bytes

    @property
    def instructions(self) -> int:
        """Instructions from one window to the next, the network's left out."""
        return self.stride * self.push_instructions + self.window_instructions

    @property
    def instructions_a_second(self) -> float | None:
        """Instructions of a second of sound or of steps; None where the rate is not known."""
        return None if self.every_s is None else self.instructions / (self.stride * self.every_s)

    @property
    def answer_ms(self) -> float | None:
        """ms from the last sample of a window to its answer, the network's own left out."""
        return None if self.push_ms is None or self.window_ms is None else self.push_ms + self.window_ms

    def load(self, inference_ms: float | None) -> float | None:
        """The share of its time that the core is busy, with a network of `inference_ms`; None where it is not known."""
        if self.push_ms is None or self.window_ms is None or self.every_s is None or inference_ms is None:
            return None
        return (self.stride * self.push_ms + self.window_ms + inference_ms) / (1000 * self.stride * self.every_s)

    def figures(self, inference_ms: float | None) -> dict[str, Any]:
        """Plain values, ready for JSON, with the sums, and the load of the core beside such an inference."""
        sums = ("flash_bytes", "ram_bytes", "instructions", "instructions_a_second", "answer_ms")
        return {
            **asdict(self),
            **{name: getattr(self, name) for name in sums},
            "load": self.load(inference_ms),
        }


def front_end(
    features: Features | None, stream: Stream | None, target: Target | None = None, *, engine: bool = False
) -> FrontEnd | None:
    """What stands before a network with such `features` and such a `stream`, on `target`; None where nothing does.

    With TFLM, which computes with doubles itself, their library counts as TFLM's; it counts here for an `engine`.
    """
    if stream is None:
        return None
    kind, core = kind_of(features), _core_of(features, None if target is None else target.core)
    code, about = costs()["flash"], costs()["instructions"][core]
    options, window = options_of(features), about["spectral_window" if kind == "spectral" else "window"]
    n_push = _dot(about[kind]["costs"], turns_of_push(features, stream))
    if features is not None:
        n_push += sum(_dot(about[each]["costs"], turns_of_option(features)) for each in options)
    n_window = _dot(window["costs"], turns_of_window(features, stream))
    error = max(sum(about[each]["error"] for each in (kind, *options)), window["error"])
    code_error = sum(code[each]["error"] for each in (kind, *options))
    elsewhere = target is not None and target.core not in _THUMB_2
    times = [_time(n, error, target) for n in (n_push, n_window)]
    return FrontEnd(
        kind=kind,
        tables_bytes=tables_bytes(features, stream),
        code_bytes=sum(code[each]["code"] for each in (kind, *options)) + (code[kind]["doubles"] if engine else 0),
        code_error=hypot(code_error, OTHER_KERNELS_ERROR) if elsewhere else code_error,
        features_bytes=0 if features is None else features_bytes(features) - ring_bytes(features, stream),
        ring_bytes=ring_bytes(features, stream),
        stream_bytes=stream_bytes(features, stream),
        push_instructions=round(n_push),
        window_instructions=round(n_window),
        stride=stream.stride,
        every_s=stream.every_s,
        push_ms=None if times[0] is None else times[0].value,
        window_ms=None if times[1] is None else times[1].value,
        time_error=None if times[0] is None else times[0].error,
    )


@cache
def costs() -> Mapping[str, Any]:
    """What was measured."""
    found: Mapping[str, Any] = json.loads(COSTS.read_text(encoding="utf-8"))
    return found


def _core_of(features: Features | None, core: str | None) -> str:
    """The core whose instructions were counted that is nearest to `core`: steps and decibels are floating point."""
    if core == "Cortex-M0+":
        return core
    return "Cortex-M4" if core in WITHOUT_FPU and core != "Cortex-M4F" else "Cortex-M4F"


def _time(instructions: float, error: float, target: Target | None) -> Estimate | None:
    """ms of so many instructions; None where it is not known how fast the board's core is."""
    pace = None if target is None else CORES[target.core].pace.get(target.kernels)
    if target is None or pace is None:
        return None
    return Estimate(instructions * pace.cycles / target.clock_hz * 1000, hypot(error, pace.error))


def _dot(costs: list[float], turns: tuple[float, ...]) -> float:
    return sum(cost * turn for cost, turn in zip(costs, turns, strict=True))

"""What is taken from a capture: how many bytes of which layers, what is masked, when a session ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from tinynas.errors import UsageError

Layers = Literal["payload", "ip", "all"]
Masked = Literal["mac", "ip", "ports"]
LAYERS: tuple[Layers, ...] = get_args(Layers)
MASKS: tuple[Masked, ...] = get_args(Masked)
_DEFAULT_MASK: dict[Layers, tuple[Masked, ...]] = {"payload": (), "ip": ("ip",), "all": ("mac", "ip")}
_MOST_BYTES = 1 << 20


@dataclass(frozen=True)
class CaptureOptions:
    """How sessions become samples of `n_bytes` bytes.

    `layers`: "payload" is what TCP and UDP carry; "ip" every packet from its IP header on, "all" from its link header.
    `mask` zeroes header fields of "ip" and "all" (None: what identifies hosts): "mac" the link addresses and VLAN tags,
    "ip" the addresses, "ports" both ports; a checksum that covers a masked field is zeroed with it. A session ends
    when nothing came for `tcp_timeout_s` or `udp_timeout_s` seconds; of more than `max_open` open at once the longest
    idle ends. A class has about `test_fraction` of its samples in the test part, drawn by `seed`. UsageError for values
    that make no sense.
    """

    n_bytes: int = 784
    layers: Layers = "payload"
    mask: tuple[Masked, ...] | None = None
    tcp_timeout_s: float = 300.0
    udp_timeout_s: float = 60.0
    max_open: int = 1_000_000
    test_fraction: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        _check_whole("n_bytes", self.n_bytes, 1, _MOST_BYTES)
        _check_whole("max_open", self.max_open, 1, 1 << 40)
        _check_whole("seed", self.seed, 0, (1 << 31) - 1)
        if self.layers not in LAYERS:
            raise UsageError(f"layers is {self.layers!r}; choose payload, ip or all.")
        masks = _DEFAULT_MASK[self.layers] if self.mask is None else tuple(self.mask)
        for mask in masks:
            if mask not in MASKS:
                raise UsageError(f"mask holds {mask!r}; choose from mac, ip and ports.")
        if masks and self.layers == "payload":
            raise UsageError("mask is for headers, and layers is payload, which has none: choose layers ip or all.")
        object.__setattr__(self, "mask", tuple(mask for mask in MASKS if mask in masks))
        for name in ("tcp_timeout_s", "udp_timeout_s"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
                raise UsageError(f"{name} is {value!r}; a number of seconds above 0 is needed.")
        if not isinstance(self.test_fraction, int | float) or not 0 < self.test_fraction < 1:
            raise UsageError(f"test_fraction is {self.test_fraction!r}; a share between 0 and 1 is needed.")


def _check_whole(name: str, value: object, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise UsageError(f"{name} is {value!r}; a whole number from {least:,} to {most:,} is needed.")

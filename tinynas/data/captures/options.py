"""What is taken from a capture: how many bytes of which layers, what is masked, when a session ends."""

from __future__ import annotations

from dataclasses import dataclass, fields

from tinynas.errors import UsageError
from tinynas.options.captures import CAPTURES, DEFAULT_MASK, MASKS, Layers, Masked


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

    n_bytes: int = CAPTURES["n_bytes"].default
    layers: Layers = CAPTURES["layers"].default
    mask: tuple[Masked, ...] | None = CAPTURES["mask"].default
    tcp_timeout_s: float = CAPTURES["tcp_timeout_s"].default
    udp_timeout_s: float = CAPTURES["udp_timeout_s"].default
    max_open: int = CAPTURES["max_open"].default
    test_fraction: float = CAPTURES["test_fraction"].default
    seed: int = CAPTURES["seed"].default

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self)):
            row, value = CAPTURES[name], getattr(self, name)
            number = isinstance(value, int if row.kind == "whole" else int | float) and not isinstance(value, bool)
            if row.kind != "names" and not ((number or row.kind == "choice") and row.holds(value)):
                raise UsageError(f"{name} is {value!r}; wanted {row.wanted}.")
        if self.mask is not None and not isinstance(self.mask, list | tuple):
            raise UsageError(f"mask is {self.mask!r}; wanted a tuple of names out of {', '.join(MASKS)}.")
        masks = DEFAULT_MASK[self.layers] if self.mask is None else tuple(self.mask)
        for mask in masks:
            if mask not in MASKS:
                raise UsageError(f"mask holds {mask!r}; choose from mac, ip and ports.")
        if masks and self.layers == "payload":
            raise UsageError("mask is for headers, and layers is payload, which has none: choose layers ip or all.")
        object.__setattr__(self, "mask", tuple(mask for mask in MASKS if mask in masks))

"""What `tinynas data from-pcap` and CaptureOptions may be told, each thing described once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from tinynas.options.option import FIRST, Option, one_of

Layers = Literal["payload", "ip", "all"]
Masked = Literal["mac", "ip", "ports"]
LAYERS: tuple[Layers, ...] = get_args(Layers)
MASKS: tuple[Masked, ...] = get_args(Masked)
DEFAULT_MASK: Mapping[Layers, tuple[Masked, ...]] = {"payload": (), "ip": ("ip",), "all": ("mac", "ip")}

_SAYS_MASK = ", ".join(f"{','.join(mask)} with --layers {layers}" for layers, mask in DEFAULT_MASK.items() if mask)
_ROWS = (
    Option(
        "n_bytes", "How many bytes from the start of a session to "
        "take.", "whole", 784, option="--bytes", least=1, most=1 << 20,
        panel=FIRST,
    ),
    Option(
        "layers",
        "Which bytes: payload (what TCP and UDP carry), ip (from the IP header on) or all (from the link header on).",
        "choice",
        "payload",
        choices=LAYERS,
        panel=FIRST,
    ),
    Option(
        "mask",
        f"What to set to zero in the headers, as a comma list: {one_of(MASKS, 'and')}; or none.",
        "names",
        None,
        _SAYS_MASK,
        choices=(*MASKS, "none"),
        panel=FIRST,
    ),
    Option(
        "tcp_timeout_s", "Seconds without a packet that end a TCP session.", "number", 300.0, option="--tcp-timeout",
        above=0, panel=FIRST,
    ),
    Option(
        "udp_timeout_s", "Seconds without a packet that end a UDP session.", "number", 60.0, option="--udp-timeout",
        above=0, panel=FIRST,
    ),
    Option(
        "max_open", "The most sessions that may be open at "
        "once.", "whole", 1_000_000, option=None, least=1, most=1 << 40,
        panel=FIRST,
    ),
    Option(
        "test_fraction", "The share of the samples of a class that go to the test part.", "number", 0.2, above=0,
        below=1, panel=FIRST,
    ),
    Option("seed", "The seed that draws the test part.", "whole", 0, least=0, most=(1 << 31) - 1, panel=FIRST),
)  # fmt: skip
CAPTURES: Mapping[str, Option] = {row.name: row for row in _ROWS}

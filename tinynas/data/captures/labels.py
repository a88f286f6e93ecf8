"""The labels of captures: a CSV whose rows name capture files by a pattern and, if need be, the sessions in them."""

from __future__ import annotations

import csv
import heapq
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from tinynas.data.captures.packets import TCP, UDP
from tinynas.data.captures.sessions import Session
from tinynas.errors import DataError
from tinynas.words import known

_NEEDED = ("capture", "label")
_OPTIONAL = ("protocol", "src", "src_port", "dst", "dst_port")
_PROTOCOLS = {"tcp": TCP, "udp": UDP, "6": TCP, "17": UDP}

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_End = tuple[_Network | None, int | None]


@dataclass(frozen=True)
class Row:
    """One row: a pattern of capture names, the label, and what a session must be (None: anything)."""

    line: int
    capture: str
    label: str
    protocol: int | None
    ends: tuple[_End, _End]

    def matches(self, session: Session) -> bool:
        """Whether the session is one that the row means, whichever end is named first."""
        if self.protocol not in (None, session.protocol):
            return False
        (one, other), (first, second) = self.ends, (session.source, session.destination)
        return (_is(one, first) and _is(other, second)) or (_is(one, second) and _is(other, first))


class Matcher:
    """Rows in their order, asked for the first that matches a session; those with both ends in full are looked up."""

    def __init__(self, rows: Sequence[Row]) -> None:
        """Sort the rows into those that one pair of ends matches and the others."""
        self.rows = tuple(rows)
        self._exact: dict[frozenset[bytes], list[int]] = {}
        self._others: list[int] = []
        for place, row in enumerate(rows):
            ends = [_whole(end) for end in row.ends]
            known = [end for end in ends if end is not None]
            (self._exact.setdefault(frozenset(known), []) if len(known) == 2 else self._others).append(place)

    def first(self, session: Session) -> Row | None:
        """The first row that matches the session."""
        exact = self._exact.get(frozenset((session.source, session.destination)), ())
        places = heapq.merge(exact, self._others)
        return next((self.rows[place] for place in places if self.rows[place].matches(session)), None)


@dataclass(frozen=True)
class Labels:
    """The rows of a labels file, in its order: the first that matches a session labels it."""

    path: Path
    rows: tuple[Row, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels, in the order of their first row."""
        return tuple(dict.fromkeys(row.label for row in self.rows))

    def of(self, capture: Path) -> Matcher:
        """The rows that name the capture, ready to be asked."""
        named = {pattern for pattern in {row.capture for row in self.rows} if _names(pattern, capture)}
        return Matcher(tuple(row for row in self.rows if row.capture in named))

    def check(self, captures: Sequence[Path]) -> None:
        """DataError for a row that names none of the captures: most likely it is misspelt."""
        first = {row.capture: row for row in reversed(self.rows)}
        for pattern, row in first.items():
            if not any(_names(pattern, capture) for capture in captures):
                raise DataError(
                    f"{self.path}, line {row.line}: no capture is called {row.capture!r}; "
                    f"the captures are {_some([path.name for path in captures])}."
                )


def read_labels(path: Path) -> Labels:
    """The rows of a CSV with a header: `capture` and `label`, and where sessions of one capture differ `protocol`
    (tcp or udp), `src`, `src_port`, `dst`, `dst_port`; an address may be a network, an empty cell means any.

    DataError names the line of what makes no sense.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restkey="", strict=True)
            names = [name.strip() for name in reader.fieldnames or ()]
            reader.fieldnames = names
            _check_header(path, names)
            rows = tuple(_row(path, reader.line_num, cells) for cells in reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: cannot be read as CSV ({reason}).") from error
    if not rows:
        raise DataError(f"{path}: holds no rows; wanted a capture's name and its label in each.")
    return Labels(path, rows)


def _check_header(path: Path, names: Sequence[str]) -> None:
    for name in _NEEDED:
        if name not in names:
            raise DataError(
                f"{path}: the first line has no column {name!r}; wanted capture,label (it has {_some(names)})."
            )
    for name in names:
        if name not in _NEEDED + _OPTIONAL:
            raise DataError(f"{path}: unknown column {name!r} ({known(name, _NEEDED + _OPTIONAL)}).")
    if len(set(names)) < len(names):
        raise DataError(f"{path}: a column occurs twice in {', '.join(names)}.")


def _row(path: Path, line: int, cells: dict[str, str | None]) -> Row:
    where = f"{path}, line {line}"
    if "" in cells:
        raise DataError(f"{where}: has more cells than the first line has columns.")
    have = {name: (value or "").strip() for name, value in cells.items()}
    for name in _NEEDED:
        if not have[name]:
            raise DataError(f"{where}: {name} is empty.")
    protocol = have.get("protocol", "").lower()
    if protocol and protocol not in _PROTOCOLS:
        raise DataError(f"{where}: protocol is {protocol!r}, wanted tcp or udp.")
    ends = tuple(
        (_network(have.get(end, ""), where), _port(have.get(f"{end}_port", ""), where)) for end in ("src", "dst")
    )
    return Row(line, have["capture"], have["label"], _PROTOCOLS.get(protocol), (ends[0], ends[1]))


def _network(text: str, where: str) -> _Network | None:
    try:
        return ipaddress.ip_network(text, strict=False) if text else None
    except ValueError as error:
        raise DataError(f"{where}: {text!r} is neither an IP address nor a network such as 10.0.0.0/8.") from error


def _port(text: str, where: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or int(text[:6]) > 65535:
        raise DataError(f"{where}: port is {text!r}, wanted a number up to 65535.")
    return int(text)


def _names(pattern: str, capture: Path) -> bool:
    """Whether a pattern names a capture: its name, or as much of its path as the pattern has; .gz or not."""
    plain = capture.with_suffix("") if capture.suffix == ".gz" else capture
    return any(PurePath(path).match(pattern) for path in (capture, plain))


def _whole(end: _End) -> bytes | None:
    """An end as sessions have it, when it is one address and one port."""
    network, port = end
    if network is None or port is None or network.num_addresses > 1:
        return None
    return network.network_address.packed + port.to_bytes(2, "big")


def _is(wanted: _End, have: bytes) -> bool:
    """Whether an end of a session (address and port) is the one that is wanted."""
    network, port = wanted
    if port is not None and port != int.from_bytes(have[-2:], "big"):
        return False
    return network is None or ipaddress.ip_address(have[:-2]) in network


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "") or "none"

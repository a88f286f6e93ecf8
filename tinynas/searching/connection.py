"""The connection of this process to a cluster of Ray, and what the cluster has."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tinynas.errors import RunError, UsageError

AUTO = "auto"  # the cluster that this machine is a node of
LOCAL = "local"  # a cluster of this machine alone
_PORT = 6379  # of a head, where none is named
_REACH_S = 5.0  # for a head to take a connection
_ANSWER_S = 8  # and for what takes it to answer as a head does
_ONCE = "RAY_gcs_server_port_wait_time_s"  # how often Ray tries to join a cluster: 20 times without it

_came = False  # whether this process is connected to a cluster by `connect`: who came leaves again


@dataclass(frozen=True)
class Nodes:
    """The CPUs of a cluster: of all its nodes, of the largest and of the smallest that has one."""

    cpus: int
    largest: int
    smallest: int


def connect(address: str | None = None) -> Nodes:
    """Connect this process to the cluster at `address`, if it is connected to none; return what the cluster has now.

    UsageError where Ray is not installed, RunError where no cluster answers.
    """
    global _came
    ray = library()
    address = address or AUTO
    if not ray.is_initialized():
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # of the cluster that "local" starts
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # as Ray does from 3.0, and says otherwise
        if address == AUTO:
            address = os.environ.get("RAY_ADDRESS") or AUTO
        host = address if address in (AUTO, LOCAL) or ":" in address else f"{address}:{_PORT}"
        try:
            _reach(host)
            with _tried_once(host):
                ray.init(address=host, log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, OSError, RuntimeError, ValueError) as error:
            said = " ".join(str(getattr(error, "strerror", None) or error).split())[:200]
            raise RunError(
                f"No Ray cluster answers at {address} ({said}); start one with ray start --head, or name the host of "
                f"one with --address (docs/cluster.md)."
            ) from error
        _came = True
    return nodes()


def leave() -> None:
    """Undo `connect`; a connection that was there before it stays."""
    global _came
    if _came:
        library().shutdown()
        _came = False


def _reach(host: str) -> None:
    """Raise OSError or ValueError where nothing takes a connection at `host`: Ray tries for a quarter of an hour."""
    if host in (AUTO, LOCAL):
        return
    if "://" in host:
        raise ValueError("HOST or HOST:PORT was wanted")
    parts = urlsplit(f"//{host}")
    name = parts.hostname or ""
    if name in ("localhost", "127.0.0.1", "::1"):
        name = library().util.get_node_ip_address()  # where Ray looks then
    socket.create_connection((name, parts.port or _PORT), timeout=_REACH_S).close()


@contextmanager
def _tried_once(host: str) -> Iterator[None]:
    """Let Ray try once to join a cluster that runs; one that it starts itself has its time."""
    if host == LOCAL or _ONCE in os.environ:
        yield
        return
    os.environ[_ONCE] = "1"
    try:
        yield
    finally:
        del os.environ[_ONCE]


def library() -> Any:
    """Return the package; UsageError where it is not installed."""
    os.environ.setdefault("RAY_py_gcs_connect_timeout_s", str(_ANSWER_S))  # read when Ray is imported
    try:
        import ray
    except ImportError as error:
        raise UsageError(
            f"executor ray needs Ray, which cannot be imported ({error}): pip install 'tinynas[ray]'."
        ) from error
    return ray


def nodes() -> Nodes:
    """Return what the cluster has now."""
    cpus = [int(each["Resources"].get("CPU", 0)) for each in library().nodes() if each["Alive"]]
    cpus = [each for each in cpus if each] or [1]  # a head without any waits for nodes
    return Nodes(sum(cpus), max(cpus), min(cpus))

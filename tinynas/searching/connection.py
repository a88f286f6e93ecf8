"""The connection of this process to a cluster of Ray, and what the cluster has."""

import os
from dataclasses import dataclass
from typing import Any

from tinynas.errors import RunError, UsageError

AUTO = "auto"  # the cluster that this machine is a node of
_PORT = 6379  # of a head, where none is named

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
        host = address if address in (AUTO, "local") or ":" in address else f"{address}:{_PORT}"
        try:
            ray.init(address=host, log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, OSError, RuntimeError, ValueError) as error:
            said = " ".join(str(error).split())[:200]
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


def library() -> Any:
    """Return the package; UsageError where it is not installed."""
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

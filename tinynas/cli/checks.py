"""What `tinynas doctor` looks at: Python, the packages, the machine and the tools, without importing TensorFlow."""

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tinynas.version import __version__

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

State = Literal["ok", "missing", "absent", "fact"]
# Tool or file -> (what it is for, the line that installs it).
_TOOLS = {
    "arm-none-eabi-gcc": ("compiles firmware", "apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi"),
    "chromium": ("shows reports, and tests them", "apt-get install chromium"),
    "tcpdump": ("captures traffic for tinynas data from-pcap", "apt-get install tcpdump"),
    "/usr/share/datasets/fashion-mnist": ("Fashion-MNIST", "apt-get install dataset-fashion-mnist"),
}
_WITHOUT = {"tflite-micro": "optional: convert runs the file in TFLM with it"}
_FLAGS = ("avx", "avx2", "avx512f", "avx512_bf16", "amx_bf16")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: "ok", "missing" (and needed), "absent" (and optional) or a "fact" of the machine.

    `install` is the line that installs what is not there.
    """

    name: str
    state: State
    found: str
    install: str | None = None


def checks() -> tuple[Check, ...]:
    """Return all checks, in the order in which they are shown."""
    return (*_packages(), *_machine(), *_tools())


def _packages() -> Iterator[Check]:
    """Yield Python, tinynas, and each package that its metadata asks for."""
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

    version = platform.python_version()
    try:
        about = metadata.metadata("tinynas")
    except metadata.PackageNotFoundError:
        yield Check("python", "ok", version)
        yield Check(
            "tinynas", "missing", f"{__version__}, but not installed: what it needs is not known", "pip install ."
        )
        return
    wanted = about["Requires-Python"] or ""
    fits = SpecifierSet(wanted).contains(version, prereleases=True)
    yield Check("python", "ok" if fits else "missing", version if fits else f"{version}, wanted {wanted}")
    yield Check("tinynas", "ok", __version__)
    for text in metadata.requires("tinynas") or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield _package(requirement.name, requirement.specifier)
        elif requirement.name in _WITHOUT:
            yield Check(requirement.name, "absent", f"there is none for {sys.platform} on {platform.machine()}")


def _package(name: str, wanted: "SpecifierSet") -> Check:
    """Whether a package is installed in a version that is wanted, by its metadata alone."""
    state: State = "absent" if name in _WITHOUT else "missing"
    install = f"pip install '{name}{wanted}'"
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Check(name, state, _WITHOUT.get(name, "not installed"), install)
    if not wanted.contains(version, prereleases=True):
        return Check(name, state, f"{version}, wanted {wanted}", install)
    return Check(name, "ok", version)


def _machine() -> Iterator[Check]:
    """Yield processors, memory and the processor's instructions."""
    there = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else there
    yield Check("processors", "fact", f"{usable} of {there} may be used{_quota()}")
    memory = _read("/proc/meminfo")
    kib = {line.split(":")[0]: int(line.split()[1]) for line in memory.splitlines() if line.endswith(" kB")}
    if {"MemTotal", "MemAvailable"} <= set(kib):
        total, free = kib["MemTotal"] / 1024**2, kib["MemAvailable"] / 1024**2
        yield Check("memory", "fact", f"{total:.1f} GiB, {free:.1f} GiB of it free{_memory_limit()}")
    flags = next((line.split() for line in _read("/proc/cpuinfo").splitlines() if line.startswith("flags")), [])
    if flags:
        have = " ".join(flag for flag in _FLAGS if flag in flags) or "none of " + " ".join(_FLAGS)
        # TensorFlow's wheels for x86-64 are built with AVX.
        yield Check(
            "instructions", "fact" if "avx" in flags else "missing", have + ("" if "avx" in flags else ", wanted avx")
        )


def _quota() -> str:
    """The share of processors that the control group allows, in words; nothing without a limit."""
    quota = _read("/sys/fs/cgroup/cpu.max").split()
    if len(quota) == 2 and quota[0].isdigit() and quota[1].isdigit() and int(quota[1]):
        return f", for {int(quota[0]) / int(quota[1]):.2g} processors' time"
    return ""


def _memory_limit() -> str:
    limit = _read("/sys/fs/cgroup/memory.max").strip()
    return f", limited to {int(limit) / 1024**3:.1f} GiB" if limit.isdigit() else ""


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _tools() -> Iterator[Check]:
    for tool, (purpose, install) in _TOOLS.items():
        where = tool if Path(tool).is_absolute() and Path(tool).exists() else shutil.which(tool)
        name = Path(tool).name
        yield Check(name, "ok", where) if where else Check(name, "absent", f"optional: {purpose}", install)

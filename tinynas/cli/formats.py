"""How values are shown to people, and how people write them."""

import re

from tinynas.errors import UsageError

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
_SIZES = {"": 1, "b": 1, "k": 1000, "kb": 1000, "kib": 1024, "m": 10**6, "mb": 10**6, "mib": 1024**2}


def parse_duration(text: str) -> float:
    """Return the seconds that "90", "90s", "20m", "1.5h" or "1h30m" means."""
    parts = re.findall(r"(\d+(?:\.\d+)?)([smh]?)", text.strip().lower())
    if not parts or "".join(number + unit for number, unit in parts) != text.strip().lower():
        raise UsageError(f"The time budget {text!r} is not a time: write 90s, 20m, 1.5h or 1h30m.")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if not 0 < seconds <= 30 * 86400:
        raise UsageError(f"The time budget {text!r} is not between a second and thirty days: give a minute or more.")
    return seconds


def parse_size(text: str, name: str) -> int:
    """Return the number that "64000", "64k", "64KiB" or "1M" means (k is 1000, KiB is 1024)."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip().lower())
    if match is None or match[2] not in _SIZES:
        raise UsageError(f"{name} is {text!r}; write a whole number, or one with k, KiB, M or MiB.")
    if len(match[1]) > 15:
        raise UsageError(f"{name} is {text[:20]}…, which is more than any board has; leave it out for no limit.")
    return int(float(match[1]) * _SIZES[match[2]])


def parse_reshape(text: str) -> tuple[int, ...]:
    """Return the axes that "784,1" or "28x28x1" names."""
    try:
        axes = tuple(int(part) for part in re.split(r"[,x]", text.strip().lower()))
    except ValueError as error:
        raise UsageError(f"--reshape is {text!r}; write the axes as 784,1 or 28,28,1.") from error
    if not axes or min(axes) < 1:
        raise UsageError(f"--reshape is {text!r}; every axis must be 1 or more.")
    return axes


def parse_names(text: str) -> tuple[str, ...]:
    """Return the names of a comma list: "accuracy, ram" is ("accuracy", "ram")."""
    return tuple(name.strip() for name in text.split(","))


def parse_range(text: str) -> tuple[float, float]:
    """Return the two numbers that "0,255" or "-1,1" names."""
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(f"--input-range is {text!r}; write two numbers as 0,255 or -1,1.") from error
    return low, high


def size(value: int | None) -> str:
    """Return bytes or counts with separators: 101,232."""
    return "-" if value is None else f"{value:,}"


def among(front_end_bytes: int) -> str:
    """Return the end of a sentence on a sum: what of it stands before the network; nothing where nothing does."""
    return f", features and stream {size(front_end_bytes)} B of it" if front_end_bytes else ""


def duration(seconds: float) -> str:
    """Return 42s, 3m 20s or 1h 05m."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02d}m"


def share(value: float) -> str:
    """Return a share in [0, 1] as a percentage with two decimals."""
    return f"{100 * value:.2f} %"

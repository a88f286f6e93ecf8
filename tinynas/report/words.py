"""How a page says numbers: bytes to the byte, shares in per cent, times in the units that people use.

No line breaks between a number and its unit.
"""

from datetime import datetime

_GAP = "\N{NO-BREAK SPACE}"


def number(value: float | None) -> str:
    """Return 16,546 for a whole number, three digits for another, a dash for None."""
    if value is None:
        return "–"
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def bytes_text(value: int | None) -> str:
    """Return 8,544 B: to the byte, since that is what fits or does not."""
    return "–" if value is None else f"{value:,}{_GAP}B"


def kib(value: float) -> str:
    """Return 8.3 KiB or 512 KiB: for a glance."""
    size = value / 1024
    return f"{size:,.0f}{_GAP}KiB" if size >= 100 else f"{size:.3g}{_GAP}KiB"


def percent(value: float | None, digits: int = 2) -> str:
    """Return 98.47 % for 0.9847."""
    return "–" if value is None else f"{100 * value:.{digits}f}{_GAP}%"


def millis(value: float | None) -> str:
    """Return 12.2 ms."""
    return "–" if value is None else f"{value:.3g}{_GAP}ms" if value < 1000 else f"{value:,.0f}{_GAP}ms"


def duration(seconds: float) -> str:
    """Return 42 s, 3 min 20 s, 1 h 05 min or 2 d 3 h."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}{_GAP}s"
    if whole < 3600:
        return f"{whole // 60}{_GAP}min {whole % 60:02d}{_GAP}s"
    if whole < 86400:
        return f"{whole // 3600}{_GAP}h {whole % 3600 // 60:02d}{_GAP}min"
    return f"{whole // 86400}{_GAP}d {whole % 86400 // 3600}{_GAP}h"


def moment(when: datetime) -> str:
    """Return 2026-11-24 14:05."""
    return f"{when:%Y-%m-%d %H:%M}"


def shape_text(shape: tuple[int, ...]) -> str:
    """Return 8 × 8 × 16."""
    return f"{_GAP}×{_GAP}".join(map(str, shape))

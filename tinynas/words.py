"""Small pieces of sentences: a count with its noun, a length of time, names as a list, the nearest name."""

from collections.abc import Iterable


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a count with its noun: "1 trial", "1,200 trials"; `plural` where that is not made with an s."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def minutes(seconds: float) -> str:
    """Return a length of time as people say it: "45 s", "14 min"."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:,.0f} min"


def one_of(names: Iterable[str], last: str = "or") -> str:
    """Return names as a list in words: "a, b or c"."""
    *others, end = names
    return f"{', '.join(others)} {last} {end}" if others else end


def known(name: object, names: Iterable[str]) -> str:
    """Return what a sentence about an unknown name says in brackets: all `names`, and the nearest of them."""
    from difflib import get_close_matches

    listed = sorted(names)
    near = get_close_matches(str(name).lower(), listed, n=1)
    return f"known: {', '.join(listed)}{f'; did you mean {near[0]}?' if near else ''}"


def within(steps: int) -> str:
    """Return how far two int8 outputs agree: "exactly", "within 1 int8 step", "within 3 int8 steps"."""
    return f"within {counted(steps, 'int8 step')}" if steps else "exactly"


def between(least: int, most: int) -> str:
    """Return a range of counts: "20 to 1,200", or "48" where both are the same."""
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"

"""How early a generation is proposed: before all earlier ones are told, so that no worker waits for their longest.

A generation is proposed from those before it but for the newest of them, up to a quarter of all; where generations are
for many workers, two at least but never the first. What is told by then follows from its number alone, and so does the
journal, whatever trains and how many. At worst a long search is as good as one of three quarters of its trials. Without
this, eight workers with eight children a generation are idle for two thirds of their time (`tools/simulate_scale.py`).
"""

from dataclasses import dataclass

from tinynas.runs import Journal

_SHARE, _LEAST = "ahead", "ahead_least"  # facts of a run's journal: what an earlier version began goes on without
WIDE = 32  # children a generation: with fewer, a short search loses more by it than its workers wait


@dataclass(frozen=True)
class Ahead:
    """Which generations are told when another is proposed.

    Of all generations the newest 1 / `share` need not be, and as many as `least` of them where that is more, but for
    the very first (`share` 0: all are told). Those before `first`, the first one of the part of the search that goes
    on, have ended.
    """

    share: int
    first: int
    least: int = 0

    @classmethod
    def of(cls, journal: Journal, first: int, n_children: int) -> "Ahead":
        """Return what the journal says, for generations of `n_children`."""
        share, least = (max(0, int(journal.fact(name, 0.0))) for name in (_SHARE, _LEAST))
        return cls(share, first, least if n_children >= WIDE else 0)

    def told(self, generation: int) -> int:
        """Return the generation before which all are told when `generation` is proposed; never less for a later one."""
        untold = max(generation // self.share, min(self.least, generation - 1)) if self.share else 0
        return max(self.first, generation - untold)

"""How early a generation is proposed: before all earlier ones are told, so that no worker waits for their longest.

A generation is proposed from those before it but for the newest of them, up to a quarter of all. What is told by then
follows from its number alone, and so does the journal, whatever trains and how many. At worst a search is as good as
one of three quarters of its trials. Without this, eight workers with eight children a generation are idle for two
thirds of their time (`tools/simulate_scale.py`).
"""

from dataclasses import dataclass

from tinynas.runs import Journal

_FACT = "ahead"  # of a run's journal: the share; what an earlier version began goes on without


@dataclass(frozen=True)
class Ahead:
    """Which generations are told when another is proposed.

    Of all generations the newest 1 / `share` need not be (0: all are). Those before `first`, the first one of the part
    of the search that goes on, have ended.
    """

    share: int
    first: int

    @classmethod
    def of(cls, journal: Journal, first: int) -> "Ahead":
        """Return what the journal says."""
        return cls(max(0, int(journal.fact(_FACT, 0.0))), first)

    def told(self, generation: int) -> int:
        """Return the generation before which all are told when `generation` is proposed; never less for a later one."""
        return max(self.first, generation - (generation // self.share if self.share else 0))

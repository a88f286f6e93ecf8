"""A figure that was not measured on this board, and how far off it may be."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """`value` with a relative `error`: nine of ten true figures are expected in value * (1 ± error).

    The unit is that of the function which returns it (bytes, ms, mJ). `source` says what the error rests on.
    """

    value: float
    error: float
    source: str = ""

    @property
    def low(self) -> float:
        """The lower end of the range."""
        return self.value * max(1.0 - self.error, 0.0)

    @property
    def high(self) -> float:
        """The upper end of the range."""
        return self.value * (1.0 + self.error)

"""The learning curve of the final training, as the points of a line in an SVG."""

from dataclasses import dataclass
from math import isfinite
from typing import Any

WIDTH, HEIGHT = 640, 160
"""The box of the line, in the units of the SVG."""


@dataclass(frozen=True)
class Curve:
    """`points` are "x,y" pairs of a polyline from the first epoch to the last, the highest loss at the top."""

    points: str
    first: float
    last: float
    least: float
    most: float
    epochs: int


def curve_of(losses: Any) -> Curve | None:
    """Return the curve of the mean training losses of the epochs; None where these are not two numbers or more."""
    if not isinstance(losses, list) or len(losses) < 2:
        return None
    if not all(isinstance(loss, int | float) and isfinite(loss) for loss in losses):
        return None
    least, most = min(losses), max(losses)
    span = most - least or 1.0
    points = (
        f"{WIDTH * place / (len(losses) - 1):.1f},{HEIGHT * (most - loss) / span:.1f}"
        for place, loss in enumerate(losses)
    )
    return Curve(" ".join(points), losses[0], losses[-1], least, most, len(losses))

"""Does a training still gain anything? Told by its loss on samples that are held out."""

from dataclasses import dataclass, field
from statistics import mean

_CHECKS = 100  # in the planned length of a training
_SMOOTHED = 3  # so many losses are averaged: few samples are held out, and one loss says little
_LATEST = 0.2  # of the plan: if the loss was not lower for so long, it falls no longer


@dataclass
class Falling:
    """The held-out losses of a training of `planned` epochs, told as it goes.

    The first half of the plan is not judged: while the learning rate is high the loss rises and falls as it likes.
    """

    planned: int
    _losses: list[tuple[int, float]] = field(default_factory=list)

    def is_due(self, epoch: int) -> bool:
        """Return whether the loss is wanted after so many epochs."""
        return epoch % max(1, self.planned // _CHECKS) == 0

    def tell(self, epoch: int, loss: float) -> None:
        """Take note of the loss after `epoch` epochs."""
        self._losses.append((epoch, loss))

    @property
    def is_over(self) -> bool:
        """Whether the loss, smoothed, has not been lower than before for a fifth of the plan."""
        if not self._losses or self._losses[-1][0] < self.planned / 2:
            return False
        smoothed = [
            (epoch, mean(loss for _, loss in self._losses[max(0, at - _SMOOTHED + 1) : at + 1]))
            for at, (epoch, _) in enumerate(self._losses)
        ]
        lowest = min(smoothed, key=lambda entry: entry[1])[0]
        return smoothed[-1][0] - lowest >= self.planned * _LATEST

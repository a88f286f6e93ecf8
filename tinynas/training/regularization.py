"""How a network is kept from learning its samples by heart: strengths, of which the search of a small set chooses."""

from dataclasses import dataclass, replace

from tinynas.training.augment import Augmentation, augmentation_for

STRENGTHS = ("usual", "slight", "strong")

_DECAY, _STRONG_DECAY = 1e-3, 5e-2


@dataclass(frozen=True)
class Regularization:
    """What is done to the samples, the weight decay, and the range of the dropout (None: the architecture's own)."""

    augmentation: Augmentation
    weight_decay: float = _DECAY
    dropout: tuple[float, float] | None = None


def regularization(
    strength: str, layout: str, chosen: str = "auto", detail: float | None = None, level: float = 0.0
) -> Regularization:
    """Return what `strength` stands for on data of `layout`; `chosen` and `detail` are those of `augmentation_for`.

    "" is what searches had before there were strengths: "usual", but for the noise of series, which heeded no detail.
    An augmentation that was chosen by name is kept at every strength. `level` is that of sound, 0 for other data.
    """
    if not strength:
        return Regularization(augmentation_for(layout, chosen))
    usual = augmentation_for(layout, chosen, detail)
    if chosen == "auto":
        usual = replace(usual, level=level)
    if strength == "usual":
        return Regularization(usual)
    if strength == "slight":
        return Regularization(Augmentation() if chosen == "auto" else usual, dropout=(0.0, 0.0))
    if chosen == "auto" and layout == "image":
        usual = replace(usual, shift=0.12, scale=0.1)
    elif chosen == "auto":
        usual = replace(usual, scale=0.2)  # not warped: where each step counts, that takes the class away
    return Regularization(usual, _STRONG_DECAY, (0.0, 0.2))

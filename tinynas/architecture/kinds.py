"""The kinds of block, a row each: the convolutions that a block is made of. All else about a kind follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal, get_args

from tinynas.architecture import checks
from tinynas.errors import ArchitectureError

Convolution = Literal["conv", "depthwise"]
Width = Literal["filters", "expanded"]
CONVOLUTIONS: tuple[Convolution, ...] = get_args(Convolution)

_TAKEN = ("act", "add", "pool")  # what else ends the name of a block's layer


@dataclass(frozen=True)
class Stage:
    """One convolution of a block, with a bias or with batch norm, and with the block's activation unless `linear`.

    `name` ends the name of its Keras layer: "pointwise" makes "block3_pointwise". A "conv" makes as many channels as
    the block has filters or, where `width` is "expanded", `expansion` times those of the block's input; a "depthwise"
    one those that it gets. A `spatial` stage has the block's kernel and padding, and the first of a kind its stride;
    the others are 1x1.
    """

    name: str
    convolution: Convolution
    spatial: bool = False
    linear: bool = False
    width: Width = "filters"

    def __post_init__(self) -> None:
        checks.word(self.name, "A stage's name")
        if self.name in _TAKEN:
            raise ArchitectureError(
                f"A stage's name is {self.name!r}, which a block's other layers have: take another."
            )
        switch = (True, False)
        known = {"convolution": CONVOLUTIONS, "spatial": switch, "linear": switch, "width": get_args(Width)}
        for field, values in known.items():
            checks.one_of(getattr(self, field), values, f"`{field}` of stage {self.name!r}")


@dataclass(frozen=True)
class Kind:
    """A kind of block. Raises ArchitectureError for a row that makes no block.

    `short` stands for it in a network's text ("sep32k3"). `on_raw` says whether random blocks of this kind are put on
    raw data, a map of few channels. `lighter` names the kind that shrinking may put in its place, "" for none.
    """

    name: str
    short: str
    stages: tuple[Stage, ...]
    on_raw: bool = True
    lighter: str = ""

    def __post_init__(self) -> None:
        checks.word(self.name, "A kind's name")
        checks.word(self.short, f"The short name of kind {self.name!r}")
        stages = checks.sequence(self.stages, f"The stages of kind {self.name!r}")
        object.__setattr__(self, "stages", stages)
        for stage in stages:
            if not isinstance(stage, Stage):
                raise ArchitectureError(f"Each stage of kind {self.name!r} must be a Stage, got {stage!r}.")
        names = [stage.name for stage in stages]
        if len(set(names)) < len(names):
            raise ArchitectureError(f"Two stages of kind {self.name!r} have one name: {', '.join(names)}.")
        if not any(stage.spatial for stage in stages):
            raise ArchitectureError(f"Kind {self.name!r} has no spatial stage, so a block's kernel would do nothing.")
        checks.one_of(self.on_raw, (True, False), f"`on_raw` of kind {self.name!r}")

    @cached_property
    def has_filters(self) -> bool:
        """Whether the gene `filters` does something; a block of another kind has its input's channels."""
        return any(stage.convolution == "conv" and stage.width == "filters" for stage in self.stages)

    @cached_property
    def expands(self) -> bool:
        """Whether the gene `expansion` does something."""
        return any(stage.convolution == "conv" and stage.width == "expanded" for stage in self.stages)

    @cached_property
    def strided(self) -> Stage:
        """The stage that has the block's stride."""
        return next(stage for stage in self.stages if stage.spatial)


_ROWS = (
    Kind("conv", "conv", (Stage("conv", "conv", spatial=True),), lighter="separable"),
    Kind("depthwise", "dw", (Stage("depthwise", "depthwise", spatial=True),), on_raw=False),
    Kind("separable", "sep", (Stage("depthwise", "depthwise", spatial=True), Stage("pointwise", "conv"))),
    Kind(
        "inverted",
        "inv",
        (
            Stage("expand", "conv", width="expanded"),
            Stage("depthwise", "depthwise", spatial=True),
            Stage("project", "conv", linear=True),
        ),
        on_raw=False,
        lighter="separable",
    ),
)
_kinds = {kind.name: kind for kind in _ROWS}

KINDS: Mapping[str, Kind] = MappingProxyType(_kinds)
"""All kinds by name, in the order of the default search space; `register_kind` adds to it."""


def register_kind(kind: Kind) -> None:
    """Add a row to KINDS, for this process; the same row again changes nothing.

    A search draws it where its space names it: `SearchSpace.for_input(..., kinds=(*KINDS,))`. Raises ArchitectureError
    when another row has its name or its short name, or `lighter` names none.
    """
    if not isinstance(kind, Kind):
        raise ArchitectureError(f"register_kind takes a Kind, got {kind!r}.")
    for other in _kinds.values():
        if other != kind and (other.name == kind.name or other.short == kind.short):
            raise ArchitectureError(
                f"Kind {kind.name!r} ({kind.short}) cannot be added: {other.name!r} ({other.short}) is there already."
            )
    if kind.lighter and kind.lighter not in _kinds:
        raise ArchitectureError(
            f"Kind {kind.name!r} names {kind.lighter!r} as lighter, which is no kind (known: {', '.join(_kinds)})."
        )
    _kinds[kind.name] = kind


def require_kind(name: Any, where: str) -> None:
    """Raise ArchitectureError unless `name` is that of a kind."""
    if not isinstance(name, str) or name not in _kinds:
        known = ", ".join(map(repr, _kinds))
        raise ArchitectureError(
            f"{where} must be one of {known}, got {name!r}; a kind of your own is registered first "
            f"(tinynas.register_kind)."
        )

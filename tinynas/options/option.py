"""One thing that a person may choose: its keyword in Python, its option on the command line, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal

from tinynas.words import one_of as one_of

Kind = Literal["whole", "number", "switch", "choice", "names", "time", "size", "text"]

# The panels of the help, in their order: what a newcomer needs comes first, what is for study last.
FIRST = "Options"
LIMITS = "Limits, in place of the board's"
SEARCH = "What is searched for, and for how long"
DATA = "How the data are read"
TRAINING = "Training"
RUN = "Where the trials are trained"
STUDY = "For study: how the search itself works"
PANELS = (FIRST, LIMITS, SEARCH, DATA, TRAINING, RUN, STUDY)


@dataclass(frozen=True)
class Option:
    """What may be chosen, said once: help, docs, settings, command line and report all read it here.

    `name` is the keyword in Python and the key in settings.json; `help` says what it does, in sentences, and leaves out
    the default. `kind` says how a value is written. `default` is what is taken where nothing is given; where that
    follows from other things `default_words` says so, and names the default within. `option` is what is written on the
    command line, by itself the name with dashes and without a leading "n_"; None where only Python takes it. A number
    lies from `least` to `most`, or between `above` and `below`, which are not allowed themselves. `strategies` are
    those that heed it, and `fidelities` the kinds of training; () is all of them. `more`: a search that has
    ended can be given more of it, as "+30m".
    """

    name: str
    help: str
    kind: Kind
    default: Any = None
    default_words: str = ""
    option: str | None = ""
    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None
    choices: tuple[str, ...] = ()
    panel: str = SEARCH
    metavar: str = ""
    strategies: tuple[str, ...] = ()
    fidelities: tuple[str, ...] = ()
    more: bool = False

    def __post_init__(self) -> None:
        if self.option == "":
            object.__setattr__(self, "option", f"--{self.name.removeprefix('n_').replace('_', '-')}")

    @property
    def says_default(self) -> str:
        """The default in words; "" where there is none to speak of."""
        if self.default_words or self.default is None or self.default is False:
            return self.default_words
        if self.default is True:
            return str(self.option)
        if isinstance(self.default, float):
            return f"{self.default:g}"
        return ",".join(self.default) if isinstance(self.default, tuple) else str(self.default)

    @property
    def about(self) -> str:
        """What it does, and what heeds it."""
        parts = [self.help]
        if self.strategies:
            parts.append(f"Only for --strategy {one_of(self.strategies)}.")
        if self.fidelities and "full" not in self.fidelities:
            parts.append(f"Only with --fidelity {one_of(self.fidelities)}.")
        if self.more:
            parts.append("With --resume: so much more, as +N.")
        return " ".join(parts)

    @property
    def text(self) -> str:
        """The whole help: what it does, what heeds it, its default."""
        return f"{self.about} Default: {self.says_default}." if self.says_default else self.about

    @property
    def wanted(self) -> str:
        """What a value has to be, in words."""
        if self.kind == "switch":
            return "True or False"
        if self.kind == "names":
            return f"names out of {', '.join(self.choices)}"
        if self.choices:
            return one_of(self.choices)
        if self.kind == "text":
            return "a text"
        number = "a whole number" if self.kind in ("whole", "size") else "a number"
        if self.least is not None and self.most is not None:
            return f"{number} from {self.least:,} to {self.most:,}"
        bounds = {"of at least": self.least, "above": self.above, "below": self.below, "at most": self.most}
        said = [f"{word} {bound:,}" for word, bound in bounds.items() if bound is not None]
        return f"{number} {' and '.join(said)}".rstrip()

    def holds(self, value: Any) -> bool:
        """Whether `value`, of the right type, is one of the choices or lies in the range."""
        if self.kind == "choice":
            return value in self.choices
        if self.kind not in ("whole", "number", "time", "size"):
            return True
        inside = isfinite(value) and (self.least is None or value >= self.least)
        inside = inside and (self.most is None or value <= self.most)
        return inside and (self.above is None or value > self.above) and (self.below is None or value < self.below)

    def words(self, value: Any) -> list[str]:
        """`value` as it is written on the command line: --qat or --no-qat, --objectives accuracy,ram, --children 8."""
        if self.option is None:
            raise ValueError(f"{self.name} has no option")
        if isinstance(value, bool):
            return [self.option if value else f"--no-{self.option[2:]}"]
        if isinstance(value, list | tuple):
            return [self.option, ",".join(map(str, value))]
        return [self.option, f"{value:.12g}s" if self.kind == "time" else str(value)]

"""Begin with the best of an earlier run, of other data or of another board: its networks made to fit, its weights."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinynas.architecture import Architecture, SearchSpace
from tinynas.errors import RunError, TinynasError, UsageError
from tinynas.hardware import Limits
from tinynas.runs import (
    Best,
    Run,
    Settings,
    Trial,
    find_run,
    front,
    latest,
    ranking,
    read_settings,
    read_trials,
    start_of,
)
from tinynas.runs.writing import write_atomically
from tinynas.searching.equal_length import EqualLength
from tinynas.searching.feasible import screened
from tinynas.searching.jobs import StartFile
from tinynas.searching.strategy import Proposal, Screen, Strategy

_CONSIDERED = 16  # of the best of the earlier run, beside those on its front: of these the ones that fit are taken
_FOLDER, _LIST = "warm", "networks.json"


@dataclass(frozen=True)
class Network:
    """A network to begin with: `architecture` fits, `source` is what trial `trial` of the earlier run was.

    `weights` is the file with the weights of `source`, None where there are none that may be used; `head` says whether
    its classes are those of the new data, `visits` how often it has seen samples of the new data.
    """

    trial: int
    architecture: Architecture
    source: Architecture
    weights: Path | None
    head: bool
    visits: int

    def to_dict(self) -> dict[str, Any]:
        """Return a value that JSON can hold, with the name of the weights' file alone."""
        return {
            "trial": self.trial,
            "architecture": self.architecture.to_dict(),
            "source": self.source.to_dict(),
            "weights": None if self.weights is None else self.weights.name,
            "head": self.head,
            "visits": self.visits,
        }


class Warm:
    """A strategy that begins with given networks, and goes on as another one does."""

    def __init__(self, strategy: Strategy, networks: Sequence[Network]) -> None:
        """Start with no trial known, as `strategy` does."""
        self._strategy = strategy
        self._networks = networks
        self._is_told = False

    def ask(self, n: int, rng: np.random.Generator) -> list[Proposal]:
        """Return n proposals: before anything is known the networks, then those of the strategy."""
        known = [] if self._is_told else [Proposal(network.architecture) for network in self._networks][:n]
        return [*known, *(self._strategy.ask(n - len(known), rng) if n > len(known) else [])]

    def tell(self, trial: Trial) -> None:
        """Tell the strategy."""
        self._is_told = True
        self._strategy.tell(trial)


def find_networks(name: Path | str, settings: Settings, class_names: Sequence[str], screen: Screen) -> list[Network]:
    """Return what a search with `settings` begins with out of the run `name`: half of its first generation.

    Those that fit as they are come first, then those that had to be shrunk, the better ones before the others. RunError
    or UsageError, in one sentence, when there is nothing to begin with.
    """
    folder = find_run(name)
    earlier, trials = read_settings(folder), tuple(read_trials(folder / "journal.sqlite"))
    _require_akin(folder, earlier.space, settings.space)
    trained = latest(trials)
    if not trained:
        raise RunError(f"{folder} has no trained trial, so there is nothing to begin with: leave --warm-start away.")
    key = ranking(earlier.metric)
    chosen = sorted(trained, key=key)[:_CONSIDERED]
    chosen += [trial for trial in front(trials, metric=earlier.metric) if trial not in chosen]
    made = []
    for place, trial in enumerate(sorted(chosen, key=key)):
        architecture = _fitted(trial.architecture, settings.space, screen, settings.limits, settings.seed)
        if architecture is not None:
            whole = architecture.blocks == trial.architecture.blocks
            made.append((not whole, place, trial, architecture))
    if not made:
        raise UsageError(
            f"Nothing of {folder} can be made small enough for these limits: leave --warm-start away, or give wider "
            f"limits."
        )
    is_same = earlier.data.digest == settings.data.digest
    # A training on fold 0 of other folds of the same data has seen what is to be validated on here.
    inherits = (
        settings.inherit and settings.fidelity == "proxy" and (not is_same or earlier.n_folds == settings.n_folds)
    )
    head = is_same or _class_names(folder) == tuple(class_names)
    seen = _seen(earlier, trials) if is_same else {}
    networks: dict[str, Network] = {}
    for *_, trial, architecture in sorted(made, key=lambda each: each[:2]):
        weights = _weights(folder, trials, trial) if inherits else None
        visits = 0 if weights is None else seen.get(trial.architecture.key, 0)
        found = Network(trial.number, architecture, trial.architecture, weights, head, visits)
        networks.setdefault(architecture.key, found)
    return list(networks.values())[: max(1, settings.n_children // 2)]


def keep_networks(run: Run, networks: Sequence[Network]) -> None:
    """Copy `networks` with their weights into the run folder: a resume needs the earlier run no more."""
    folder = run.folder / _FOLDER
    folder.mkdir(exist_ok=True)
    kept = []
    for place, network in enumerate(networks):
        about = network.to_dict()
        if network.weights is not None:
            about["weights"] = f"{place}{network.weights.suffix}"
            shutil.copyfile(network.weights, folder / about["weights"])
        kept.append(about)
    write_atomically(folder / _LIST, json.dumps(kept, indent=1).encode())


def read_networks(run: Run, class_names: Sequence[str], screen: Screen) -> list[Network]:
    """Return what `keep_networks` kept; none where a search began with none.

    A search that was killed before they were kept finds them anew. RunError when they cannot be read.
    """
    if run.settings.warm_start is None:
        return []
    path = run.folder / _FOLDER / _LIST
    if not path.exists():
        keep_networks(run, find_networks(run.settings.warm_start, run.settings, class_names, screen))
    try:
        return [
            Network(
                each["trial"],
                Architecture.from_dict(each["architecture"]),
                Architecture.from_dict(each["source"]),
                None if each["weights"] is None else path.with_name(each["weights"]),
                each["head"],
                each["visits"],
            )
            for each in json.loads(path.read_text())
        ]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, TinynasError) as error:
        raise RunError(
            f"{path}, what the search began with, cannot be read ({error}): start the search anew."
        ) from error


def starts(networks: Sequence[Network]) -> Mapping[str, StartFile]:
    """Return the weights that each network begins with, by its key, where there are some."""
    return {
        each.architecture.key: StartFile(each.weights, each.source, each.head)
        for each in networks
        if each.weights is not None
    }


def begun(networks: Sequence[Network]) -> dict[str, int]:
    """Return how many samples of the new data each network has seen before, by its key."""
    return {each.architecture.key: each.visits for each in networks if each.visits}


def _require_akin(folder: Path, earlier: SearchSpace, space: SearchSpace) -> None:
    """UsageError when one is for pictures and the other for series: no block of the one makes sense in the other."""
    words = ["a series" if min(each.input_shape[:2]) == 1 else "pictures" for each in (earlier, space)]
    if words[0] != words[1]:
        raise UsageError(
            f"{folder} searched on {words[0]}, and these data are {words[1]}: what is good for the one says nothing of "
            f"the other; leave --warm-start away."
        )


def _fitted(
    architecture: Architecture, space: SearchSpace, screen: Screen, limits: Limits, seed: int
) -> Architecture | None:
    """Return the network nearest to `architecture` in the space that fits, shrunk if need be; None where none does."""
    inside = space.assemble(architecture.blocks, architecture.head)
    last = screened(Proposal(inside), space, screen, limits, set(), np.random.default_rng(seed))[-1]
    return None if last.violations else last.proposal.architecture


def _class_names(folder: Path) -> tuple[str, ...]:
    """Return the classes of the run in `folder`; () where it has no model that says so."""
    try:
        return tuple(Best(folder).about["class_names"])
    except RunError:
        return ()


def _seen(settings: Settings, trials: Sequence[Trial]) -> dict[str, int]:
    """Return how many samples each architecture of a search had seen, with those that its first weights had seen."""
    lengths = EqualLength(settings.metric, settings.inherit and settings.fidelity == "proxy")
    found = {}
    for trial in trials:
        if trial.evaluation.folds and trial.evaluation.fidelity == "proxy":
            lengths.tell(trial)
            found[trial.architecture.key] = lengths.seen(trial)
    return found


def _weights(folder: Path, trials: Sequence[Trial], trial: Trial) -> Path | None:
    """Return the file with the weights of most training that the run keeps of a trial's network, of fold 0."""
    alike = [each for each in trials if each.architecture.key == trial.architecture.key and each.evaluation.folds]
    ordered = sorted(alike, key=lambda each: each.evaluation.training, reverse=True)
    return next((path for each in ordered if (path := start_of(folder, each.number)) is not None), None)

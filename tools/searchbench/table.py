"""A table of trained architectures, and the stand-in for training that is fitted to it (as in NAS-Bench-301).

A replay may propose any architecture. One that is in the table has the scores and the cost that were recorded; any
other those that a regressor predicts, plus the residuals of some architecture of the table (drawn by its key, those of
the proxy and of the full training together), so that a proxy is as noisy and as misleading as the real one. The
regressor is no kin of the surrogate strategy's: boosted trees and a support vector machine over the genes themselves.
"""

import gzip
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from searchbench.curves import Curve
from searchbench.drive import Meter, drive
from tinynas import __version__
from tinynas.architecture import Architecture, Block, SearchSpace, Shape
from tinynas.architecture.block import ACTIVATIONS, POOLS
from tinynas.data import FoldScores, Scores
from tinynas.hardware import Footprint, Limits, Target
from tinynas.runs import DataSource, Evaluation, Settings, State
from tinynas.screening.screen import screen
from tinynas.searching import AgingEvolution, Strategy, strategy_for

_ERROR_FLOOR = 2e-3
_FOLDS = 5


@dataclass(frozen=True)
class Row:
    """One architecture: int8 validation accuracy and CPU seconds of its proxy and of its full training.

    `origin` is "random" or "mutant"; `block` the block of rows that it was proposed with.
    """

    architecture: Architecture
    footprint: Footprint
    origin: str
    block: int
    proxy: float
    proxy_s: float
    full: float
    full_s: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; `from_dict` takes them back."""
        nested = {"architecture": self.architecture.to_dict(), "footprint": self.footprint.to_dict()}
        return {**self.__dict__, **nested}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Row":
        """Return the row that `to_dict` gave."""
        architecture = Architecture.from_dict(values["architecture"])
        return cls(**{**values, "architecture": architecture, "footprint": Footprint.from_dict(values["footprint"])})


@dataclass(frozen=True)
class Table:
    """All rows on one data set, and what they were made with. `about` holds schedules, versions and the machine."""

    data: str
    target: Target
    limits: Limits
    space: SearchSpace
    rows: tuple[Row, ...]
    about: Mapping[str, Any]

    def write(self, path: Path) -> None:
        """Write a .json.gz, whole or not at all."""
        from tinynas.runs.writing import write_atomically

        values = {
            "data": self.data,
            "target": self.target.model_dump(mode="json"),
            "limits": self.limits.__dict__,
            "space": self.space.to_dict(),
            "about": dict(self.about),
            "rows": [row.to_dict() for row in self.rows],
        }
        write_atomically(path, gzip.compress(json.dumps(values).encode(), mtime=0))

    @classmethod
    def read(cls, path: Path) -> "Table":
        """Return the table that `write` wrote."""
        values = json.loads(gzip.decompress(path.read_bytes()))
        return cls(
            values["data"],
            Target.model_validate(values["target"]),
            Limits(**values["limits"]),
            SearchSpace.from_dict(values["space"]),
            tuple(Row.from_dict(row) for row in values["rows"]),
            values["about"],
        )


class StandIn:
    """What training would have given: see the module. `tau` holds its Kendall's tau in cross-validation."""

    def __init__(self, table: Table) -> None:
        from scipy.stats import kendalltau
        from sklearn.model_selection import cross_val_predict

        self._known = {row.architecture.key: row for row in table.rows}
        x = np.array([encode(row.architecture, row.footprint, table.space) for row in table.rows])
        targets = {
            "proxy": np.array([_goodness(row.proxy) for row in table.rows]),
            "full": np.array([_goodness(row.full) for row in table.rows]),
            "cost": np.log([row.proxy_s for row in table.rows]),
        }
        self._space = table.space
        self._models = {name: _regressor().fit(x, y) for name, y in targets.items()}
        guesses = {name: cross_val_predict(_regressor(), x, y, cv=_FOLDS) for name, y in targets.items()}
        self._residuals = {name: targets[name] - guesses[name] for name in targets}
        self.tau = {name: float(kendalltau(guesses[name], targets[name])[0]) for name in targets}
        self.tau["proxy against full"] = float(kendalltau(targets["proxy"], targets["full"])[0])

    def __call__(self, architecture: Architecture, footprint: Footprint) -> tuple[float, float, float]:
        """Return the int8 accuracy of a proxy and of a full training, and the CPU seconds of the proxy."""
        row = self._known.get(architecture.key)
        if row is not None:
            return row.proxy, row.full, row.proxy_s
        x = encode(architecture, footprint, self._space)[None]
        drawn = int(architecture.key, 16) % len(self._residuals["proxy"])
        values = {
            name: float(model.predict(x)[0]) + self._residuals[name][drawn] for name, model in self._models.items()
        }
        return _accuracy(values["proxy"]), _accuracy(values["full"]), math.exp(values["cost"])


def replay(
    table: Table, label: str, seed: int, budget_s: float, stand_in: StandIn | None = None, n_children: int = 8
) -> Curve:
    """Return the curve of a strategy on the stand-in: scores of proxies over their CPU seconds.

    There are no promotions and no inherited weights in it. `stand_in` is that of the table, where it is there
    already. `about` says what a full training of the best proxy gives.
    """
    from searchbench.real import parse_label

    name, given = parse_label(label)
    stand_in = stand_in or StandIn(table)
    clock, fulls = [0.0], dict[int, float]()
    meter = Meter(budget_s, lambda: clock[0])

    def train(number: int, architecture: Architecture, footprint: Footprint, epochs: Any = None) -> Evaluation:
        proxy, full, seconds = stand_in(architecture, footprint)
        clock[0] += seconds
        fulls[len(meter.points)] = full
        scores = Scores(proxy, proxy, proxy, proxy)
        folds = (FoldScores(scores, scores),)
        return Evaluation(State.COMPLETE, footprint, (), folds, "proxy", round(seconds, 3))

    check = partial(screen, target=table.target)
    if name == "kt-random":
        from searchbench.tuner import run_tuner

        run_tuner(name, table.space, check, table.limits, train, meter, seed, 1)
    else:
        strategy, n = strategy_of(table, name, given, n_children)
        drive(strategy, table.space, check, table.limits, train, meter, seed, n)
    done = [at for at, (seconds, _) in enumerate(meter.points) if seconds <= budget_s]
    best = max(done, key=lambda at: meter.points[at][1], default=None)
    about = {
        "version": __version__,
        "rows": len(table.rows),
        "tau": {key: round(value, 3) for key, value in stand_in.tau.items()},
        "full_of_best": None if best is None else round(fulls[best], 5),
    }
    floor = 1 / table.space.n_classes
    return Curve(f"replay of {table.data}", label, seed, budget_s, floor, tuple(meter.points), about)


def strategy_of(table: Table, name: str, given: Mapping[str, Any], n_children: int) -> tuple[Strategy, int]:
    """Return the strategy, and how many children it has a generation."""
    if name == "unas":
        usual = {"population": 10, "sample": 3, "start": "random", "n_mutations": 1}
        return AgingEvolution(table.space, **{**usual, **given}), 1
    settings = Settings.create(
        version=__version__,
        target=table.target,
        data=DataSource(kind="arrays", digest="", summary=table.data),
        space=table.space,
        limits=table.limits,
        strategy=name,
        **given,
    )
    return strategy_for(settings, partial(screen, target=table.target)), n_children


def encode(architecture: Architecture, footprint: Footprint, space: SearchSpace) -> np.ndarray:
    """Return the genes of each block in its place, the head and the size of the network: float64."""
    values = [
        math.log(footprint.params),
        math.log(footprint.macs),
        math.log(footprint.arena_bytes),
        math.log(footprint.flash_bytes),
        len(architecture.blocks),
        architecture.head.pooling == "flatten",
        math.log1p(architecture.head.hidden_units),
    ]
    genes = [
        _genes(block, shape, space.kinds)
        for block, shape in zip(architecture.blocks, architecture.shapes[1:], strict=True)
    ]
    values += [value for of_block in genes for value in of_block]
    values += [0.0] * (len(genes[0]) * (space.max_depth - len(genes)))
    return np.array(values, dtype=np.float64)


def _genes(block: Block, shape: Shape, kinds: tuple[str, ...]) -> list[float]:
    return [
        1.0,
        *(float(block.kind == kind) for kind in kinds),
        math.log(shape[2]),
        math.log(shape[0] * shape[1]),
        block.kernel_size,
        math.log(block.stride),
        block.padding == "valid",
        ACTIVATIONS.index(block.activation),
        block.batch_norm,
        *(float(block.pool == pool) for pool in POOLS),
        block.residual,
    ]


def _regressor() -> Any:
    from sklearn.ensemble import GradientBoostingRegressor, VotingRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVR

    trees = GradientBoostingRegressor(
        n_estimators=300, learning_rate=0.05, max_depth=4, subsample=0.7, max_features=0.3, random_state=0
    )
    return VotingRegressor([("trees", trees), ("machine", make_pipeline(StandardScaler(), SVR(C=3.0, epsilon=0.02)))])


def _goodness(accuracy: float) -> float:
    """Return -log(error): what the regressors learn."""
    return -math.log(max(_ERROR_FLOOR, 1 - accuracy))


def _accuracy(goodness: float) -> float:
    return min(1 - _ERROR_FLOOR, max(0.0, 1 - math.exp(-goodness)))

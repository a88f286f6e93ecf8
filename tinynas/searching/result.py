"""What a search has found: the best model, what is known of it, and all trials."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinynas.architecture import Architecture
from tinynas.hardware import Footprint
from tinynas.runs import Best, Trial


@dataclass(frozen=True, repr=False)
class SearchResult:
    """A finished search: the best trial, all trials, summary.json as a mapping, and the run folder.

    `best` is None, and so is what is said of it, where nothing was trained (fidelity "none"). Of `train("RUN:12")` it
    is trial 12, `number` is 12, and the summary is that of its final training.
    """

    best: Trial | None
    trials: tuple[Trial, ...]
    summary: dict[str, Any]
    folder: Path
    number: int | None = None

    @property
    def accuracy(self) -> float | None:
        """The share of samples that the int8 model gets right, in [0, 1].

        On the test set where there was a final training, else the best trial's mean over its validation folds.
        """
        if self.best is None:
            return None
        test = self.summary["best"]["test"]
        return self.best.evaluation.mean("accuracy") if test is None else float(test["int8"]["accuracy"])

    @property
    def warnings(self) -> tuple[str, ...]:
        """What speaks against the final model, a sentence each: that it is no better than chance, and such."""
        return tuple(self.summary.get("warnings", ()))

    @property
    def architecture(self) -> Architecture | None:
        """The best network."""
        return None if self.best is None else self.best.architecture

    @property
    def footprint(self) -> Footprint | None:
        """What the best network needs of the board: that of the final file, where there is one."""
        return None if self.best is None else Footprint.from_dict(self.summary["best"]["footprint"])

    @property
    def tflite(self) -> bytes | None:
        """The int8 file of the best model, which lies in best/model.tflite of the run folder, or in trained/NUMBER/.

        None where the scores came without a model, as from `evaluate=`. RunError when the file cannot be read.
        """
        if self.best is None or (self.summary["best"]["test"] is None and not (self.folder / "best").exists()):
            return None
        return Best(self.folder, self.number).tflite

    def report(self) -> Path:
        """Write report.html into the run folder and return its path: one page, to be read without a network."""
        from tinynas.report import write_report

        return write_report(self.folder)

    def rows(self) -> list[dict[str, Any]]:
        """Return a dict of plain values for each trial, as `tinynas trials --json` prints them, in their order.

        `pandas.DataFrame(result.rows())` makes a table of them. Scores are shares in [0, 1]; a value that is not known
        is None.
        """
        from tinynas.report import trial_row

        return [trial_row(trial) for trial in self.trials]

    def plot_front(self, path: Path | str | None = None, *, cost: str = "ram") -> Any:
        """Return a matplotlib Figure of the trials with their Pareto front; with `path` it is also written there.

        `cost` is what accuracy is held against: "ram", "flash" or "latency". A notebook shows the Figure. UsageError
        where there is nothing to draw.
        """
        from tinynas.report import plot_front
        from tinynas.runs import read_settings

        settings = read_settings(self.folder)
        return plot_front(
            self.trials, self.best, cost=cost, metric=settings.metric, fidelity=settings.fidelity, path=path
        )

    def __repr__(self) -> str:
        """Return a line: how good, how large, where."""
        if self.best is None or self.footprint is None:
            return f"SearchResult(nothing was trained; {len(self.trials):,} trials in {self.folder})"
        where = "in validation" if self.summary["best"]["test"] is None else "on the test set"
        return (
            f"SearchResult({self.accuracy:.2%} {where}, file {self.footprint.flash_bytes:,} B, "
            f"arena {self.footprint.arena_bytes:,} B; best of {len(self.trials):,} trials in {self.folder})"
        )

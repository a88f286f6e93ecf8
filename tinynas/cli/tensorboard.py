"""Logs for TensorBoard in RUN/tensorboard: a point a trial, the loss of the final training. It loads no TensorFlow."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tinynas.runs import Evaluation, Trial
from tinynas.searching import Event, FinalProgress, Note, Started, TrialDone


class TensorBoard:
    """Writes a search's events: scalars by the trial's number under trials/, by the epoch under final/.

    Each trained trial is also a row of the HParams table, with its genome's main figures. Trouble is one sentence to
    `say`, and then nothing more is written.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        """Take where a sentence of trouble goes."""
        self._say = say
        self._folder: Path | None = None
        self._writers: dict[str, Any] = {}

    def __call__(self, event: Event) -> None:
        """Take an event of the search."""
        if isinstance(event, Started):
            self._folder = event.folder / "tensorboard"
        if self._folder is None:
            return
        try:
            if isinstance(event, TrialDone):
                self._trial(event.trial, event.best)
            elif isinstance(event, FinalProgress):
                named = f" ({event.training})" if event.training else ""
                self._writer("final").add_scalar(f"final/loss{named}", event.loss, event.epoch)
            elif isinstance(event, Note):
                self._writer("trials").add_text("search", event.text)
        except Exception as error:  # a search never ends over its logs
            self._say(f"No more logs for TensorBoard: {type(error).__name__}: {error}")
            self._folder = None

    def close(self) -> None:
        """Close the files."""
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

    def _writer(self, name: str) -> Any:
        if name not in self._writers:
            from tensorboardX import SummaryWriter

            self._writers[name] = SummaryWriter(str(self._folder / name) if self._folder else None)
        return self._writers[name]

    def _trial(self, trial: Trial, best: bool) -> None:
        writer = self._writer("trials")
        scalars = scalars_of(trial.evaluation)
        for name, value in scalars.items():
            writer.add_scalar(f"trials/{name}", value, trial.number)
        if best and "accuracy_int8" in scalars:
            writer.add_scalar("best/accuracy_int8", scalars["accuracy_int8"], trial.number)
        if trial.evaluation.folds:
            metrics = {f"hparam/{name}": value for name, value in scalars.items()}
            writer.add_hparams(_genome(trial), metrics, name=f"trial_{trial.number}", global_step=trial.number)
        writer.flush()


def scalars_of(evaluation: Evaluation) -> dict[str, float]:
    """Return the figures of a trial that are drawn: scores in [0, 1], bytes, milliseconds, seconds."""
    figures: dict[str, float] = {"seconds": evaluation.seconds}
    if evaluation.folds:
        for model in ("int8", "float"):
            figures[f"accuracy_{model}"] = evaluation.mean("accuracy", model)
            figures[f"f1_{model}"] = evaluation.mean("f1", model)
    footprint = evaluation.footprint
    if footprint is not None:
        figures |= {"arena_bytes": footprint.arena_bytes, "flash_bytes": footprint.flash_bytes, "macs": footprint.macs}
        if footprint.latency_ms is not None:
            figures["latency_ms"] = footprint.latency_ms
    return figures


def _genome(trial: Trial) -> dict[str, Any]:
    architecture = trial.architecture
    return {
        "blocks": len(architecture.blocks),
        "filters_first": architecture.blocks[0].filters,
        "filters_last": architecture.blocks[-1].filters,
        "head": str(architecture.head),
        "fidelity": trial.evaluation.fidelity,
    }

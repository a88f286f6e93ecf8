"""What the loop gives to an executor, and what it gets back: values that pickle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tinynas.architecture import Architecture
from tinynas.data import FoldScores
from tinynas.hardware import Footprint
from tinynas.runs import Evaluation
from tinynas.searching.trouble import Trouble
from tinynas.training.schedule import Schedule


@dataclass(frozen=True)
class StartFile:
    """A file with the weights of a trained network of `architecture`; without `head`, its classes were others."""

    path: Path
    architecture: Architecture
    head: bool = True


@dataclass(frozen=True)
class Job:
    """A child to be evaluated: `seed` fixes its weights; `screened` is the footprint that the real file must have.

    `schedule` is how long it is trained, None where it is measured only (fidelity "none"). `rung` counts the promotions
    before it; a proxy training begins with the weights in `start`. `regularization` is the strength of it, see
    `tinynas.training.regularization`. `ends_plain`: pictures are as they are at its end (not so in older searches).
    """

    number: int
    generation: int
    parent: int | None
    architecture: Architecture
    fidelity: str
    seed: int
    screened: Footprint
    schedule: Schedule | None = None
    rung: int = 0
    start: StartFile | None = None
    regularization: str = ""
    ends_plain: bool = True


@dataclass(frozen=True)
class Outcome:
    """What became of a job, and what there is to keep of it.

    The evaluation's fidelity and rung are the job's, whatever it says itself, and its footprint is the screened one
    where it has none. `keras` and `tflite` are the model of the job's first fold, `samples` int8 inputs (n, H, W, C) to
    check it with, `weights` its weights by layer name, for those that will start from them: all left out where nothing
    was trained. `trouble` is there where the error may be the machine's and not the child's: it is tried again then.
    """

    evaluation: Evaluation
    keras: bytes = b""
    tflite: bytes = b""
    samples: np.ndarray | None = None
    weights: Mapping[str, Sequence[np.ndarray]] = field(default_factory=dict)
    trouble: Trouble | None = None


@dataclass(frozen=True)
class FinalJob:
    """The final training: on all training data, for `epochs` or, within them, for `time_budget_s`.

    With `until_flat` it ends earlier when the loss on samples held out no longer falls. With `start`, the weights of a
    finalist, it goes on from there, `cool` at a low learning rate: as one that has learned what it can and gets more
    samples. With `twice` it also starts anew, for as long, and the better one is kept. However short the time is,
    `least_epochs` are trained. `ends_plain` is as in Job.
    """

    architecture: Architecture
    seed: int
    epochs: int
    time_budget_s: float | None
    until_flat: bool = False
    regularization: str = ""
    start: StartFile | None = None
    twice: bool = False
    cool: bool = False
    least_epochs: int = 1
    ends_plain: bool = True


@dataclass(frozen=True)
class Final:
    """The final model, its scores on the test set and how it agrees with TFLM.

    `judged` is the accuracy, on held-out training samples, of the int8 files that there was a choice of. `losses` are
    the mean training losses of the epochs.
    """

    scores: FoldScores
    keras: bytes
    tflite: bytes
    samples: np.ndarray
    epochs: int
    footprint: Footprint
    tflm_largest_step: int | None
    judged: Mapping[str, float] = field(default_factory=dict)
    losses: tuple[float, ...] = ()

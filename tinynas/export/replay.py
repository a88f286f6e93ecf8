"""A long recording through a run's model as the firmware takes it: windows, results, now and then a class."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tinynas.data.normalize import Normalization
from tinynas.data.readers.wav import read_wav
from tinynas.engine import build
from tinynas.errors import DataError, UsageError, door
from tinynas.export.ends import ends, quantized
from tinynas.export.source import from_run
from tinynas.features import MelFeatures, SoundFeatures, Spectral
from tinynas.features.fixed import to_int16
from tinynas.features.smoothing import FULL_SCORE, Detection, Smoothing, smoothing_for, stride_for
from tinynas.runs import run_and_trial
from tinynas.tflite import Tensor, tflm

Int8s = npt.NDArray[np.int8]

GRACE_S = 1.0  # after a sound has ended, in which it may still be told
MOST_FALSE_ACCEPTS = 1.0  # an hour, at the threshold that is suggested
_CHUNK = 4096  # frames at once
_THRESHOLDS = range(128, FULL_SCORE + 1, 8)


class Event(NamedTuple):
    """What is really heard in a recording: from when to when, in seconds, and its class."""

    start_s: float
    end_s: float
    label: str


class Heard(NamedTuple):
    """When a class was told, in seconds from the start; its name, its mean score in 0 to 1, and whether it was right.

    None where nobody said what is in the recording.
    """

    time_s: float
    label: str
    score: float
    is_right: bool | None = None


class Rate(NamedTuple):
    """What a threshold leads to: events that were told, and false accepts an hour."""

    threshold: int
    hits: int
    false_accepts_an_hour: float


@dataclass(frozen=True)
class Replay:
    """What was told of a recording of `seconds`, and how.

    `hits` are the events that were told, of `events`; both None where nobody said what is in it. `rates` are what other
    thresholds lead to, and `suggested` is the least of them with at most one false accept an hour, None without any.
    """

    seconds: float
    windows: int
    stride_s: float
    smoothing: Smoothing
    heard: tuple[Heard, ...]
    events: int | None = None
    hits: int | None = None
    rates: tuple[Rate, ...] = ()
    suggested: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def false_accepts(self) -> int:
        """The detections that were not right; all of them where nobody said what is in the recording."""
        return sum(not each.is_right for each in self.heard)

    @property
    def an_hour(self) -> float:
        """False accepts an hour."""
        return self.false_accepts / self.seconds * 3600


@door
def replay(
    source: Path | str,
    wav: Path | str,
    *,
    events: Path | str | None = None,
    runs: Path | str = "runs",
    stride: int | None = None,
    results: int | None = None,
    threshold: int | None = None,
    margin: int | None = None,
    suppression: int | None = None,
) -> Replay:
    """Run the model of `source`, a run of sound or RUN:TRIAL, over the recording `wav` as NAME_stream.c does.

    `stride`: frames from one window to the next, by default a quarter of a window. The rest is as in Smoothing, by
    default as convert writes it. `events`: a CSV of what is in the recording, start and end in seconds and the class a
    row; a detection is right from an event's start to a second after its end. Raises UsageError for a run that is not
    of sound, DataError for files that cannot be read or have another sample rate.
    """
    folder, trial = run_and_trial(source, Path(runs))
    model = from_run(folder, trial)
    features, normalization = model.features, model.facts.normalization
    if features is None or isinstance(features, Spectral) or normalization is None:
        raise UsageError(f"{folder} is not a run of sound: stream replays a WAV file through a model of WAV files.")
    names = model.output.class_names
    stride = stride_for(features.n_frames) if stride is None else stride
    if not 1 <= stride <= 1 << 20:
        raise UsageError(f"stride is {stride}; wanted a whole number of frames, 1 or more.")
    usual = Smoothing.threshold if model.facts.tuned is None else model.facts.tuned.threshold
    given = {"results": results, "threshold": threshold, "margin": margin, "suppression": suppression}
    chosen: dict[str, Any] = {name: each for name, each in given.items() if each is not None}
    smoothing = replace(smoothing_for(names, features.n_frames, stride, usual), **chosen)
    samples = _samples(Path(wav), features)
    truth = None if events is None else read_events(Path(events), names)
    source_tensor, _ = ends(model.tflite)
    windows = stream_windows(features, samples, normalization, source_tensor, stride)
    outputs = _outputs(model.tflite, windows)
    ends_s = (np.arange(len(windows)) * stride * features.hop + features.span) / features.sample_rate
    seconds = len(samples) / features.sample_rate
    found = list(smoothing.detections(outputs))
    about = (names, ends_s, truth)
    rates = () if truth is None else tuple(_rate(smoothing, each, outputs, about, seconds) for each in _THRESHOLDS)
    good = [rate.threshold for rate in rates if rate.false_accepts_an_hour <= MOST_FALSE_ACCEPTS]
    return Replay(
        seconds=seconds,
        windows=len(windows),
        stride_s=stride * features.hop / features.sample_rate,
        smoothing=smoothing,
        heard=_heard(found, *about),
        events=None if truth is None else len(truth),
        hits=None if truth is None else _hits(found, *about),
        rates=rates,
        suggested=good[0] if good else None,
        notes=() if smoothing.background else (_no_background(names),),
    )


def stream_windows(
    features: SoundFeatures, samples: npt.NDArray[np.int16], normalization: Normalization, source: Tensor, stride: int
) -> Int8s:
    """The model's inputs (n, frames, bands) for the windows of a stream, each `stride` frames after the one before."""
    every = np.lib.stride_tricks.sliding_window_view(samples, features.frame)[:: features.hop]
    one = replace(source, shape=(1, features.n_mels, 1))
    rows = np.empty((len(every), features.n_mels), np.int8)
    logs = None if isinstance(features, MelFeatures) else features.logs(every)
    for start in range(0, len(every), _CHUNK):
        raw: npt.NDArray[np.uint8] | npt.NDArray[np.float32]
        if isinstance(features, MelFeatures):
            raw = features.of_frames(every[start : start + _CHUNK] / 32768)
        elif logs is not None:
            raw = features.bytes_of(logs[start : start + _CHUNK])
        rows[start : start + _CHUNK] = quantized(normalization.apply(raw[..., None]), one).reshape(raw.shape)
    windows: Int8s = np.lib.stride_tricks.sliding_window_view(rows, features.n_frames, axis=0)[::stride]
    turned: Int8s = windows.swapaxes(1, 2)
    return turned


def read_events(path: Path, class_names: Sequence[str]) -> list[Event]:
    """The events of a CSV with start, end and class a row, a header or none; DataError names the line."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error
    found = []
    for line, row in enumerate(rows, 1):
        try:
            start, end, label = (cell.strip() for cell in row)
            event = Event(float(start), float(end), label)
        except ValueError:
            if line == 1 or not row:
                continue
            raise DataError(f"{path}, line {line}: {row!r:.80}, wanted start,end,class with times in seconds") from None
        if event.label not in class_names:
            raise DataError(f"{path}, line {line}: no class {label!r}; the model knows {', '.join(class_names)}")
        if not 0 <= event.start_s <= event.end_s < float("inf"):
            raise DataError(f"{path}, line {line}: from {start} to {end} s, wanted 0 <= start <= end")
        found.append(event)
    return found


def _samples(wav: Path, features: SoundFeatures) -> npt.NDArray[np.int16]:
    sound = read_wav(wav)
    if sound.rate != features.sample_rate:
        raise DataError(
            f"{wav}: has {sound.rate} samples a second, and the model was trained on {features.sample_rate}: the "
            f"device does not resample, so record at that rate"
        )
    if len(sound.samples) < features.span:
        raise DataError(
            f"{wav}: {len(sound.samples):,} samples are shorter than one window of {features.span:,} samples"
        )
    return to_int16(sound.samples)


def _outputs(data: bytes, windows: Int8s) -> Int8s:
    """The outputs (n, classes) of TFLM, or where it is not installed of its arithmetic in Python."""
    shape = (len(windows), *ends(data)[0].shape[1:])
    given = np.ascontiguousarray(windows).reshape(shape)
    found: Int8s = (tflm.run(data, given) if tflm.available() else build(data).run(given)).reshape(len(windows), -1)
    return found


def _right(
    found: Detection, names: Sequence[str], ends_s: npt.NDArray[np.float64], truth: Sequence[Event]
) -> list[int]:
    """The events that a detection is right about, by number."""
    time, label = float(ends_s[found.result]), names[found.label]
    return [
        number
        for number, event in enumerate(truth)
        if event.label == label and event.start_s <= time <= event.end_s + GRACE_S
    ]


def _heard(
    found: Sequence[Detection], names: Sequence[str], ends_s: npt.NDArray[np.float64], truth: Sequence[Event] | None
) -> tuple[Heard, ...]:
    return tuple(
        Heard(
            float(ends_s[each.result]),
            names[each.label],
            each.score / FULL_SCORE,
            None if truth is None else bool(_right(each, names, ends_s, truth)),
        )
        for each in found
    )


def _hits(
    found: Sequence[Detection], names: Sequence[str], ends_s: npt.NDArray[np.float64], truth: Sequence[Event] | None
) -> int:
    return len({number for each in found for number in _right(each, names, ends_s, truth or ())})


def _rate(
    smoothing: Smoothing,
    threshold: int,
    outputs: Int8s,
    about: tuple[Sequence[str], npt.NDArray[np.float64], Sequence[Event] | None],
    seconds: float,
) -> Rate:
    found = list(replace(smoothing, threshold=threshold).detections(outputs))
    wrong = sum(not each.is_right for each in _heard(found, *about))
    return Rate(threshold, _hits(found, *about), wrong / seconds * 3600)


def _no_background(names: Sequence[str]) -> str:
    return (
        f"None of the classes ({', '.join(names)}) is called background, unknown, noise or silence: with such a class "
        f"the model learns what it is not to tell, which a threshold alone does not."
    )

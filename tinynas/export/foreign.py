"""Models that tinynas did not find: an int8 .tflite, or a float model that is quantised here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from tinynas.data import Dataset
from tinynas.data.splits import representative_rows
from tinynas.errors import ConversionError, TinynasError, UsageError
from tinynas.export.c_text import as_name
from tinynas.export.ends import all_ends, at_random, ends, quantized
from tinynas.export.facts import UNIT, facts_of_data, in_shape, plain_facts, stretched
from tinynas.export.output import Kind, Labelled, Output, output_of, outputs_of
from tinynas.export.source import HeldOut, Source
from tinynas.features import Spectral
from tinynas.tflite import Tensor, read, strip
from tinynas.tflite.affine import limits_of
from tinynas.tflite.disguise import float_model

_RANDOM_SAMPLES = 64
_SCORED_SAMPLES = 1000
_CALIBRATION_SAMPLES = 100
_Made = TypeVar("_Made")


def is_float_model(path: Path) -> bool:
    """Whether `path` is a float model's by its looks: a Keras file, or the folder of a SavedModel."""
    return float_model(path) is not None


def from_tflite(path: Path, data: Labelled | None, input_range: tuple[float, float], asked: Kind | None) -> Source:
    """A quantised .tflite of any origin, stripped; its samples are random unless there are `data`."""
    raw = _named(path, lambda: _bytes(path))
    tflite = _named(path, lambda: strip(raw))
    graph = read(tflite)
    found = _named(path, lambda: all_ends(graph))
    if not found.alone:
        _no_range(input_range)
        return _from_several(path, tflite, [tensor.name for tensor in read(raw).tensors], data, asked)
    given = found.inputs[0].tensor
    output = _named(path, lambda: output_of(graph, data, asked))
    if data is None:
        _no_range(input_range)
        samples = at_random(graph, graph.inputs[0], _RANDOM_SAMPLES, np.random.default_rng(0))
        facts, held_out = plain_facts(given), None
        notes: tuple[str, ...] = ()
    else:
        rows = _scored(data)
        test = in_shape(given.shape[1:], stretched(data.x_test[rows], input_range), data.name)
        samples, facts = quantized(test, given), facts_of_data(data, input_range)
        held_out = HeldOut(data, rows, test.reshape(len(test), -1))
        notes = _range_note(limits_of(graph, graph.inputs[0]), input_range)
    return Source(
        tflite=tflite,
        samples=samples,
        output=output,
        facts=facts,
        is_own=False,
        held_out=held_out,
        notes=(*_output_note(output), *notes),
        features=_features_of(data, given),
        **_of_path(path),
    )


def _from_several(path: Path, tflite: bytes, names: list[str], data: Labelled | None, asked: Kind | None) -> Source:
    """A .tflite of several inputs or outputs: each is what the file says, and its samples are random."""
    graph, rng = read(tflite), np.random.default_rng(0)
    several = f"{path} has {len(graph.inputs)} input(s) and {len(graph.outputs)} output(s)"
    if data is not None:
        raise UsageError(f"{several}; only a model with one of each can be scored on data: leave --data out.")
    if asked is not None:
        raise UsageError(f"{several}, and --output speaks of one: leave it out.")
    output, *others = outputs_of(graph)
    samples, *more = (at_random(graph, index, _RANDOM_SAMPLES, rng) for index in graph.inputs)
    return Source(
        tflite=tflite,
        samples=samples,
        output=output,
        facts=plain_facts(graph.tensors[graph.inputs[0]]),
        is_own=False,
        more_samples=tuple(more),
        more_outputs=tuple(others),
        names=tuple(names),
        **_of_path(path),
    )


def from_float_model(
    path: Path, data: Labelled | None, input_range: tuple[float, float], asked: Kind | None, trust: bool
) -> Source:
    """A Keras file or a SavedModel, quantised on the training part of `data` and compared on its test part."""
    if data is None:
        raise UsageError(f"{path} is a float model: give --data, whose samples its int8 ranges are measured on.")
    if not path.exists():
        raise ConversionError(f"{path} does not exist; give the path of a model.")
    from tinynas.training.apart import apart

    rows = _scored(data)
    train = stretched(data.x[_representative(data)], input_range)
    test = stretched(data.x_test[rows], input_range)
    with apart(path, trust) as model:
        test = in_shape(model.input_shape, test, data.name)
        outputs = _named(path, lambda: model.predict(test))
        tflite = _named(path, lambda: model.quantize(in_shape(model.input_shape, train, data.name)))
    given, _ = _named(path, lambda: ends(tflite))
    output = _named(path, lambda: output_of(read(tflite), data, asked))
    return Source(
        tflite=tflite,
        samples=quantized(test, given),
        output=output,
        facts=facts_of_data(data, input_range),
        is_own=True,
        held_out=HeldOut(data, rows, test.reshape(len(test), -1), outputs),
        notes=_output_note(output),
        features=_features_of(data, given),
        **_of_path(path),
    )


def _features_of(data: Labelled | None, given: Tensor) -> Spectral | None:
    """The features that the model's steps are, where they are spectral: a window of them is no window of a stream."""
    features = data.features if isinstance(data, Dataset) else None
    return features if isinstance(features, Spectral) and given.dtype == "INT8" else None


def _representative(data: Labelled) -> npt.NDArray[np.int64]:
    """The training samples that the ranges are measured on: evenly over the classes, where there are any."""
    if isinstance(data, Dataset):
        return representative_rows(data.y, _CALIBRATION_SAMPLES, 0)
    drawn = np.random.default_rng(0).permutation(len(data.x))[:_CALIBRATION_SAMPLES]
    return np.asarray(np.sort(drawn), dtype=np.int64)


def _output_note(output: Output) -> tuple[str, ...]:
    note = output.note()
    return () if note is None else (note,)


def _scored(data: Labelled) -> npt.NDArray[np.int64]:
    """Which test samples are scored: all, or as many drawn at random."""
    rows: npt.NDArray[np.int64] = np.sort(np.random.default_rng(0).permutation(len(data.x_test))[:_SCORED_SAMPLES])
    return rows


def _of_path(path: Path) -> dict[str, Any]:
    name = as_name(path.stem)
    return {"origin": str(path), "name": name, "destination": Path(f"{name}_firmware")}


def _bytes(path: Path) -> bytes:
    if path.exists() and not path.is_file():
        raise ConversionError("it is not a file")
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConversionError(f"it cannot be read: {error.strerror}") from error


def _named(path: Path, make: Callable[[], _Made]) -> _Made:
    """What `make` gives; an error of it names the file."""
    try:
        return make()
    except TinynasError as error:
        text = str(error)
        raise type(error)(text if text.startswith(str(path)) else f"{path}: {text}") from error


def _no_range(input_range: tuple[float, float]) -> None:
    if input_range != UNIT:
        raise UsageError("The input range says how data are stretched for the model: it needs --data.")


def _range_note(held: tuple[float, float] | None, input_range: tuple[float, float]) -> tuple[str, ...]:
    """A word when the data, as they are given, fill much less or more than what the model's input can hold."""
    if held is None:
        return ()
    low, high = held
    wide = input_range[1] - input_range[0]
    if 0.5 < wide / (high - low) < 2:
        return ()
    return (
        f"The model's input holds {low:.3g} to {high:.3g}, but the data are given as {input_range[0]:g} to "
        f"{input_range[1]:g}: if it was trained on other values, say which with --input-range.",
    )

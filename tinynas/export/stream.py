"""What NAME_stream.h says: windows of a stream, from one to the next, and what becomes of their results."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tinynas.export.ends import all_ends
from tinynas.export.facts import Facts
from tinynas.export.output import Output
from tinynas.features import Features
from tinynas.features.smoothing import Smoothing, smoothing_for, stride_for
from tinynas.tflite import read


@dataclass(frozen=True)
class StreamFacts:
    """A window of `length` frames or steps of `channels` values, one every `stride`, and how results are smoothed."""

    classes: int
    length: int
    channels: int
    stride: int
    stride_words: str
    smoothing: Smoothing

    @property
    def background(self) -> str:
        """1 for each class that is never told, else 0, as C initialises an array."""
        return ", ".join(str(int(number in self.smoothing.background)) for number in range(self.classes))


def stream_of(tflite: bytes, output: Output, facts: Facts, features: Features | None) -> StreamFacts | None:
    """The stream of a model, int8 in and out, that tells classes of sound or of a series of steps; None for others."""
    ends = all_ends(read(tflite))
    if not ends.alone or [end.tensor.dtype for end in (*ends.inputs, *ends.outputs)] != ["INT8", "INT8"]:
        return None
    elements = ends.inputs[0].tensor.elements
    if output.kind != "classes" or facts.normalization is None:
        return None
    if features is not None:
        if elements != features.n_frames * features.n_mels:
            return None
        length, every = features.n_frames, features.hop / features.sample_rate
    else:
        length = elements // facts.channels
        if facts.layout != "series" or length < 2 or not (facts.names or facts.channels > 1):  # the columns of a table
            return None
        every = 0.0 if facts.rate is None else 1 / facts.rate
    stride = stride_for(length)
    words = f"{stride * every * 1000:.0f} ms" if every else "a quarter of a window"
    names = output.class_names
    return StreamFacts(len(names), length, facts.channels, stride, words, smoothing_for(names, length, stride))


def unit_of(name: str) -> str:
    """The unit in brackets at the end of a channel's name, such as "g" of "ax [g]"; "" without one."""
    match = re.search(r"[\[(]([^\[\]()]+)[\])]\s*$", name)
    return "" if match is None else match[1].strip()

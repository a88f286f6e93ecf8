"""What NAME_stream.h says: windows of a stream, from one to the next, and what becomes of their results."""

from __future__ import annotations

import re

from tinynas.export.ends import all_ends
from tinynas.export.facts import Facts
from tinynas.export.output import Output
from tinynas.features import Features
from tinynas.features.smoothing import Smoothing
from tinynas.features.stream import Stream, stream_for
from tinynas.hardware import FrontEnd, Target, front_end
from tinynas.tflite import read


def stream_of(tflite: bytes, output: Output, facts: Facts, features: Features | None) -> Stream | None:
    """The stream of a model, int8 in and out, that tells classes of sound or of a series of steps; None for others."""
    ends = all_ends(read(tflite))
    if not ends.alone or [end.tensor.dtype for end in (*ends.inputs, *ends.outputs)] != ["INT8", "INT8"]:
        return None
    if output.kind != "classes" or facts.normalization is None:
        return None
    return stream_for(
        features,
        output.class_names,
        ends.inputs[0].tensor.elements,
        layout=facts.layout,
        channels=facts.channels,
        channel_names=facts.names,
        rate=facts.rate,
        threshold=Smoothing.threshold if facts.tuned is None else facts.tuned.threshold,
    )


def front_end_of(
    tflite: bytes,
    output: Output,
    facts: Facts,
    features: Features | None,
    board: Target | None,
    *,
    engine: bool = False,
) -> FrontEnd | None:
    """What stands before the network in the firmware, on `board`; None for a model without a stream."""
    return front_end(features, stream_of(tflite, output, facts, features), board, engine=engine)


def stride_words(stream: Stream) -> str:
    """How long it is from one window to the next, for a person."""
    return f"{stream.stride_s * 1000:.0f} ms" if stream.stride_s else "a quarter of a window"


def background_of(stream: Stream) -> str:
    """1 for each class that is never told, else 0, as C initialises an array."""
    return ", ".join(str(int(number in stream.smoothing.background)) for number in range(stream.classes))


def unit_of(name: str) -> str:
    """The unit in brackets at the end of a channel's name, such as "g" of "ax [g]"; "" without one."""
    match = re.search(r"[\[(]([^\[\]()]+)[\])]\s*$", name)
    return "" if match is None else match[1].strip()

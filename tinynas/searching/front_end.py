"""What stands before the network of a data set on the device: figures that the limits of a search count."""

from functools import partial
from math import prod

from tinynas.architecture import Architecture
from tinynas.data import Dataset
from tinynas.features.stream import Stream, stream_for
from tinynas.hardware import Footprint, FrontEnd, Target, front_end
from tinynas.searching.strategy import Screen


def front_end_of(dataset: Dataset, target: Target) -> FrontEnd | None:
    """Return features, ring and stream of a model of `dataset` on `target`; None for what is no sound and no steps."""
    return front_end(dataset.features, stream_of(dataset), target)


def stream_of(dataset: Dataset) -> Stream | None:
    """Return the stream that a model of `dataset` runs on; None for what is no sound and no steps."""
    return stream_for(
        dataset.features,
        dataset.class_names,
        prod(dataset.input_shape),
        layout=dataset.layout,
        channels=dataset.input_shape[-1],
        channel_names=dataset.channels,
        rate=dataset.rate,
    )


def with_front_end(screen: Screen, front: FrontEnd | None) -> Screen:
    """Return a screen whose footprints have it."""
    if front is None:
        return screen
    return partial(_whole, screen, front)


def _whole(screen: Screen, front: FrontEnd, architecture: Architecture) -> Footprint:
    return screen(architecture).with_front_end(front)

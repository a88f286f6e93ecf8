"""Network captures to a labelled data set: frames, packets, sessions, labels, and the IDX files with their manifest."""

from tinynas.data.captures.build import Built, find_captures, from_pcap
from tinynas.data.captures.files import Frame, frames
from tinynas.data.captures.labels import Labels, read_labels
from tinynas.data.captures.options import CaptureOptions
from tinynas.data.captures.packets import Packet, decode
from tinynas.data.captures.sessions import Session, sessions

__all__ = [
    "Built",
    "CaptureOptions",
    "Frame",
    "Labels",
    "Packet",
    "Session",
    "decode",
    "find_captures",
    "frames",
    "from_pcap",
    "read_labels",
    "sessions",
]

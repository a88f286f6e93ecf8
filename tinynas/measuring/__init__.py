"""A real board at the end of a serial line: its answers, its accuracy, its time."""

from tinynas.measuring.device import Device
from tinynas.measuring.line import Line
from tinynas.measuring.measure import Measurement, measure
from tinynas.measuring.subject import Subject, subject

__all__ = ["Device", "Line", "Measurement", "Subject", "measure", "subject"]

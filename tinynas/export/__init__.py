"""From a model to the files that firmware includes."""

from tinynas.export.convert import Converted, convert
from tinynas.export.output import KINDS, Kind, Output
from tinynas.export.render import DEFAULT_FORMATS, ENGINE, FORMATS

__all__ = ["DEFAULT_FORMATS", "ENGINE", "FORMATS", "KINDS", "Converted", "Kind", "Output", "convert"]

"""From a model to the files that firmware includes."""

from tinynas.export.convert import Converted, convert
from tinynas.export.render import FORMATS

__all__ = ["FORMATS", "Converted", "convert"]

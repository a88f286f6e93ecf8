"""From a run's best model to the files that firmware includes."""

from tinynas.export.convert import Converted, convert

__all__ = ["Converted", "convert"]

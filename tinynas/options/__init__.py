"""What a person may choose, each thing described once: plain tables, read by every room that needs a word of them."""

from tinynas.options.engine import FLASH_BUDGET, PRESETS, Preset
from tinynas.options.option import PANELS, Option, one_of
from tinynas.options.packages import PACKAGE_KINDS, PackageKind
from tinynas.options.search import HEEDS, RUNNING, SETTINGS, SPACE

__all__ = [
    "FLASH_BUDGET",
    "HEEDS",
    "PACKAGE_KINDS",
    "PANELS",
    "PRESETS",
    "RUNNING",
    "SETTINGS",
    "SPACE",
    "Option",
    "PackageKind",
    "Preset",
    "one_of",
]

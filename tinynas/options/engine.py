"""What a person may choose of a model as plain C."""

from typing import Literal, get_args

Preset = Literal["memory", "speed"]
"""What an engine is made for: the least memory, or the fewest instructions."""

PRESETS: tuple[Preset, ...] = get_args(Preset)

FLASH_BUDGET = 4096
"""Bytes of Flash that preset speed may take for weights of 16 bits, unless another number is given."""

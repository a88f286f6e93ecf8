"""Where genome and board meet without TensorFlow: an architecture's int8 file, its footprint, its FLOPs."""

from tinynas.screening.counts import count_flops, count_macs, count_params
from tinynas.screening.lower import lower, lower_graph
from tinynas.screening.screen import screen

__all__ = ["count_flops", "count_macs", "count_params", "lower", "lower_graph", "screen"]

"""The number format of a training: bfloat16 where the processor computes with it and gains. Knows no TensorFlow."""

from pathlib import Path
from typing import Literal

from tinynas.architecture import Architecture, Layer, walk
from tinynas.options.search import Precision as Precision

_SMALLEST_SIDE = 16
_CPU_INFO = Path("/proc/cpuinfo")
_FLAGS = {"avx512_bf16", "amx_bf16"}  # Intel's and AMD's names for products of bfloat16 that add up in float32


def best_precision(input_shape: tuple[int, int, int], cpu_info: Path = _CPU_INFO) -> Precision:
    """Return "bfloat16" when every processor listed in `cpu_info` has instructions for it and it pays, else "float32".

    It pays for pictures: on a series or a picture of a few pixels the conversions cost what the products save. Weights,
    their updates and the batch-norm statistics are float32 in either case. Without such instructions bfloat16 is
    emulated, and slower.
    """
    if min(input_shape[:2]) < _SMALLEST_SIDE:
        return "float32"
    try:
        lines = cpu_info.read_text().splitlines()
    except OSError:  # not Linux: nothing is known
        return "float32"
    flags = [set(line.partition(":")[2].split()) for line in lines if line.startswith("flags")]
    return "bfloat16" if flags and all(found & _FLAGS for found in flags) else "float32"


# TensorFlow's kernels for bfloat16 (oneDNN) are fast for some shapes alone. Measured, one thread, batch 64, forward and
# backward: batch norm and ReLU on 28 x 28 x 24 take 18.4 ms against 4.2 in float32, on 28 x 28 x 32 2.9 against 4.1;
# a depthwise convolution on 14 x 14 x 32 takes 8.9 ms against 4.0 with a 5x5 kernel and 11.5 against 0.6 with a stride
# of 2, but 0.6 against 0.7 with a 3x3 kernel and without (`tools/step_shares.py --operations`).
_FAST_CHANNELS = 16  # whole multiples of it
_FAST_KERNEL = 3

# What a network must have for bfloat16 to pay: multiply-accumulates in full convolutions, whose products it speeds up,
# and so many of them in a whole training that they outweigh the casts in its graph, which cost 0.3 s more to trace.
_LEAST_MACS = 500_000
_LEAST_MACS_TRAINED = 20e9


def fast_in_bfloat16(layer: Layer, part: Literal["depthwise", "batch_norm"]) -> bool:
    """Return whether a depthwise convolution, or what follows a convolution, is no slower in bfloat16 than in float32.

    What follows a slow depthwise convolution stays in float32 too, since each change of format is a pass over the map.
    """
    slow = layer.operator == "depthwise" and (max(layer.kernel) > _FAST_KERNEL or layer.strides != (1, 1))
    if part == "depthwise" or slow:
        return not slow
    return not layer.batch_norm or layer.shape_out[2] % _FAST_CHANNELS == 0


def precision_for(architecture: Architecture, allowed: Precision, visits: int) -> Precision:
    """Return the format to train `architecture` in on so many samples: `allowed` where that pays, else float32."""
    layers = (layer for layer in walk(architecture) if layer.operator == "conv")
    macs = sum(layer.weights * layer.shape_out[0] * layer.shape_out[1] for layer in layers)
    pays = macs >= _LEAST_MACS and macs * visits >= _LEAST_MACS_TRAINED
    return allowed if pays else "float32"

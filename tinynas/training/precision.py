"""The number format of a training: bfloat16 where the processor computes with it. Knows no TensorFlow."""

from pathlib import Path

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

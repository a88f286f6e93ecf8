"""The hardware check: all that a board needs to know of an architecture, in well under a millisecond."""

from typing import TYPE_CHECKING

from tinynas.architecture import Architecture
from tinynas.hardware import Flash, Footprint, energy, latency, ram_outside_arena, runtime_flash_bytes
from tinynas.screening.counts import deployed_params_of, flops_of, macs_of, values
from tinynas.screening.graph import TAG_BYTES, skeleton
from tinynas.screening.layers import layers
from tinynas.tflite import Graph, plan_arena, size_of
from tinynas.tflite.instructions import instructions
from tinynas.tflite.lifetimes import live_bytes

if TYPE_CHECKING:
    from tinynas.hardware import Target

_BUFFER = 12  # a constant's length word and its Buffer table; with the data a multiple of 16 (tflite/size.py)


def screen(architecture: Architecture, target: "Target") -> Footprint:
    """Return the footprint on `target` of the int8 file that `architecture` becomes, without making that file.

    Every figure is the one that `tflite.analyze` gives for the converted and stripped file: its size, the arena
    plan with the board's kernel library, parameters (the weights and biases in the file, where a batch norm is
    folded into a bias; Keras's own count is `count_params`), multiply-accumulates, instructions. FLOPs are those
    that keras-flops counts on the Keras model. A file in which constants are equal by chance shares their bytes
    and is that much smaller.
    """
    walk = layers(architecture)
    graph = skeleton(walk)
    library = target.kernel_library
    total = sum(instructions(graph, operator, library) for operator in graph.operators)
    kinds = {layer.operator for layer in walk}
    time = latency(total, target)
    work = energy(time, target)
    return Footprint(
        params=deployed_params_of(walk),
        flops=flops_of(walk),
        macs=macs_of(walk),
        largest_tensor_bytes=max(values(architecture.input_shape), *(values(layer.shape_out) for layer in walk)),
        flash=Flash(model=_file_bytes(graph), runtime=round(runtime_flash_bytes(kinds).value)),
        arena=plan_arena(graph, library),
        ram_outside_bytes=ram_outside_arena(len(kinds)),
        live_bytes_peak=max(live_bytes(graph)),
        instructions=total,
        latency_ms=None if time is None else time.value,
        energy_mj=None if work is None else work.value,
        arena_status=target.arena_status,
    )


def _file_bytes(graph: Graph) -> int:
    """Return the size of the file in which each tag is the constant that it stands for."""
    tagged = [tensor.bytes for tensor in graph.tensors if tensor.is_constant and tensor.is_quantized]
    return size_of(graph) + sum(_stored(n_bytes) - _stored(TAG_BYTES) for n_bytes in tagged)


def _stored(n_bytes: int) -> int:
    """Return what a constant and its buffer take of the file."""
    return -(-(n_bytes + _BUFFER) // 16) * 16

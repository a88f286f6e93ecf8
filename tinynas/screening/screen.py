"""The hardware check: all that a board needs to know of an architecture, in well under a millisecond."""

from typing import TYPE_CHECKING

from tinynas.architecture import Architecture
from tinynas.errors import check_kind
from tinynas.hardware import Footprint, costs, total
from tinynas.screening.counts import deployed_params_of, flops_of, macs_of, values
from tinynas.screening.graph import TAG_BYTES, skeleton
from tinynas.screening.layers import TFLITE, layers
from tinynas.tflite import Graph, plan_arena, size_of
from tinynas.tflite.lifetimes import live_bytes
from tinynas.tflite.size import constant_bytes
from tinynas.tflite.work import work

if TYPE_CHECKING:
    from tinynas.hardware import Target


def screen(architecture: Architecture, target: "Target") -> Footprint:
    """Return the footprint on `target` of the int8 file that `architecture` becomes, without making that file.

    Every figure is the one that `tflite.analyze` gives for the converted and stripped file: its size, the arena
    plan with the board's kernel library, parameters (the weights and biases in the file, where a batch norm is
    folded into a bias; Keras's own count is `count_params`), multiply-accumulates, instructions. FLOPs are those
    that keras-flops counts on the Keras model. A file in which constants are equal by chance shares their bytes
    and is that much smaller.
    """
    from tinynas.hardware import Target  # loads pydantic, as whoever has a Target has done

    check_kind("architecture", architecture, Architecture, "an Architecture")
    check_kind("target", target, Target, "a Target, such as Target.load('nucleo_f401')")
    walk = layers(architecture)
    graph = skeleton(walk)
    library = target.kernel_library
    whole = total(work(graph, operator, library, target) for operator in graph.operators)
    return costs({TFLITE[layer.operator] for layer in walk}, whole, target, target.kernels).footprint(
        params=deployed_params_of(walk),
        flops=flops_of(walk),
        macs=macs_of(walk),
        largest_tensor_bytes=max(values(architecture.input_shape), *(values(layer.shape_out) for layer in walk)),
        live_bytes_peak=max(live_bytes(graph)),
        instructions=whole.instructions,
        model_bytes=_file_bytes(graph),
        arena=plan_arena(graph, library),
    )


def _file_bytes(graph: Graph) -> int:
    """Return the size of the file in which each tag is the constant that it stands for."""
    tagged = [tensor.bytes for tensor in graph.tensors if tensor.is_constant and tensor.is_quantized]
    return size_of(graph) + sum(constant_bytes(n_bytes) - constant_bytes(TAG_BYTES) for n_bytes in tagged)

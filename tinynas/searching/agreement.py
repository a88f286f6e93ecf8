"""Does the screen say what the real file says? Checked for every child that is trained, and for the final model."""

from collections import Counter
from dataclasses import replace

from tinynas.architecture import Architecture
from tinynas.errors import ConversionError
from tinynas.hardware import Footprint
from tinynas.screening import lower_graph
from tinynas.tflite import Graph, read, size_of

_FIGURES = ("arena", "macs", "flops", "params", "largest_tensor_bytes", "instructions")


def require_agreement(architecture: Architecture, screened: Footprint, real: Footprint, data: bytes) -> None:
    """Raise ConversionError, naming the operator, unless the screen's figures are those of the converted file `data`.

    One difference is allowed: constants that are equal by chance share their bytes in the file, which is then smaller
    than screened by just that.
    """
    graph = read(data)
    wrong = [name for name in _FIGURES if getattr(screened, name) != getattr(real, name)]
    if screened.flash_bytes != size_of(_distinct(graph)):
        wrong.insert(0, "flash_bytes")
    if wrong:
        name = wrong[0]
        raise ConversionError(
            f"The screen and the converted file disagree on {name}: {getattr(screened, name)} screened, "
            f"{getattr(real, name)} in the file; {_first_difference(lower_graph(architecture), graph)}."
        )


def _distinct(graph: Graph) -> Graph:
    """Return the graph with no two quantised constants equal: how large the file is without that chance."""
    seen: Counter[int] = Counter()
    tensors = []
    for tensor in graph.tensors:
        if tensor.data and tensor.scales:
            length = len(tensor.data)
            seen[length] += 1
            tensor = replace(tensor, data=seen[length].to_bytes(8, "little")[:length].ljust(length, b"\xff"))
        tensors.append(tensor)
    return replace(graph, tensors=tuple(tensors))


def _first_difference(lowered: Graph, real: Graph) -> str:
    """Return where the two graphs part, operator by operator."""
    for number, (ours, theirs) in enumerate(zip(lowered.operators, real.operators, strict=False)):
        if (ours.name, ours.version, ours.options) != (theirs.name, theirs.version, theirs.options):
            return f"operator {number} is {ours.name} on one side and {theirs.name} on the other, or its options differ"
        for end in ("inputs", "outputs"):
            shapes = [[g.tensors[i].shape for i in getattr(o, end)] for g, o in ((lowered, ours), (real, theirs))]
            if shapes[0] != shapes[1]:
                return (
                    f"the {end} of operator {number}, {ours.name}, are {shapes[0]} screened and {shapes[1]} in the file"
                )
    if len(lowered.operators) != len(real.operators):
        return f"there are {len(lowered.operators)} operators screened and {len(real.operators)} in the file"
    return "their operators are the same"

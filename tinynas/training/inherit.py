"""Weights from a trained network for a changed one: what did not change is kept, what did is sliced or padded."""

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher

import numpy as np

from tinynas.architecture import Architecture, Block, walk

Weights = Mapping[str, Sequence[np.ndarray]]


def inherit(child: Architecture, fresh: Weights, parent: Architecture, trained: Weights) -> dict[str, list[np.ndarray]]:
    """Return weights for `child`, by layer name: those of `parent` where they apply, `fresh` ones elsewhere.

    `fresh` are the child's initial weights, `trained` the parent's. Blocks are matched in order. Of a matched layer
    the common filters, the common input channels and the middle of a kernel are taken over. New filters keep their
    fresh weights, but what the next layer makes of them starts at zero, so that a wider child computes what its parent
    did (function-preserving widening in the manner of Net2Net, Chen et al. 2016, with zeros in place of copies).
    """
    weights = {name: [np.array(array) for array in arrays] for name, arrays in fresh.items()}
    operators = {layer.name: layer.operator for layer in walk(child)}
    for name, arrays in weights.items():
        source = _source(name, child, parent)
        if source is None or source not in trained:
            continue
        for index, (array, old) in enumerate(zip(arrays, trained[source], strict=False)):
            arrays[index] = _taken_over(array, np.asarray(old), operators.get(name, ""), child, parent)
    return weights


def _source(name: str, child: Architecture, parent: Architecture) -> str | None:
    """Return the parent's name of the child's layer `name`; None for a layer of a block that is new."""
    block, separator, rest = name.partition("_")
    if not block.startswith("block"):
        return name
    origin = match_blocks(child, parent).get(int(block.removeprefix("block")))
    return None if origin is None else f"block{origin}{separator}{rest}"


def match_blocks(child: Architecture, parent: Architecture) -> dict[int, int]:
    """Return the parent's block for each block of `child` that came from one; both in the same order.

    Equal blocks are matched first, as in a comparison of two texts; of a replaced stretch the blocks of one kind are
    matched in order.
    """
    matched: dict[int, int] = {}
    for tag, first, last, theirs, end in SequenceMatcher(
        None, child.blocks, parent.blocks, autojunk=False
    ).get_opcodes():
        if tag == "equal":
            matched.update(zip(range(first, last), range(theirs, end), strict=True))
        elif tag == "replace":
            at = theirs
            for number in range(first, last):
                same = (other for other in range(at, end) if _akin(child.blocks[number], parent.blocks[other]))
                found = next(same, None)
                if found is not None:
                    matched[number], at = found, found + 1
    return matched


def _akin(one: Block, other: Block) -> bool:
    return one.kind == other.kind


def _taken_over(
    fresh: np.ndarray, old: np.ndarray, operator: str, child: Architecture, parent: Architecture
) -> np.ndarray:
    """Return `fresh` with what `old` has for it: a kernel (kh, kw, in, out) or (in, out), or a vector (channels,)."""
    if fresh.ndim == 2:
        return _flat_taken_over(fresh, old, child, parent)
    taken: np.ndarray = np.array(fresh)
    if fresh.ndim == 1:
        common = min(len(fresh), len(old))
        taken[:common] = old[:common]
        return taken
    inner, outer = _middle(fresh.shape[0], old.shape[0]), _middle(fresh.shape[1], old.shape[1])
    channels, filters = (min(a, b) for a, b in zip(fresh.shape[2:], old.shape[2:], strict=True))
    if operator == "conv":
        taken[:, :, channels:, :filters] = 0.0  # what is made of new channels; new filters see them freshly
    taken[:, :, :channels, :filters] = 0.0
    taken[inner[0], outer[0], :channels, :filters] = old[inner[1], outer[1], :channels, :filters]
    return taken


def _middle(new: int, old: int) -> tuple[slice, slice]:
    """Return where the middle of an axis of length `old` lies in one of length `new`, and what of it."""
    common = min(new, old)
    here, there = (new - common) // 2, (old - common) // 2
    return slice(here, here + common), slice(there, there + common)


def _flat_taken_over(fresh: np.ndarray, old: np.ndarray, child: Architecture, parent: Architecture) -> np.ndarray:
    """Return the kernel of a dense layer behind Flatten: (H x W x C, units), or (units, units) behind another one."""
    maps = [_flattened(network, kernel.shape[0]) for network, kernel in ((child, fresh), (parent, old))]
    if maps[0] is None or maps[1] is None or maps[0][:2] != maps[1][:2]:
        return np.array(fresh)
    height, width, channels = maps[0]
    new = fresh.reshape(height, width, channels, -1).copy()
    before = old.reshape(height, width, maps[1][2], -1)
    common, units = min(channels, maps[1][2]), min(new.shape[3], before.shape[3])
    new[:, :, common:, :units] = 0.0
    new[:, :, :common, :units] = before[:, :, :common, :units]
    kernel: np.ndarray = new.reshape(fresh.shape)
    return kernel


def _flattened(architecture: Architecture, values: int) -> tuple[int, int, int] | None:
    """Return the map (H, W, C) that the dense layer with so many inputs sees; None for neither map nor vector."""
    height, width, channels = architecture.shapes[-1]
    if architecture.head.pooling == "flatten" and values == height * width * channels:
        return height, width, channels
    return 1, 1, values

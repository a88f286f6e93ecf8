"""Weights as the kernels read them: their order in Flash, and what of them goes into the biases."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tinynas.engine.net import Convolution, Depthwise, Ints, Net, Scaling

_GATHERED = 160  # TN_GATHERED in kernels/convolution.c
# Where the weight of filter f and column k of four by four lies: a0 b0 a2 b2, c0 d0 c2 d2, a1 b1 a3 b3, c1 d1 c3 d3.
_QUAD = np.array([[8 * (k % 2) + 4 * (f // 2) + 2 * (k // 2) + f % 2 for k in range(4)] for f in range(4)])


class Stretches(NamedTuple):
    """A row of taps as `runs` stretches of `run` values; `joined`: a row that lies inside the map is one stretch.

    `tall`: rows of taps are joined too, in a map of one column. `gathered`: a window at the border is put together
    first, so that it is joined too.
    """

    run: int
    runs: int
    joined: bool
    tall: bool
    gathered: bool


def stretches(spec: Convolution) -> Stretches:
    """A stretch is a row of taps where the window is small, else a tap."""
    w, values = spec.window, spec.weights.shape[3]
    side_by_side = spec.groups == 1 and w.dilation_w == 1
    size = spec.weights[0].size
    if side_by_side and size <= _GATHERED:
        is_column = (w.width, w.kernel_w, w.dilation_h) == (1, 1, 1) and w.kernel_h > 1
        return Stretches(size if is_column else w.kernel_w * values, 1, True, is_column, True)
    joined = w.kernel_w == 1 or (side_by_side and values % 4 == 0)
    return Stretches(values, w.kernel_w, joined, False, False)


def needs_stretches(spec: Convolution) -> bool:
    """Whether some window of the layer is read stretch by stretch."""
    found = stretches(spec)
    return not found.gathered and (not found.joined or spec.window.touches_border)


def in_quads(spec: Convolution) -> npt.NDArray[np.int64]:
    """The weights, four filters at a time and what is left of each group one by one: as many as there were."""
    n_filters, run, whole = len(spec.weights), stretches(spec).run, stretches(spec).run // 4 * 4
    per_group = n_filters // spec.groups
    n_fours = per_group // 4
    by_group = spec.weights.reshape(spec.groups, per_group, -1, run)
    fours = by_group[:, : 4 * n_fours].reshape(spec.groups, n_fours, 4, by_group.shape[2], run)
    columns = fours[..., :whole].reshape(*fours.shape[:4], whole // 4, 4)
    quads = np.empty((spec.groups, n_fours, by_group.shape[2], whole // 4, 16), np.int8)
    quads[..., _QUAD] = columns.transpose(0, 1, 3, 4, 2, 5)
    rest = fours[..., whole:].transpose(0, 1, 3, 4, 2)
    in_fours = np.concatenate(
        [each.reshape(*each.shape[:3], size * 4) for each, size in ((quads, whole), (rest, run - whole))], 3
    )
    left = by_group[:, 4 * n_fours :].reshape(spec.groups, (per_group - 4 * n_fours) * spec.weights[0].size)
    both = [in_fours.reshape(spec.groups, n_fours * 4 * spec.weights[0].size), left]
    return np.concatenate(both, 1).reshape(-1).astype(np.int64)


def folded_bias(spec: Convolution | Depthwise) -> npt.NDArray[np.int64]:
    """The bias less the input's zero point times all weights of the channel, as int32 wraps it."""
    below, above = spec.tap_sums
    sums = (below + above).reshape(len(spec.bias), -1).sum(1)
    folded: npt.NDArray[np.int64] = (spec.bias - spec.zero * sums + 2**31) % 2**32 - 2**31
    return folded


_SHIFT_BITS = 5  # below a bias: tn_shift in kernels/scale.h


def biases_with_shifts(bias: Ints, scaling: Scaling, wide: bool) -> Ints:
    """The channels' biases and right shifts, a word of both each, or (`wide`) a word of each; a multiplier of 0 keeps a
    right shift of 1."""
    shifts = np.where(scaling.multipliers == 0, -1, scaling.shifts)
    if wide:
        return np.stack([bias, shifts], 1).reshape(-1)
    packed: Ints = bias * 2**_SHIFT_BITS - shifts
    return packed


@lru_cache(maxsize=8)
def has_wide_biases(net: Net) -> bool:
    """Whether some layer's bias and shift do not fit into a word: the shift goes left, or the bias is great."""
    for layer in net.layers:
        spec = layer.spec
        if isinstance(spec, Convolution | Depthwise):
            bias = folded_bias(spec) if isinstance(spec, Convolution) else spec.bias
            most = 2 ** (31 - _SHIFT_BITS)
            shifts = spec.scaling.shifts[spec.scaling.multipliers != 0]
            if bias.min(initial=0) < -most or bias.max(initial=0) >= most or shifts.max(initial=0) > 0:
                return True
    return False

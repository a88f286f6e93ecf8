"""Hand-made networks to start from, for pictures and for series, small to large."""

from collections.abc import Callable

from tinynas.architecture.architecture import Head
from tinynas.architecture.block import Block
from tinynas.architecture.walk import Shape

Start = tuple[tuple[Block, ...], Head]


def starts(shape: Shape) -> tuple[Start, ...]:
    """Return the starts for an input of `shape` (H, W, C); the space's repair makes them fit small maps."""
    return _series(max(shape[:2])) if min(shape[:2]) == 1 else _pictures(max(shape[:2]))


def _pictures(longest: int) -> tuple[Start, ...]:
    first = 2 if longest >= 48 else 1  # a large picture is halved by the first convolution already
    small = (_conv(8, 3, first, pool="max"), _conv(16, 3, pool="max"), _conv(24, 3))
    flat = (_conv(8, 3, first, pool="max"), _conv(12, 3, pool="max"), _separable(16, 3, pool="max"))
    stack = (_conv(16, 3, 2), _separable(24, 3), _separable(32, 3, pool="max"), _separable(48, 3))
    shortcuts = (
        _conv(16, 3, first, pool="max"),
        _conv(16, 3, residual=True),
        _separable(32, 3, pool="max"),
        _separable(32, 3, residual=True),
    )
    strong = (
        _conv(16, 3, first),
        _conv(24, 3, pool="max"),
        _separable(48, 3, pool="max"),
        _separable(64, 3),
        _separable(96, 3),
    )
    lean = (_conv(8, 3, 2), _conv(16, 3), _conv(24, 3, 2), _conv(32, 3))  # no map of full size: for a small arena
    large = (
        _conv(32, 3, first, pool="max"),
        _conv(32, 3),
        _separable(64, 3, pool="max"),
        _separable(96, 3),
        _separable(112, 3),
        _separable(128, 3),
    )
    return (
        (small, Head()),
        (flat, Head("flatten", 32)),
        (stack, Head()),
        (shortcuts, Head()),
        (lean, Head()),
        (strong, Head()),
        (large, Head()),
    )


def _series(length: int) -> tuple[Start, ...]:
    """A long series is cut down by the stride of its first, long kernel, and then by pools."""
    first = 4 if length >= 512 else 2 if length >= 64 else 1
    long = 15 if length >= 512 else 9 if length >= 64 else 5
    pool = 4 if length >= 256 else 2
    small = (_conv(8, long, first, pool="max", pool_size=pool), _conv(16, 5, pool="max"))
    flat = (_conv(8, long, first, pool="max", pool_size=pool), _conv(12, 5, pool="max", pool_size=pool))
    stack = (
        _conv(16, 9, first),
        _separable(24, 9, pool="max"),
        _separable(32, 9, pool="max"),
        _separable(48, 5),
    )
    strong = (
        _conv(16, 9, first, pool="max"),
        _conv(32, 5, pool="max"),
        _conv(48, 5, pool="max"),
        _separable(64, 5),
        _separable(96, 3),
    )
    large = (
        _conv(32, 9, first, pool="max"),
        _conv(48, 5),
        _separable(64, 5, pool="max"),
        _separable(96, 5),
        _separable(128, 5),
    )
    return (small, Head()), (flat, Head("flatten", 32)), (stack, Head()), (strong, Head()), (large, Head())


def _of_kind(kind: str) -> Callable[..., Block]:
    def block(filters: int, kernel_size: int, stride: int = 1, **genes: object) -> Block:
        return Block.from_dict(
            {"kind": kind, "filters": filters, "kernel_size": kernel_size, "stride": stride, **genes}
        )

    return block


_conv = _of_kind("conv")
_separable = _of_kind("separable")

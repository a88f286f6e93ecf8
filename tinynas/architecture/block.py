"""One block of a network: a convolution with its normalisation, activation, shortcut and pool, as a value."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from tinynas.architecture import checks
from tinynas.errors import ArchitectureError

Shape = tuple[int, int, int]
Kind = Literal["conv", "depthwise", "separable"]
Padding = Literal["same", "valid"]
Activation = Literal["relu", "relu6"]
Pool = Literal["max", "avg"]

KINDS: tuple[Kind, ...] = get_args(Kind)
PADDINGS: tuple[Padding, ...] = get_args(Padding)
ACTIVATIONS: tuple[Activation, ...] = get_args(Activation)
POOLS: tuple[Pool | None, ...] = (None, *get_args(Pool))

_SHORT = {"conv": "conv", "depthwise": "dw", "separable": "sep"}


@dataclass(frozen=True)
class Block:
    """The genes of one block. Raises ArchitectureError for a value that no block may have.

    The layers, in order: Conv2D, or DepthwiseConv2D, or ("separable") DepthwiseConv2D, activation and a 1x1
    Conv2D; each convolution with a bias, or with batch norm instead; then, if `residual`, the sum with the
    block's input; the activation; the pool, with stride = window and padding "valid"; dropout.

    Shapes are (H, W, C); a series of L steps is (L, 1, C). The axis rule: on an axis of length 1 the kernel,
    the stride and the pool are 1, so that a series gets (k, 1) kernels. A depthwise block has its input's
    channels, whatever `filters` says.
    """

    kind: Kind
    filters: int
    kernel_size: int
    stride: int = 1
    padding: Padding = "same"
    activation: Activation = "relu"
    batch_norm: bool = True
    pool: Pool | None = None
    pool_size: int = 2
    residual: bool = False

    def __post_init__(self) -> None:
        checks.one_of(self.kind, KINDS, "A block's kind")
        checks.whole(self.filters, 1, "A block's filters")
        checks.whole(self.kernel_size, 1, "A block's kernel_size")
        checks.whole(self.stride, 1, "A block's stride")
        checks.one_of(self.padding, PADDINGS, "A block's padding")
        checks.one_of(self.activation, ACTIVATIONS, "A block's activation")
        checks.one_of(self.batch_norm, (True, False), "A block's batch_norm")
        checks.one_of(self.pool, POOLS, "A block's pool")
        checks.whole(self.pool_size, 2, "A block's pool_size")
        checks.one_of(self.residual, (True, False), "A block's residual")

    def kernel(self, input_shape: Shape) -> tuple[int, int]:
        """Return the effective (height, width) of the kernel."""
        return _effective(self.kernel_size, input_shape)

    def strides(self, input_shape: Shape) -> tuple[int, int]:
        """Return the effective (height, width) of the stride.

        TensorFlow's depthwise convolution takes equal strides only. On a map with one axis of length 1 the
        depthwise layer therefore has the stride on both: along the short axis it changes neither shape nor
        values.
        """
        height, width = _effective(self.stride, input_shape)
        if self.kind != "conv" and height != width:
            return self.stride, self.stride
        return height, width

    def pool_window(self, conv_shape: Shape) -> tuple[int, int]:
        """Return the effective (height, width) of the pool on the map it pools; (1, 1) without a pool."""
        return _effective(self.pool_size, conv_shape) if self.pool is not None else (1, 1)

    def conv_shape(self, input_shape: Shape) -> Shape:
        """Return the shape after the convolution, before the pool; "valid" may give numbers below 1."""
        (height, width, channels), (kh, kw), (sh, sw) = (
            input_shape,
            self.kernel(input_shape),
            self.strides(input_shape),
        )
        if self.kind != "depthwise":
            channels = self.filters
        if self.padding == "same":
            return -(-height // sh), -(-width // sw), channels
        return (height - kh) // sh + 1, (width - kw) // sw + 1, channels

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape after the whole block; a pool drops what does not fill a window."""
        height, width, channels = shape = self.conv_shape(input_shape)
        if self.pool is None:
            return shape
        ph, pw = self.pool_window(shape)
        return height // ph, width // pw, channels

    def fault(self, input_shape: Shape) -> str | None:
        """Return why this block cannot follow a map of `input_shape`, or None when it can."""
        height, width, _ = input_shape
        kh, kw = self.kernel(input_shape)
        if self.padding == "valid" and (kh > height or kw > width):
            return f"its kernel {kh}x{kw} with padding 'valid' does not fit a {height}x{width} map"
        conv = self.conv_shape(input_shape)
        if self.residual and conv != input_shape:
            return f"its residual needs equal shapes, but {input_shape} goes in and {conv} comes out"
        if self.pool is not None:
            ph, pw = self.pool_window(conv)
            if (ph, pw) == (1, 1) or ph > conv[0] or pw > conv[1]:
                return f"its pool of {self.pool_size} does not fit a {conv[0]}x{conv[1]} map"
        return None

    def to_dict(self) -> dict[str, Any]:
        """Return the genes as plain values that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Any, where: str = "A block") -> "Block":
        """Return the block that `to_dict` gave; ArchitectureError on an unknown key or a bad value."""
        genes = checks.mapping(cls, data, where)
        try:
            return cls(**genes)
        except ArchitectureError as error:
            raise ArchitectureError(str(error).replace("A block", where, 1)) from None

    def __str__(self) -> str:
        filters = "" if self.kind == "depthwise" else str(self.filters)
        stride = f"s{self.stride}" if self.stride > 1 else ""
        words = [f"{_SHORT[self.kind]}{filters}k{self.kernel_size}{stride}"]
        words += ["valid"] if self.padding == "valid" else []
        words += ["bn"] if self.batch_norm else []
        words += [self.activation]
        words += ["res"] if self.residual else []
        words += [f"{self.pool}{self.pool_size}"] if self.pool is not None else []
        return " ".join(words)


def _effective(size: int, shape: Shape) -> tuple[int, int]:
    """Return `size` on each axis of the map that is longer than 1, and 1 on the others."""
    return (size if shape[0] > 1 else 1), (size if shape[1] > 1 else 1)

"""One block of a network: a convolution with its normalisation, activation, shortcut and pool, as a value."""

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from tinynas.architecture import checks
from tinynas.architecture.kinds import KINDS, require_kind
from tinynas.architecture.walk import Shape, convolutions, effective
from tinynas.errors import ArchitectureError

Padding = Literal["same", "valid"]
Activation = Literal["relu", "relu6"]
Pool = Literal["max", "avg"]

PADDINGS: tuple[Padding, ...] = get_args(Padding)
ACTIVATIONS: tuple[Activation, ...] = get_args(Activation)
POOLS: tuple[Pool | None, ...] = (None, *get_args(Pool))


@dataclass(frozen=True)
class Block:
    """The genes of one block. Raises ArchitectureError for a value that no block may have.

    The layers, in order (`walk` gives them as values): the convolutions of the kind, see `KINDS`, each with a bias,
    or with batch norm instead, and with the activation unless its row says that it is linear; if `residual`, the sum
    with the block's input, before the last one's activation; the pool, with stride = window and padding "valid";
    dropout.

    Shapes are (H, W, C); a series of L steps is (L, 1, C). The axis rule: on an axis of length 1 the kernel, the
    stride and the pool are 1, so that a series gets (k, 1) kernels. A block without a full convolution (depthwise) has
    its input's channels, whatever `filters` says, and `expansion` is for kinds that expand (inverted).
    """

    kind: str
    filters: int
    kernel_size: int
    stride: int = 1
    padding: Padding = "same"
    activation: Activation = "relu"
    batch_norm: bool = True
    pool: Pool | None = None
    pool_size: int = 2
    residual: bool = False
    expansion: int = 4

    def __post_init__(self) -> None:
        require_kind(self.kind, "A block's kind")
        checks.whole(self.filters, 1, "A block's filters")
        checks.whole(self.kernel_size, 1, "A block's kernel_size")
        checks.whole(self.stride, 1, "A block's stride")
        checks.one_of(self.padding, PADDINGS, "A block's padding")
        checks.one_of(self.activation, ACTIVATIONS, "A block's activation")
        checks.one_of(self.batch_norm, (True, False), "A block's batch_norm")
        checks.one_of(self.pool, POOLS, "A block's pool")
        checks.whole(self.pool_size, 2, "A block's pool_size")
        checks.one_of(self.residual, (True, False), "A block's residual")
        checks.whole(self.expansion, 1, "A block's expansion")

    def kernel(self, input_shape: Shape) -> tuple[int, int]:
        """Return the effective (height, width) of the kernel."""
        return effective(self.kernel_size, input_shape)

    def strides(self, input_shape: Shape) -> tuple[int, int]:
        """Return the effective (height, width) of the stride, of that convolution which has it."""
        kind = KINDS[self.kind]
        return convolutions(self, input_shape)[kind.stages.index(kind.strided)].strides

    def pool_window(self, conv_shape: Shape) -> tuple[int, int]:
        """Return the effective (height, width) of the pool on the map it pools; (1, 1) without a pool."""
        return effective(self.pool_size, conv_shape) if self.pool is not None else (1, 1)

    def conv_shape(self, input_shape: Shape) -> Shape:
        """Return the shape after the convolutions, before the pool; "valid" may give numbers below 1."""
        return convolutions(self, input_shape)[-1].shape_out

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape after the whole block."""
        return self.pooled(self.conv_shape(input_shape))

    def pooled(self, conv_shape: Shape) -> Shape:
        """Return the shape after the pool, which drops what does not fill a window."""
        (height, width, channels), (ph, pw) = conv_shape, self.pool_window(conv_shape)
        return height // ph, width // pw, channels

    def fault(self, input_shape: Shape) -> str | None:
        """Return why this block cannot follow a map of `input_shape`, or None when it can."""
        layers = convolutions(self, input_shape)
        for layer in layers:
            (height, width, _), (kh, kw) = layer.shape_in, layer.kernel
            if layer.padding == "valid" and (kh > height or kw > width):
                return f"its kernel {kh}x{kw} with padding 'valid' does not fit a {height}x{width} map"
        conv = layers[-1].shape_out
        if self.residual and conv != input_shape:
            return f"its residual needs equal shapes, but {input_shape} goes in and {conv} comes out"
        if self.pool is not None:
            ph, pw = self.pool_window(conv)
            if (ph, pw) == (1, 1) or ph > conv[0] or pw > conv[1]:
                return f"its pool of {self.pool_size} does not fit a {conv[0]}x{conv[1]} map"
        return None

    def to_dict(self) -> dict[str, Any]:
        """Return the genes as plain values that JSON can hold; those that few kinds have, for these kinds alone."""
        genes = {field.name: getattr(self, field.name) for field in fields(self)}
        if not KINDS[self.kind].expands and self.expansion == Block.expansion:
            del genes["expansion"]  # the key of an architecture from before there was this gene stays
        return genes

    @classmethod
    def from_dict(cls, data: Any, where: str = "A block") -> "Block":
        """Return the block that `to_dict` gave; ArchitectureError on an unknown key or a bad value."""
        genes = checks.mapping(cls, data, where)
        try:
            return cls(**genes)
        except ArchitectureError as error:
            raise ArchitectureError(str(error).replace("A block", where, 1)) from None

    def __str__(self) -> str:
        kind = KINDS[self.kind]
        filters = str(self.filters) if kind.has_filters else ""
        expansion = f"x{self.expansion}" if kind.expands else ""
        stride = f"s{self.stride}" if self.stride > 1 else ""
        words = [f"{kind.short}{filters}{expansion}k{self.kernel_size}{stride}"]
        words += ["valid"] if self.padding == "valid" else []
        words += ["bn"] if self.batch_norm else []
        words += [self.activation]
        words += ["res"] if self.residual else []
        words += [f"{self.pool}{self.pool_size}"] if self.pool is not None else []
        return " ".join(words)

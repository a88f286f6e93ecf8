"""An architecture as a picture: where each block, its text and the map that it makes are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from textwrap import wrap

from tinynas.architecture import KINDS, Architecture, Block, Shape
from tinynas.report.words import shape_text
from tinynas.screening.layers import TFLITE, layers
from tinynas.tflite import OperatorFigures

WIDTH, CARD, PITCH, TOP = 376, 268, 86, 14
"""In the picture's units: its width, where a card ends, from card to card, and above the first."""
_MAP_WIDTH, _MAP_HEIGHT, _LEAST = 62.0, 34.0, 3.0
_LINE = 38  # characters of a card's small text


@dataclass(frozen=True)
class Card:
    """A block as it is drawn: `y` is its top, `faces` are the three faces of the map it makes, as SVG points."""

    y: int
    kind: str
    title: str
    details: tuple[str, ...]
    shape: str
    bytes: int
    faces: tuple[str, str, str]
    residual: bool
    weights_bytes: int | None
    macs: int | None

    @property
    def stripe(self) -> str:
        """The class of its colour: by the place of a block's kind among all kinds."""
        return f"kind-{list(KINDS).index(self.kind)}" if self.kind in KINDS else self.kind


@dataclass(frozen=True)
class Drawing:
    """The picture of an architecture, `width` x `height` units."""

    width: int
    height: int
    cards: tuple[Card, ...]
    text: str


def draw(architecture: Architecture, operators: Sequence[OperatorFigures] = ()) -> Drawing:
    """Return the picture of `architecture`; `operators`, those of its file, give each block its weights and MACs."""
    shapes = architecture.shapes
    costs = _costs(architecture, operators)
    largest = _largest(shapes)
    rows: list[tuple[str, str, str, Shape, bool]] = [("input", "input", "int8", shapes[0], False)]
    for block, before, after in zip(architecture.blocks, shapes, shapes[1:], strict=False):
        rows.append((block.kind, block_title(block, before), block_detail(block, before), after, block.residual))
    rows += _head_rows(architecture)
    cards = []
    for place, (kind, title, detail, shape, residual) in enumerate(rows):
        y = TOP + PITCH * place
        weights, macs = costs[place - 1] if 0 < place <= len(costs) else (None, None)
        faces = _faces(shape, largest, CARD + 22, y + 22)
        lines = tuple(wrap(detail, _LINE))
        cards.append(Card(y, kind, title, lines, shape_text(shape), prod(shape), faces, residual, weights, macs))
    return Drawing(WIDTH, TOP + PITCH * len(rows) - 20, tuple(cards), str(architecture))


def block_title(block: Block, shape: Shape) -> str:
    """Return what the block is: "separable 3 × 3, 48 filters", "inverted ×4, 3 × 3, 32 filters"."""
    kernel = shape_text(block.kernel(shape))
    filters = f", {block.filters} filters" if KINDS[block.kind].has_filters else ""
    expansion = f" ×{block.expansion}," if KINDS[block.kind].expands else ""
    return f"{block.kind}{expansion} {kernel}{filters}"


def block_detail(block: Block, shape: Shape) -> str:
    """Return the rest of the block: stride, padding, normalisation, activation, shortcut and pool."""
    words = []
    if max(block.strides(shape)) > 1:
        words.append(f"stride {shape_text(block.strides(shape))}")
    if block.padding == "valid":
        words.append("no padding")
    if block.batch_norm:
        words.append("batch norm")
    words.append(block.activation)
    if block.residual:
        words.append("shortcut")
    if block.pool is not None:
        words.append(f"{block.pool} pool {shape_text(block.pool_window(block.conv_shape(shape)))}")
    return ", ".join(words)


def _head_rows(architecture: Architecture) -> list[tuple[str, str, str, Shape, bool]]:
    height, width, channels = architecture.shapes[-1]
    head, rate = architecture.head, architecture.dropout_rates[-1]
    flat = channels if head.pooling == "gap" else height * width * channels
    title, detail = "flatten", "the map as one row"
    if head.pooling == "gap":
        title, detail = "average over the map", f"pool {shape_text((height, width))}"
    rows: list[tuple[str, str, str, Shape, bool]] = [("head", title, detail, (1, 1, flat), False)]
    if head.hidden_units:
        rows.append(("head", f"dense, {head.hidden_units} units", "relu", (1, 1, head.hidden_units), False))
    drop = f"dropout {rate:g} in training, softmax" if rate else "softmax"
    rows.append(("head", f"dense, {architecture.n_classes} classes", drop, (1, 1, architecture.n_classes), False))
    return rows


def _costs(architecture: Architecture, operators: Sequence[OperatorFigures]) -> list[tuple[int, int]]:
    """Return (weights in bytes, MACs) of each row below the input; [] where the operators are not the genome's."""
    walked = layers(architecture)
    if [TFLITE[layer.operator] for layer in walked] != [operator.name for operator in operators]:
        return []
    row, depth = 0, len(architecture.blocks)
    costs = [(0, 0)] * (depth + 1 + sum(layer.operator == "dense" for layer in walked))
    for layer, operator in zip(walked, operators, strict=True):
        row = max(row, depth) + (layer.operator == "dense") if layer.block is None else layer.block
        weights, macs = costs[row]
        costs[row] = (weights + operator.weights_bytes, macs + operator.macs)
    return costs


def _largest(shapes: Sequence[Shape]) -> Shape:
    heights, widths, channels = zip(*shapes, strict=True)
    return max(heights), max(widths), max(channels)


def _faces(shape: Shape, largest: Shape, x: float, middle: float) -> tuple[str, str, str]:
    """Return front, top and side of a box whose width is by the channels, and whose height and depth are the map's."""
    width, height, depth = (
        max(_LEAST, room * min(1.0, size / most) ** 0.5)
        for room, size, most in zip(
            (_MAP_WIDTH, _MAP_HEIGHT, 0.45 * _MAP_HEIGHT), (shape[2], shape[0], shape[1]),
            (largest[2], max(largest[:2]), max(largest[:2])), strict=True,
        )
    )  # fmt: skip
    y = middle - (height - depth) / 2
    front = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    top = [(x, y), (x + depth, y - depth), (x + width + depth, y - depth), (x + width, y)]
    side = [
        (x + width, y), (x + width + depth, y - depth),
        (x + width + depth, y - depth + height), (x + width, y + height),
    ]  # fmt: skip
    texts = [" ".join(f"{a:.1f},{b:.1f}" for a, b in face) for face in (front, top, side)]
    return texts[0], texts[1], texts[2]

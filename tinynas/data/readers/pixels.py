"""The pixels of a picture with all the bits that its file has: bytes, 16 bits, 32-bit integers or floats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL import Image

Array = npt.NDArray[Any]
Size = tuple[int, int]
Depth = Literal["uint8", "uint16", "int32", "float32"]

ORIENTATION = 0x0112  # the EXIF tag
_GREY_MODES = frozenset({"1", "L", "LA", "I", "F"})
_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R 601, as Pillow has it
_BYTE_TO_16 = 257  # 255 becomes 65535


@dataclass(frozen=True)
class Kind:
    """What a picture is before its pixels are read: its size turned upright, whether it is grey, and its depth.

    `cut` says that only the upper 8 of its 16 bits can be read.
    """

    height: int
    width: int
    is_grey: bool
    depth: Depth
    cut: bool = False


def kind_of(image: Image.Image) -> Kind:
    """The kind of a picture that was just opened."""
    tiles = getattr(image, "tile", ())
    deep = any(isinstance(tile[3], tuple) and tile[3][-1] in range(256, 65536) for tile in tiles)
    raw = _raw_mode(image)  # is gone, as the tiles are, once the tags are read
    height, width = image.height, image.width
    if image.getexif().get(ORIENTATION, 1) in (5, 6, 7, 8):  # lies on its side
        height, width = width, height
    mode = image.mode
    is_grey = mode in _GREY_MODES or mode.startswith("I;16")
    if mode == "F":
        return Kind(height, width, is_grey, "float32")
    if mode.startswith("I;16") or (mode == "I" and image.format == "PPM"):  # Pillow scales these to 16 bits
        return Kind(height, width, is_grey, "uint16")
    if mode == "I":
        return Kind(height, width, is_grey, "int32")
    if ";16" not in raw:
        return Kind(height, width, is_grey, "uint8", image.format == "PPM" and raw == "RGB" and deep)
    is_known = raw in ("RGB;16B", "RGB;16L", "RGBA;16B", "RGBA;16L")
    return Kind(height, width, raw.startswith("LA"), "uint16" if is_known else "uint8", not is_known)


def pixels(image: Image.Image, size: Size, is_grey: bool, depth: Depth) -> Array:
    """The picture as (H, W) or (H, W, 3) of type `depth`, upright, transparent parts black, all pixels averaged in."""
    if depth == "uint8":
        return _bytes(image, size, is_grey)
    from PIL import ImageOps

    raw, kind = _raw_mode(image), kind_of(image)
    if kind.depth == "uint8":
        scale = _BYTE_TO_16 if depth == "uint16" else 1
        values = _bytes(image, (kind.height, kind.width), is_grey).astype(np.float64) * scale
    elif image.mode in ("RGB", "RGBA"):
        values = _turned(_colours(image, raw), image)
    else:
        values = np.asarray(ImageOps.exif_transpose(image), dtype=np.float64)
    if values.ndim == 3 and is_grey:
        values = values @ _LUMA
    if values.ndim == 2 and not is_grey:
        values = np.repeat(values[..., None], 3, axis=2)
    values = _resized(values, size)
    return values.astype(np.float32) if depth == "float32" else np.round(values).astype(depth)


def _bytes(image: Image.Image, size: Size, is_grey: bool) -> Array:
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    if "transparency" in image.info or image.mode in ("LA", "PA", "RGBA"):
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image)
    image = image.convert("L" if is_grey else "RGB")
    height, width = size
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.uint8)


def _raw_mode(image: Image.Image) -> str:
    """How the file holds a pixel, by Pillow's name; "" where it does not say so."""
    for tile in getattr(image, "tile", ()):
        arguments = tile[3]
        return str(arguments[0] if isinstance(arguments, tuple) and arguments else arguments)
    return ""


def _colours(image: Image.Image, raw: str) -> Array:
    """Colours of 16 bits (H, W, 3), times their opacity.

    Pillow keeps the upper byte of each. Told that the bytes lie the other way round, it keeps the lower one.
    """
    other = raw.replace("16B", "16L") if "16B" in raw else raw.replace("16L", "16B")
    high, low = (np.asarray(_reopened(image, each), dtype=np.float64) for each in (raw, other))
    values = 256 * high + low
    if values.shape[-1] == 4:
        values = values[..., :3] * values[..., 3:] / 65535
    return values


def _reopened(image: Image.Image, raw: str) -> Image.Image:
    """The same file, opened again, with its pixels read as `raw`."""
    from PIL import Image

    with Image.open(image.filename, formats=[str(image.format)]) as again:  # type: ignore[attr-defined]
        tile = again.tile[0]
        arguments = (raw, *tile[3][1:]) if isinstance(tile[3], tuple) else raw
        again.tile = [tile._replace(args=arguments)]
        again.load()
        copy: Image.Image = again.copy()
        return copy


def _turned(values: Array, image: Image.Image) -> Array:
    """Values (H, W, 3) turned upright by the picture's EXIF tag."""
    turn = image.getexif().get(ORIENTATION, 1)
    if turn in (5, 6, 7, 8):
        values = values.swapaxes(0, 1)
    if turn in (2, 3, 6, 7):
        values = values[:, ::-1]
    return values[::-1] if turn in (3, 4, 7, 8) else values


def _resized(values: Array, size: Size) -> Array:
    from PIL import Image

    if values.shape[:2] == size:
        return values
    if values.ndim == 3:
        return np.stack([_resized(values[..., channel], size) for channel in range(values.shape[2])], axis=2)
    image = Image.fromarray(values.astype(np.float32)).resize((size[1], size[0]), Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.float64)

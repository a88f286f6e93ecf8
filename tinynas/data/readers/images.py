"""A folder of pictures by class, read with Pillow: one size, grey or colour, as bytes."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tinynas.data.files import read_meta
from tinynas.data.prepare import Source
from tinynas.data.readers.folders import IMAGES, parts
from tinynas.data.readers.places import placed
from tinynas.data.samples import allocate
from tinynas.errors import DataError
from tinynas.options.reading import ReadOptions

if TYPE_CHECKING:
    from PIL import Image

Bytes = npt.NDArray[np.uint8]
Size = tuple[int, int]

_LARGEST = 256  # a side above which no microcontroller takes the picture as it is
_ORIENTATION = 0x0112  # the EXIF tag
_GREY_MODES = frozenset({"1", "L", "LA", "I;16", "I;16B", "I;16L"})


def read_images(path: Path, options: ReadOptions) -> Source:
    """Pictures as uint8 (n, H, W, 1 or 3) and the names of their folders.

    Without image_size all must have one size; without colour they are grey when all of them are.
    """
    train, test, notes = parts(path)
    found = placed(train, IMAGES, "pictures", None, True)
    files, labels = found.files, found.labels
    found_test = None if test is None else placed(test, IMAGES, "pictures", None, True)
    files_test, labels_test = ([], []) if found_test is None else (found_test.files, found_test.labels)
    notes += found.notes
    size, colour = _agreed([*files, *files_test], path, options)
    meta = read_meta(path).with_layout("image", "the files are pictures")
    return Source(
        meta,
        _read_all(files, size, colour),
        labels,
        None if test is None else _read_all(files_test, size, colour),
        None if test is None else labels_test,
        notes=notes,
    )


def _agreed(files: Sequence[Path], path: Path, options: ReadOptions) -> tuple[Size, str]:
    """((height, width), colour) as asked for, or as all the files have them."""
    if options.image_size is not None and options.colour is not None:
        return options.image_size, options.colour
    kinds = Counter(_with_image(file, _kind) for file in files)
    colour = options.colour or ("grey" if all(mode in _GREY_MODES for _, _, mode in kinds) else "rgb")
    if options.image_size is not None:
        return options.image_size, colour
    sizes = Counter[Size]()
    for (height, width, _), count in kinds.items():
        sizes[height, width] += count
    (size, count), *others = sizes.most_common()
    if others:
        other = others[0][0]
        raise DataError(
            f"{path}: the pictures differ in size ({count} are {size[0]} x {size[1]}, {others[0][1]} are "
            f"{other[0]} x {other[1]}): give image_size (--image-size), such as 32 or 24x32"
        )
    if max(size) > _LARGEST:
        raise DataError(
            f"{path}: the pictures are {size[0]} x {size[1]}, more than {_LARGEST} a side, which is more than a "
            f"microcontroller takes: give image_size (--image-size), such as 96"
        )
    return size, colour


def _kind(image: Image.Image) -> tuple[int, int, str]:
    """(height, width, mode) of the picture when it is turned upright; its pixels are not read for that."""
    height, width = image.height, image.width
    if image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8):  # lies on its side
        height, width = width, height
    return height, width, image.mode


def _read_all(files: Sequence[Path], size: Size, colour: str) -> Bytes:
    out = allocate((len(files), *size, 1 if colour == "grey" else 3), np.uint8)
    for number, file in enumerate(files):
        out[number] = _with_image(file, lambda image: _pixels(image, size, colour)).reshape(out.shape[1:])
    return out


def _pixels(image: Image.Image, size: Size, colour: str) -> Bytes:
    """The picture as uint8 (H, W) or (H, W, 3), brought to the size with all of its pixels averaged in."""
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):  # Pillow would cut such values off at 255
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise ValueError(f"pixels of mode {image.mode} have no fixed range: save it with 8 bits")
    if "transparency" in image.info or image.mode in ("LA", "PA", "RGBA"):
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image)
    image = image.convert("L" if colour == "grey" else "RGB")
    height, width = size
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.uint8)


def _with_image(file: Path, look: Any) -> Any:
    """What `look` says of the picture in `file`; DataError naming the file when it cannot be read."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.filterwarnings("ignore", category=UserWarning)  # of odd metadata, which is not used
            with Image.open(file) as image:
                return look(image)
    except Exception as error:  # each of Pillow's decoders has its own kinds
        text = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(f"{file}: cannot be read as a picture ({text})") from error

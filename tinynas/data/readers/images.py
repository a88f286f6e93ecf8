"""A folder of pictures by class, read with Pillow: one size, grey or colour, with all the bits that the files have."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tinynas.data.files import read_meta
from tinynas.data.prepare import Source
from tinynas.data.readers.folders import IMAGES
from tinynas.data.readers.media import find_media
from tinynas.data.readers.pixels import Depth, Kind, Size, kind_of, pixels
from tinynas.data.samples import allocate
from tinynas.errors import DataError
from tinynas.options.reading import ReadOptions

Array = npt.NDArray[Any]

# What the suffixes promise. Pillow tells a file by its first bytes and would hand one that is EPS to Ghostscript.
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
_LARGEST = 256  # a side above which no microcontroller takes the picture as it is


class _Form(NamedTuple):
    """What all pictures are brought to."""

    size: Size
    is_grey: bool
    depth: Depth


def read_images(path: Path, options: ReadOptions) -> Source:
    """Pictures (n, H, W, 1 or 3), of 8 or 16 bits or whatever the files hold, and the names of their classes.

    Without image_size all must have one size; without colour they are grey when all of them are.
    """
    media = find_media(path, IMAGES, "pictures", options)
    train, test = media.train, media.test
    files = [*train.files, *(test.files if test is not None else [])]
    form, notes = _agreed(files, path, options)
    meta = read_meta(path).with_layout("image", "the files are pictures")
    source = Source(meta, _read_all(train.files, form), train.labels, groups=train.groups, notes=(*media.notes, *notes))
    if test is None:
        return source
    return replace(source, x_test=_read_all(test.files, form), y_test=test.labels, groups_test=test.groups)


def _agreed(files: Sequence[Path], path: Path, options: ReadOptions) -> tuple[_Form, tuple[str, ...]]:
    """Size, colour and depth as asked for, or as all the files have them, and what is to be said of that."""
    kinds = Counter[Kind](_with_image(file, kind_of) for file in files)
    is_grey = options.colour == "grey" if options.colour else all(kind.is_grey for kind in kinds)
    depth, notes = _depth(kinds, path)
    if options.image_size is not None:
        return _Form(options.image_size, is_grey, depth), notes
    sizes = Counter[Size]()
    for kind, count in kinds.items():
        sizes[kind.height, kind.width] += count
    (size, count), *others = sizes.most_common()
    if others:
        other = others[0][0]
        raise DataError(
            f"{path}: the pictures differ in size ({count} are {size[0]} x {size[1]}, {others[0][1]} are "
            f"{other[0]} x {other[1]}): give image_size (--image-size), such as 32 or 24x32"
        )
    if max(size) > _LARGEST:
        raise DataError(
            f"{path}: the pictures are {size[0]} x {size[1]}, more than {_LARGEST} on a side, which is more than a "
            f"microcontroller takes: give image_size (--image-size), such as 96"
        )
    return _Form(size, is_grey, depth), notes


def _depth(kinds: Counter[Kind], path: Path) -> tuple[Depth, tuple[str, ...]]:
    """The depth that keeps all bits of every picture, and sentences where it is not 8 bits."""
    depths = Counter[Depth]()
    for kind, count in kinds.items():
        depths[kind.depth] += count
    cut = sum(count for kind, count in kinds.items() if kind.cut)
    notes = (f"{cut:,} pictures have 16 bits for each colour, of which only the upper 8 can be read.",) if cut else ()
    if len(depths) == 1:
        (depth,) = depths
        told = {"uint8": "", "uint16": "16 bits", "int32": "32-bit integers", "float32": "floats"}[depth]
        more = (f"The pictures hold {told}, which are kept as they are.",) if told else ()
        return depth, (*notes, *more)
    if set(depths) != {"uint8", "uint16"}:
        counts = ", ".join(f"{count:,} of {depth}" for depth, count in depths.most_common())
        raise DataError(f"{path}: the pictures differ in what a pixel is ({counts}), wanted one: save them alike")
    return "uint16", (*notes, f"{depths['uint8']:,} of the pictures have 8 bits and the others 16: all become 16.")


def _read_all(files: Sequence[Path], form: _Form) -> Array:
    out = allocate((len(files), *form.size, 1 if form.is_grey else 3), np.dtype(form.depth))
    look = partial(pixels, size=form.size, is_grey=form.is_grey, depth=form.depth)
    for number, file in enumerate(files):
        out[number] = _with_image(file, look).reshape(out.shape[1:])
    return out


def _with_image(file: Path, look: Any) -> Any:
    """What `look` says of the picture in `file`; DataError naming the file when it cannot be read."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.filterwarnings("ignore", category=UserWarning)  # of odd metadata, which is not used
            with Image.open(file, formats=_FORMATS) as image:
                return look(image)
    except Exception as error:  # each of Pillow's decoders has its own kinds
        text = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(f"{file}: cannot be read as a picture ({text})") from error

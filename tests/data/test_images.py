"""Pictures: pixels against Pillow's own, what is turned, mixed, too large or broken."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from tinynas.data import load
from tinynas.errors import DataError

RNG = np.random.default_rng(0)


def save(folder, make, names=("a", "b"), n=5, suffix="png", **options):
    """n pictures a class, each what make(rng) gives; the arrays by file name."""
    for name in names:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(n):
            image = make()
            image.save(folder / name / f"{number}.{suffix}", **options)
    return folder


def grey(shape=(6, 4), mode="L"):
    return Image.fromarray(RNG.integers(0, 256, shape, dtype=np.uint8)).convert(mode)


def colour(shape=(6, 4, 3)):
    return Image.fromarray(RNG.integers(0, 256, shape, dtype=np.uint8))


def pixels_of(folder):
    """Every picture's bytes as Pillow gives them, with its class."""
    return {
        (np.asarray(Image.open(file), dtype=np.float64) / 255).astype(np.float32).tobytes(): file.parent.name
        for file in folder.glob("*/*")
    }


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "webp", "pgm", "PNG"])
def test_grey_pixels_are_pillows(tmp_path, suffix) -> None:
    options = {"lossless": True} if suffix == "webp" else {}
    data = load(save(tmp_path, grey, suffix=suffix, **options), colour="grey")
    assert data.input_shape == (6, 4, 1)
    assert data.normalization.source_dtype == "uint8"
    if suffix == "webp":
        return  # has no grey of its own: Pillow gives its colours back
    known = pixels_of(tmp_path)
    for x, y in ((data.x, data.y), (data.x_test, data.y_test)):
        for sample, label in zip(x, y, strict=True):
            assert known[sample[..., 0].tobytes()] == data.class_names[label]


def test_colour_pixels_are_pillows(tmp_path) -> None:
    data = load(save(tmp_path, colour))
    known = pixels_of(tmp_path)
    assert data.input_shape == (6, 4, 3)
    assert all(known[sample.tobytes()] == data.class_names[y] for sample, y in zip(data.x, data.y, strict=True))


def test_colour_is_grey_only_when_all_are(tmp_path) -> None:
    save(tmp_path, grey)
    assert load(tmp_path).input_shape == (6, 4, 1)
    assert load(tmp_path, colour="rgb").input_shape == (6, 4, 3)
    colour().save(tmp_path / "a" / "x.png")
    assert load(tmp_path).input_shape == (6, 4, 3)
    assert load(tmp_path, colour="grey").input_shape == (6, 4, 1)


def test_sizes_are_brought_together_when_asked(tmp_path) -> None:
    save(tmp_path, grey)
    grey((9, 9)).save(tmp_path / "b" / "x.png")
    with pytest.raises(DataError, match=r"differ in size \(10 are 6 x 4, 1 are 9 x 9\): give image_size"):
        load(tmp_path)
    assert load(tmp_path, image_size=(3, 5)).input_shape == (3, 5, 1)


def test_shrinking_averages_all_pixels(tmp_path) -> None:
    """A fine check becomes even grey: no pixel is skipped."""
    check = Image.fromarray((np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8))
    save(tmp_path, lambda: check)
    data = load(tmp_path, image_size=8)
    np.testing.assert_allclose(data.x, 0.5, atol=0.02)


def test_photographs_are_not_taken_as_they_are(tmp_path) -> None:
    save(tmp_path, lambda: grey((300, 20)))
    with pytest.raises(DataError, match="300 x 20, more than 256 a side"):
        load(tmp_path)
    assert load(tmp_path, image_size="24x16").input_shape == (24, 16, 1)


def test_a_picture_that_lies_on_its_side_is_turned_upright(tmp_path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.fromarray(
        np.repeat(np.arange(0, 240, 10, dtype=np.uint8)[:, None], 16, axis=1)
    )  # 24 x 16, darker on top
    save(tmp_path, lambda: image, suffix="jpg", exif=exif, quality=95)
    data = load(tmp_path)
    assert data.input_shape == (16, 24, 1)
    columns = data.x[0, :, :, 0].mean(axis=0)
    assert (np.diff(columns) < 0.02).all()  # what was above is now on the right


@pytest.mark.parametrize("mode", ["1", "P", "RGBA", "LA", "CMYK", "I;16"])
def test_modes(tmp_path, mode) -> None:
    def make():
        if mode == "I;16":
            return Image.fromarray(np.full((6, 4), 0x8000, dtype=np.uint16))
        return grey().convert("RGB").convert(mode) if mode not in ("LA", "1") else grey(mode=mode)

    data = load(save(tmp_path, make, suffix="tiff"))
    assert data.input_shape == (6, 4, 1 if mode in ("1", "LA", "I;16") else 3)
    if mode == "I;16":
        np.testing.assert_array_equal(data.x, np.float32(128 / 255))


def test_what_is_transparent_is_black(tmp_path) -> None:
    image = Image.new("RGBA", (4, 4), (255, 255, 255, 0))
    save(tmp_path, lambda: image)
    assert load(tmp_path).x.max() == 0


def test_broken_pictures_are_named(tmp_path) -> None:
    save(tmp_path, grey)
    (tmp_path / "a" / "3.png").write_bytes(b"not a picture")
    with pytest.raises(DataError, match=r"a/3\.png: cannot be read as a picture"):
        load(tmp_path)
    with pytest.raises(DataError, match=r"a/3\.png: cannot be read as a picture"):
        load(tmp_path, image_size=8, colour="grey")
    (tmp_path / "a" / "3.png").write_bytes((tmp_path / "a" / "2.png").read_bytes()[:-25])
    with pytest.raises(DataError, match=r"a/3\.png: cannot be read as a picture"):
        load(tmp_path)


def test_a_picture_that_claims_to_be_enormous_is_not_unpacked(tmp_path) -> None:
    save(tmp_path, grey)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 0, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )
    (tmp_path / "b" / "bomb.png").write_bytes(bomb)
    with pytest.raises(DataError, match=r"bomb\.png: cannot be read as a picture"):
        load(tmp_path, image_size=8)


def test_values_without_a_range_are_refused(tmp_path) -> None:
    save(tmp_path, lambda: Image.fromarray(RNG.random((4, 4), dtype=np.float32)), suffix="tiff")
    with pytest.raises(DataError, match="mode F have no fixed range"):
        load(tmp_path, image_size=4)


def test_folders_beside_train_are_named(tmp_path) -> None:
    save(tmp_path / "train", grey)
    save(tmp_path / "Test", grey, n=2)
    save(tmp_path / "val", grey)
    data = load(tmp_path)
    assert (len(data.x), len(data.x_test)) == (10, 4)
    assert data.notes == ("Beside train/ these folders were left out: val.",)
    save(tmp_path / "Test", grey, names=("c",))
    with pytest.raises(DataError, match="test label c has no training sample"):
        load(tmp_path)


def test_a_class_may_be_called_train(tmp_path) -> None:
    assert load(save(tmp_path, grey, names=("bus", "train"))).class_names == ("bus", "train")


def test_meta_orders_the_classes(tmp_path) -> None:
    save(tmp_path, grey)
    (tmp_path / "meta.json").write_text('{"name": "letters", "classes": ["b", "a"]}')
    data = load(tmp_path)
    assert (data.name, data.class_names) == ("letters", ("b", "a"))

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
    with pytest.raises(DataError, match="300 x 20, more than 256 on a side"):
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


@pytest.mark.parametrize("mode", ["1", "P", "RGBA", "LA", "CMYK"])
def test_modes(tmp_path, mode) -> None:
    def make():
        return grey().convert("RGB").convert(mode) if mode not in ("LA", "1") else grey(mode=mode)

    data = load(save(tmp_path, make, suffix="tiff"))
    assert data.input_shape == (6, 4, 1 if mode in ("1", "LA") else 3)
    assert data.normalization.source_dtype == "uint8"


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


def warm(rng, kind):
    """A thermal picture: 16 bits of which a few hundred are used, with a warm spot where `kind` is 1."""
    values = 51600 + rng.normal(0, 15, (6, 4))
    values[2:4, 1:3] += 120 * kind
    return values


DEPTHS = {
    "png": ("uint16", "png"),
    "tiff": ("uint16", "tiff"),
    "pgm": ("uint16", "pgm"),
    "integers": ("int32", "tiff"),
    "floats": ("float32", "tiff"),
}


@pytest.mark.parametrize(("dtype", "suffix"), DEPTHS.values(), ids=DEPTHS.keys())
def test_pixels_of_more_than_8_bits_are_those_of_the_array(tmp_path, dtype, suffix) -> None:
    """A folder of pictures is the set that the same pixels are as .npz: no bit is lost."""
    rng = np.random.default_rng(3)
    x = np.array([warm(rng, number % 2) for number in range(24)]).astype(dtype)
    for number, values in enumerate(x):
        place = tmp_path / "set" / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values).save(place / f"{number:02}.{suffix}")
    data = load(tmp_path / "set")
    order = [*range(0, 24, 2), *range(1, 24, 2)]
    np.savez(tmp_path / "set.npz", x=x[order].astype(dtype), y=np.repeat(["a", "b"], 12))
    assert data.digest == load(tmp_path / "set.npz").digest
    assert data.normalization.source_dtype == dtype
    assert any("which are kept as they are" in note for note in data.notes)
    assert data.x.max() - data.x.min() == 1  # the range of the training part, and not of 16 bits


def test_pictures_of_16_bits_are_resized_without_loss(tmp_path) -> None:
    rng = np.random.default_rng(0)
    for name in "ab":
        (tmp_path / name).mkdir()
        for number in range(5):
            values = np.repeat(np.repeat(rng.integers(1000, 1256, (4, 4)), 4, 0), 4, 1).astype(np.uint16)
            Image.fromarray(values).save(tmp_path / name / f"{number}.png")
    small = load(tmp_path, image_size=4)
    assert len(np.unique(small.x)) > 40
    assert load(tmp_path, image_size=4, colour="rgb").input_shape == (4, 4, 3)


def png(values, colour_type) -> bytes:
    """A PNG of 16 bits a value: colour type 2 is RGB, 4 grey with opacity, 6 RGB with opacity."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = values.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("colour_type", [2, 6])
def test_colours_of_16_bits_are_kept(tmp_path, colour_type) -> None:
    rng = np.random.default_rng(1)
    every = []
    for name in "ab":
        (tmp_path / name).mkdir()
        for number in range(5):
            values = rng.integers(20_000, 20_400, (3, 5, 3))
            every.append(values)
            opaque = np.concatenate([values, np.full((3, 5, 1), 65535)], axis=2)
            content = png(opaque if colour_type == 6 else values, colour_type)
            (tmp_path / name / f"{number}.png").write_bytes(content)
    data = load(tmp_path)
    known = {data.normalization.apply(values).tobytes() for values in every}
    assert {sample.tobytes() for sample in (*data.x, *data.x_test)} == known
    assert load(tmp_path, colour="grey").input_shape == (3, 5, 1)


def test_what_pillow_cuts_is_said(tmp_path) -> None:
    rng = np.random.default_rng(1)
    for name in "ab":
        (tmp_path / name).mkdir()
        for number in range(5):
            (tmp_path / name / f"{number}.png").write_bytes(png(rng.integers(0, 65536, (3, 5, 2)) | [0, 65535], 4))
    assert "10 pictures have 16 bits for each colour, of which only the upper 8 can be read." in load(tmp_path).notes


def test_8_and_16_bits_in_one_folder(tmp_path) -> None:
    save(tmp_path, grey)
    for number in range(3):
        Image.fromarray(RNG.integers(0, 65536, (6, 4)).astype(np.uint16)).save(tmp_path / "a" / f"deep{number}.png")
    data = load(tmp_path)
    assert data.normalization.source_dtype == "uint16"
    assert "10 of the pictures have 8 bits and the others 16: all become 16." in data.notes
    Image.fromarray(RNG.random((6, 4), dtype=np.float32)).save(tmp_path / "a" / "float.tiff")
    with pytest.raises(DataError, match="the pictures differ in what a pixel is"):
        load(tmp_path)


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

"""Picture files as people have them: every one is read as a viewer shows it, or named."""

from __future__ import annotations

import io
import random
import struct
import warnings
import zlib
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image, ImageOps

from daclass.augment.pictures import PictureError, orientation, picture_size, read_picture

CORNERS = np.zeros((20, 30, 3), np.uint8)
CORNERS[:10, :10] = 255  # white where the picture's upper left is


def save(file, picture=None, **options):
    (Image.fromarray(CORNERS) if picture is None else picture).save(file, **options)
    return file


@pytest.mark.parametrize("held", range(1, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp"])
@pytest.mark.parametrize("max_resolution", [None, 24])
def test_pictures_are_turned_upright(tmp_path, name, held, max_resolution):
    """As Pillow's own `exif_transpose` turns them."""
    exif = Image.Exif()
    exif[0x0112] = held
    file = save(tmp_path / name, exif=exif)
    found = read_picture(file, max_resolution)
    assert picture_size(file, max_resolution) == found.shape[:2]
    if max_resolution is None:
        with Image.open(file) as opened:
            wanted = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "I;16", "I;16B", "1"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    file = save(tmp_path / "p.tif", Image.new(mode, (30, 20), 40_000 if "16" in mode else 0))
    assert read_picture(file).shape == (20, 30, 3)


@pytest.mark.parametrize("name", ["p.png", "p.tif"])
def test_of_16_bits_the_upper_ones_count(tmp_path, name):
    values = np.linspace(0, 65535, 600).astype(np.uint16).reshape(20, 30)
    found = read_picture(save(tmp_path / name, Image.fromarray(values)))
    np.testing.assert_array_equal(found, np.repeat((values // 256)[..., None], 3, axis=2))


def test_colours_of_16_bits(tmp_path):
    save_16_bits(tmp_path / "p.png", np.tile([65535, 0x8080, 0, 256, 255, 0x1234], (4, 2)))
    assert read_picture(tmp_path / "p.png").tolist() == [[[255, 128, 0], [1, 0, 18]] * 2] * 4


def save_16_bits(file, values):
    """A PNG of 16-bit colours, values [height, 3 * width], by hand: Pillow writes none."""

    def chunk(kind, content):
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    height, width = values.shape[0], values.shape[1] // 3
    head = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    content = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + content)


def test_12_bits_in_16_are_refused_rather_than_taken_for_black(tmp_path):
    values = np.linspace(0, 4095, 24 * 9).astype(np.uint16).reshape(9, 24)
    save(tmp_path / "grey.png", Image.fromarray(values))
    save(tmp_path / "grey.tif", Image.fromarray(values))
    save_16_bits(tmp_path / "colour.png", values)
    for name in ("grey.png", "grey.tif", "colour.png"):
        with pytest.raises(PictureError, match=f"{name}: .*at most 12 bits of its 16"):
            read_picture(tmp_path / name)
    dark = save(tmp_path / "dark.png", Image.new("RGB", (9, 9)))  # of 8 bits: black is black
    assert read_picture(dark).max() == 0


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (900, 3)])
def test_what_has_no_part_to_crop_is_refused(tmp_path, size):
    with pytest.raises(PictureError, match=r"p\.png: .*px are too few to crop"):
        read_picture(save(tmp_path / "p.png", Image.new("RGB", size)))


@pytest.mark.parametrize("noted", [0, 9, 99, 65535])
def test_orientations_that_do_not_exist_turn_nothing(tmp_path, noted):
    """Both readers of one fact agree, and so does PIL's own."""
    exif = Image.Exif()
    exif[0x0112] = noted
    Image.new("RGB", (30, 20)).save(tmp_path / "p.jpg", exif=exif)
    with Image.open(tmp_path / "p.jpg") as picture:
        assert orientation(picture) == 1
        assert ImageOps.exif_transpose(picture).size == (30, 20)
    assert (
        picture_size(tmp_path / "p.jpg") == read_picture(tmp_path / "p.jpg").shape[:2] == (20, 30)
    )


def test_heic_is_read_or_what_it_needs_is_said(tmp_path):
    file = tmp_path / "p.heic"
    if find_spec("pillow_heif"):
        Image.new("RGB", (64, 48), (200, 10, 10)).save(file)
        pixels = read_picture(file)
        assert pixels.shape == (48, 64, 3) and abs(pixels.mean((0, 1)) - [200, 10, 10]).max() < 9
    else:
        file.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200))
        with pytest.raises(PictureError, match=r"p\.heic: HEIC needs pillow-heif"):
            read_picture(file)


@pytest.mark.parametrize("mode", ["I", "F"])
def test_values_without_a_range_are_refused(tmp_path, mode):
    with pytest.raises(PictureError, match=r"p\.tif: .*32 bits per pixel"):
        read_picture(save(tmp_path / "p.tif", Image.new(mode, (3, 2), 70000)))


def test_transparency_is_dropped_without_a_word(tmp_path):
    palette = Image.fromarray(CORNERS).quantize(4)
    file = save(tmp_path / "p.png", palette, transparency=bytes([0, 255, 128, 0]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(read_picture(file), CORNERS)


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png"])
def test_of_an_animation_the_first_frame_is_read(tmp_path, name):
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], lossless=True)
    assert read_picture(tmp_path / name)[0, 0].tolist() == [255, 0, 0]


def test_the_content_decides_not_the_name(tmp_path):
    save(tmp_path / "a.png").rename(tmp_path / "a.jpg")
    np.testing.assert_array_equal(read_picture(tmp_path / "a.jpg"), CORNERS)


def test_what_is_no_picture_is_named(tmp_path):
    (tmp_path / "note.jpg").write_text("not a picture")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "folder.jpg").mkdir()
    for name in ("note.jpg", "gone.jpg", "empty.jpg", "folder.jpg"):
        for read in (read_picture, picture_size):
            with pytest.raises(PictureError, match=name):
                read(tmp_path / name)


def test_a_giant_is_refused_before_it_is_unpacked(tmp_path):
    """20,000 px each way, 1.2 GB of pixels in a file of 49 kB."""
    save(tmp_path / "giant.png", Image.new("1", (20_000, 20_000)))
    with pytest.raises(PictureError, match=r"giant\.png: .*exceeds limit"):
        read_picture(tmp_path / "giant.png", 256)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM"])
def test_broken_bytes_give_a_picture_or_its_name(tmp_path, form):
    """EXIF data once raised struct.error and TypeError."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    if form != "TIFF":  # Pillow cannot write that there
        exif[0x8769] = {0x9003: "x"}
    whole = io.BytesIO()
    Image.effect_noise((20, 20), 50).convert("RGB").save(whole, form, exif=exif)
    rng = random.Random(0)
    for _ in range(300):
        content = bytearray(whole.getvalue())
        for _ in range(rng.randint(1, 4)):
            content[rng.randrange(2, min(len(content), 200))] = rng.randrange(256)
        (tmp_path / "broken").write_bytes(content[: rng.choice([None, rng.randrange(200)])])
        for read in (read_picture, picture_size):
            try:
                read(tmp_path / "broken")
            except PictureError as error:
                assert "broken: not a readable picture" in str(error)

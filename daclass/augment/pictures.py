"""Reading picture files, the same way for every loader."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from io import BufferedReader, BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from daclass.augment.errors import AugmentError

with suppress(ImportError):  # phones' pictures, where its extra is installed
    import pillow_heif

    pillow_heif.register_heif_opener()

SIDE_AT_LEAST = 4
"""Of pictures, in px: smaller ones have no part to crop."""
_ORIENTATION = 0x0112
# What undoes each orientation that a camera notes (EXIF 2.32, 4.6.4).
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class PictureError(AugmentError):
    """A file that is no readable picture."""


def hash_of(opened: BufferedReader | BytesIO) -> str:
    """Hash of a file's content from here on, by which changes and copies are noticed: the first 16
    hex digits of its SHA-256."""
    return hashlib.file_digest(opened, "sha256").hexdigest()[:16]


def read_picture(
    file: Path, max_resolution: int | None = None, content: str = ""
) -> npt.NDArray[np.uint8]:
    """The pixels of a picture file, upright and as RGB: uint8, shape [height, width, 3].

    Pictures that a camera held askew are turned as their EXIF data say. Of 16-bit grey values the
    upper 8 bits count; where these hold next to nothing, because 12 bits were stored in 16, the
    picture is refused rather than taken for a black one. Transparency is dropped, as torchvision's
    ImageFolder does: pixels keep the colour that is stored under it.

    Args:
        file: any format that Pillow reads; of an animation, the first frame.
        max_resolution: longest side in px; larger pictures are shrunk by averaging over areas.
        content: `hash_of` the file as it should be; "" takes it as it is.

    Raises:
        PictureError: the file is missing, is not a picture, is cut short, has more than 178 million
            pixels, a side below `SIDE_AT_LEAST`, pixels of 32 bits, whose range is anybody's guess,
            or of 12 bits in 16, or another content; the message names it.
    """
    with _opened(file, content) as opened:
        deep = any(";16" in str(tile) for tile in getattr(opened, "tile", []))
        opened.load()
        picture = _rgb(opened)
        if deep and np.asarray(picture).max() < 2**4:
            raise ValueError("at most 12 bits of its 16 are used: nearly black; store 8, or all 16")
        turned = orientation(opened)
        picture = picture.transpose(_UPRIGHT[turned]) if turned > 1 else picture
        width, height = shrunk(*picture.size, max_resolution)
        if (width, height) != picture.size:
            picture = picture.resize((width, height), Image.Resampling.BOX)
        if min(width, height) < SIDE_AT_LEAST:
            raise ValueError(f"{width}x{height} px are too few to crop")
        return np.asarray(picture)


def picture_size(file: Path, max_resolution: int | None = None) -> tuple[int, int]:
    """Height and width in px that `read_picture` gives, from the file's head alone.

    Raises:
        PictureError: the file is missing or is no picture.
    """
    with _opened(file) as picture:
        if picture.format == "TIFF":
            picture.load()  # turns it by itself
        width, height = picture.size
        if orientation(picture) >= 5:
            width, height = height, width
    width, height = shrunk(width, height, max_resolution)
    return height, width


def orientation(picture: Image.Image) -> int:
    """How the camera was held, 1 to 8 as in EXIF; 1 is upright, unknown, or no such number."""
    try:
        noted = int(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # no reason to refuse a picture whose pixels can be read
        return 1
    return noted if noted in _UPRIGHT else 1


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I;16"):
        # Pillow's own conversion would clip at 255: all white.
        upper = (np.asarray(picture).astype(np.uint16) >> 8).astype(np.uint8)
        return Image.fromarray(upper).convert("RGB")
    if picture.mode in {"I", "F"}:
        raise ValueError("32 bits per pixel, in an unknown range; store it with 8 or 16 bits")
    if "transparency" in picture.info:
        picture = picture.convert("RGBA")  # else Pillow warns of what is wanted here
    return picture.convert("RGB")


def shrunk(width: int, height: int, longest: int | None) -> tuple[int, int]:
    if not longest or max(width, height) <= longest:
        return width, height
    ratio = longest / max(width, height)
    return max(1, int(ratio * width)), max(1, int(ratio * height))


@contextmanager
def _opened(file: Path, content: str = "") -> Iterator[Image.Image]:
    """The file as Pillow opens it; whatever goes wrong in the block is a `PictureError`."""
    try:
        source: Path | BytesIO = file
        if content:
            source = BytesIO(file.read_bytes())  # what was checked is what is decoded
            if hash_of(source) != content:
                raise PictureError(f"{file}: changed since it was indexed; run index again")
            source.seek(0)
        with Image.open(source) as picture:
            yield picture
    except PictureError:
        raise
    except MemoryError:
        raise
    except UnidentifiedImageError as error:
        if file.suffix.lower() in {".heic", ".heif"} and find_spec("pillow_heif") is None:
            raise PictureError(f"{file}: HEIC needs pillow-heif: daclass[heic]") from None
        raise PictureError(f"{file}: not a readable picture ({error})") from None
    except Exception as error:
        # Pillow's readers raise whatever parsing a broken file runs into, struct.error included.
        raise PictureError(f"{file}: not a readable picture ({error})") from None

"""What random resized crops keep of a study's own pictures, from the sizes of a sample of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd
from PIL import Image

from daclass.augment.boxes import realised_area
from daclass.augment.pictures import PictureError

PICTURES_AT_MOST = 200
CROPS = 4096  # a size and strength: the standard error of a share is at most 0.8 points
_ORIENTATION = 0x0112  # EXIF tag; from 5 on the picture lies on its side


def sample(image_ids: Iterable[str]) -> list[str]:
    """At most `PICTURES_AT_MOST` pictures, the first by a hash of their name."""
    return sorted(image_ids, key=lambda name: hashlib.sha256(name.encode()).hexdigest())[
        :PICTURES_AT_MOST
    ]


def picture_size(file: Path, max_resolution: int | None = None) -> tuple[int, int]:
    """Height and width in px that crops are cut from, read from the file's head alone.

    Args:
        file: a picture file.
        max_resolution: longest side in px; `read_picture` shrinks larger ones, and so does this.

    Raises:
        PictureError: the file is missing or is no picture.
    """
    try:
        with Image.open(file) as picture:
            width, height = picture.size
            if picture.getexif().get(_ORIENTATION, 1) >= 5:
                width, height = height, width
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise PictureError(f"{file}: not a readable picture ({error})") from None
    if max_resolution and max(width, height) > max_resolution:
        ratio = max_resolution / max(width, height)
        width, height = max(1, int(ratio * width)), max(1, int(ratio * height))
    return height, width


def realised_areas(sizes: Iterable[tuple[int, int]], strengths: Sequence[float]) -> pd.DataFrame:
    """Mean area and share of fallback boxes for every strength and picture size.

    Args:
        sizes: (height, width) in px of each picture of the sample.
        strengths: lower area bounds, in (0, 1].

    Returns:
        Table "realised_area", by strength and size.
    """
    rows = [
        (strength, height, width, images)
        for strength in sorted(strengths)
        for (height, width), images in sorted(Counter(sizes).items())
    ]
    frame = pd.DataFrame(rows, columns=["strength", "height", "width", "images"])
    found = realised_area(frame["strength"], frame["height"], frame["width"], CROPS)
    return frame.assign(mean_area=found.mean, fallback_share=found.fallback)

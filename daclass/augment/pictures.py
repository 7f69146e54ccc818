"""Reading picture files, the same way for every loader."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from daclass.augment.errors import AugmentError


class PictureError(AugmentError):
    """A file that is no readable picture."""


def read_picture(file: Path, max_resolution: int | None = None) -> npt.NDArray[np.uint8]:
    """The pixels of a picture file, upright and as RGB: uint8, shape [height, width, 3].

    Args:
        file: any format that Pillow reads; of an animation, the first frame.
        max_resolution: longest side in px; larger pictures are shrunk by averaging over areas.

    Raises:
        PictureError: the file is missing, is not a picture or is cut short; the message names it.
    """
    try:
        with Image.open(file) as opened:
            picture = ImageOps.exif_transpose(opened).convert("RGB")
            if max_resolution and max(picture.size) > max_resolution:
                ratio = max_resolution / max(picture.size)
                size = (max(1, int(ratio * picture.width)), max(1, int(ratio * picture.height)))
                picture = picture.resize(size, Image.Resampling.BOX)
            return np.asarray(picture)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise PictureError(f"{file}: not a readable picture ({error})") from None

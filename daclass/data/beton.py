"""Write pictures into FFCV's .beton files, in the order of the index."""

from __future__ import annotations

from collections.abc import Sequence
from multiprocessing import SimpleQueue
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from daclass.atomic import replacing
from daclass.errors import InputError
from daclass.study import Beton


class _Pictures:
    """(pixels, label) by position. FFCV's writer waits for ever when a worker dies of an exception,
    so a picture that cannot be read is reported through a queue and stands in as one black pixel.
    """

    def __init__(self, files: Sequence[Path], labels: npt.NDArray[np.integer]) -> None:
        self.files, self.labels = files, labels
        self.faults: SimpleQueue[str] = SimpleQueue()

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, position: int) -> tuple[npt.NDArray[np.uint8], int]:
        try:
            pixels = read_picture(self.files[position])
        except InputError as error:
            self.faults.put(str(error))
            pixels = np.zeros((1, 1, 3), np.uint8)
        return pixels, int(self.labels[position])


def read_picture(file: Path) -> npt.NDArray[np.uint8]:
    """The pixels of a picture file, upright and as RGB: uint8, shape [height, width, 3].

    Raises:
        InputError: the file is missing, is not a picture or is cut short; the message names it.
    """
    try:
        with Image.open(file) as picture:
            return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, SyntaxError) as error:
        raise InputError(f"{file}: not a readable picture ({error})") from None


def write_beton(
    files: Sequence[Path],
    labels: npt.NDArray[np.integer],
    settings: Beton,
    path: Path,
    workers: int = 1,
) -> None:
    """Write `files` and their labels, one sample each and in this order, as a .beton.

    The file appears under its name only when it is complete.

    Raises:
        InputError: there are no files, or one of them is not a readable picture.
    """
    from ffcv.fields import IntField, RGBImageField
    from ffcv.writer import DatasetWriter

    if not len(files):
        raise InputError(f"{path}: no pictures to write")
    image = RGBImageField(
        write_mode=settings.write_mode,
        max_resolution=settings.max_resolution,
        jpeg_quality=settings.jpeg_quality,
    )
    pictures = _Pictures(files, labels)
    with replacing(path) as partial:
        fields = {"image": image, "label": IntField()}
        writer = DatasetWriter(str(partial), fields, num_workers=workers)
        writer.from_indexed_dataset(pictures, chunksize=32)
        if not pictures.faults.empty():
            raise InputError(pictures.faults.get())

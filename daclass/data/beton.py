"""Write pictures into FFCV's .beton files, in the order of the index."""

from __future__ import annotations

from collections.abc import Sequence
from multiprocessing import Queue
from pathlib import Path
from queue import Empty

import numpy as np
import numpy.typing as npt

from daclass.atomic import replacing
from daclass.augment.pictures import read_picture
from daclass.errors import InputError
from daclass.study import Beton

PAGE_BYTES = 1 << 25  # the largest picture that FFCV can hold in one piece, 32 MiB


class _Pictures:
    """(pixels, label) by position, for FFCV's writer.

    The writer waits for ever when an exception ends one of its workers. So none leaves here: the
    first fault of each worker is reported through a queue, and one black pixel stands in.
    """

    def __init__(
        self, files: Sequence[Path], labels: npt.NDArray[np.integer], settings: Beton
    ) -> None:
        self.files, self.labels, self.settings = files, labels, settings
        self.faults: Queue[str] = Queue()
        self.faulty = False

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, position: int) -> tuple[npt.NDArray[np.uint8], int]:
        pixels = np.zeros((1, 1, 3), np.uint8)
        if not self.faulty:
            try:
                pixels = self._read(self.files[position])
            except Exception as error:
                self.faulty = True
                self.faults.put(str(error))
        return pixels, int(self.labels[position])

    def _read(self, file: Path) -> npt.NDArray[np.uint8]:
        pixels = read_picture(file, self.settings.max_resolution)
        if pixels.nbytes > PAGE_BYTES:
            raise InputError(
                f"{file}: {pixels.shape[1]}x{pixels.shape[0]} px are too large for a .beton; set "
                "beton.max_resolution"
            )
        return pixels


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
        InputError: there are no files, or one of them is no readable picture or is too large.
    """
    from ffcv.fields import IntField, RGBImageField
    from ffcv.writer import DatasetWriter

    if not len(files):
        raise InputError(f"{path}: no pictures to write")
    image = RGBImageField(write_mode=settings.write_mode, jpeg_quality=settings.jpeg_quality)
    pictures = _Pictures(files, labels, settings)
    with replacing(path) as partial:
        fields = {"image": image, "label": IntField()}
        writer = DatasetWriter(str(partial), fields, page_size=PAGE_BYTES, num_workers=workers)
        writer.from_indexed_dataset(pictures, chunksize=32)
        try:
            fault = pictures.faults.get(timeout=0.1)
        except Empty:
            return
        raise InputError(fault)

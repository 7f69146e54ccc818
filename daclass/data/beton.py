"""Write pictures into FFCV's .beton files, in the order of the index."""

from __future__ import annotations

import hashlib
import logging
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import Process, Queue, process
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from daclass.atomic import replacing, set_aside
from daclass.augment.pictures import read_picture
from daclass.config import Beton
from daclass.data.sources import content_hash
from daclass.errors import InputError

if TYPE_CHECKING:
    from ffcv.writer import DatasetWriter

FAULTS_AT_MOST = 20  # a worker
PAGE_BYTES = 1 << 25  # the largest picture that FFCV can hold in one piece, 32 MiB


class _Pictures:
    """(pixels, label) by position, for FFCV's writer.

    The writer waits for ever when an exception ends one of its workers. So none leaves here: faults
    are reported through a queue, and one black pixel stands in. A worker that has found as many as
    a person will read opens no more pictures.
    """

    def __init__(
        self,
        files: Sequence[Path],
        labels: npt.NDArray[np.integer],
        settings: Beton,
        contents: Sequence[str],
    ) -> None:
        self.files, self.labels, self.settings = files, labels, settings
        self.contents = contents
        self.faults: Queue[str] = Queue()
        self.found = 0

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, position: int) -> tuple[npt.NDArray[np.uint8], int]:
        pixels = np.zeros((1, 1, 3), np.uint8)
        if self.found < FAULTS_AT_MOST:
            try:
                pixels = self._read(self.files[position], self.contents[position])
            except Exception as error:
                self.found += 1
                self.faults.put(str(error))
        return pixels, int(self.labels[position])

    def _read(self, file: Path, content: str) -> npt.NDArray[np.uint8]:
        if content and content_hash(file) != content:
            raise InputError(f"{file}: is not the picture that was listed; run the study again")
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
    contents: Sequence[str] | None = None,
) -> None:
    """Write `files` and their labels, one sample each and in this order, as a .beton.

    The file appears under its name only when it is complete, and beside it a sum for every sample,
    which loaders hold it against, and its checksum, as ``sha256sum --check`` reads it, for copies
    on other disks.

    Args:
        contents: the files' `content_hash`, as the index has them; "" where it is not known.

    Raises:
        InputError: there are no files, some of them are no readable pictures, too large or not what
            was listed (the others are logged), or a worker died: of a full disk, or for want of
            memory.
    """
    from ffcv.fields import IntField, RGBImageField
    from ffcv.writer import DatasetWriter

    from daclass.augment.sums import write_sums

    if not len(files):
        raise InputError(f"{path}: no pictures to write")
    image = RGBImageField(write_mode=settings.write_mode, jpeg_quality=settings.jpeg_quality)
    pictures = _Pictures(files, labels, settings, contents or [""] * len(files))
    with replacing(path) as partial:
        fields = {"image": image, "label": IntField()}
        writer = DatasetWriter(str(partial), fields, page_size=PAGE_BYTES, num_workers=workers)
        with _deaths_end_the_wait(writer, path):
            writer.from_indexed_dataset(pictures, chunksize=32)
        first, *others = sorted(_drain(pictures.faults)) or [""]
        for fault in others:
            logging.error(fault)
        if first:
            more = f" (and {len(others)} more, listed above)" if others else ""
            raise InputError(f"{first}{more}")
    write_sums(path)
    _write_checksum(path)


def verify_beton(path: Path, told: str = "") -> None:
    """Read a whole .beton and hold it against its checksum.

    Args:
        told: the checksum; what lies beside the .beton says it where it is not given.

    Raises:
        InputError: it is not what was written; by now it is set aside.
    """
    with suppress(FileNotFoundError):
        told = told or _checksum_path(path).read_text(errors="replace").partition(" ")[0]
        if told != _checksum(path):
            raise InputError(f"{path}: damaged (not what was written), {set_aside(path)}")


def _write_checksum(path: Path) -> None:
    with replacing(_checksum_path(path)) as partial:
        partial.write_text(f"{_checksum(path)}  {path.name}\n", encoding="utf-8")


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checksum_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _drain(faults: Queue[str]) -> list[str]:
    found = []
    with suppress(Empty):
        while True:
            found.append(faults.get(timeout=0.1))
    return found


@contextmanager
def _deaths_end_the_wait(writer: DatasetWriter, path: Path) -> Iterator[None]:
    """FFCV's writer waits for its workers for ever, also for those that died while they wrote."""

    others = set(process._children)  # type: ignore[attr-defined]

    def workers() -> set[Process]:
        return process._children - others  # type: ignore[attr-defined,no-any-return]

    def look(_signal: int, _frame: object) -> None:
        dead = [worker for worker in workers() if worker.exitcode]
        if dead:
            free = shutil.disk_usage(path.parent).free / 1e6
            raise InputError(
                f"{path}: cannot be written: a worker ended with status {dead[0].exitcode}; is the "
                f"disk full ({free:,.0f} MB are free), or the memory?"
            )

    earlier = signal.signal(signal.SIGCHLD, look)
    try:
        yield
    except BaseException:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for worker in workers():
            worker.kill()
            worker.join()
        if isinstance(writer.metadata_sm, SharedMemory):
            writer.metadata_sm.close()
            writer.metadata_sm.unlink()
        raise
    finally:
        signal.signal(signal.SIGCHLD, earlier)

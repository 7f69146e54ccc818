"""Take files out of archives: plain files only, and none lands outside of its folder."""

from __future__ import annotations

import io
import lzma
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Self

from daclass.atomic import naming
from daclass.errors import InputError

# Far more than CIFAR-10 takes: an archive beyond these is not what it says it is.
MEMBER_BYTES, ARCHIVE_BYTES = 2**24, 2**32

_DAMAGED = (
    tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError,
    OverflowError, RecursionError, ValueError,  # of tarfile, over headers that make no sense
)  # fmt: skip
_DAMAGED_HEADER = (
    tarfile.InvalidHeaderError,  # type: ignore[attr-defined]
    tarfile.TruncatedHeaderError,  # type: ignore[attr-defined]
)


def extract(
    tar: tarfile.TarFile,
    folder: Path,
    archive: Path,
    member_bytes: int = MEMBER_BYTES,
    archive_bytes: int = ARCHIVE_BYTES,
) -> Iterator[Path]:
    """Extract the plain files of an archive from `opened`, and yield each when it is complete.

    By hand, because tarfile's own data filter is missing from Python 3.11.2, which Debian 12 ships.

    Args:
        archive: what the archive is called, for errors.
        member_bytes, archive_bytes: the most that one member, and all, may unpack to.

    Raises:
        InputError: the archive unpacks to more than pictures do, or a member is a link or a device,
            or would leave `folder`; there is no file in it.
    """
    unpacked, found = 0, False
    for member in tar:
        unpacked += max(member.size, tarfile.BLOCKSIZE)
        if member.size > member_bytes or unpacked > archive_bytes:
            raise InputError(
                f"{archive}: cannot be extracted: {member.name} is too large for pictures"
            )
        target = (folder / member.name).resolve()
        content = tar.extractfile(member) if member.isfile() else None
        if not target.is_relative_to(folder.resolve()) or not (content or member.isdir()):
            raise InputError(f"{archive}: cannot be extracted: refusing {member.name}")
        if content:
            target.parent.mkdir(parents=True, exist_ok=True)
            with naming(target), target.open("wb") as file:
                shutil.copyfileobj(content, file)
            found = True
            yield target
    if not found:
        raise InputError(f"{archive}: holds no files")


@contextmanager
def opened(
    archive: Path, mode: Literal["r", "r:", "r|"] = "r", content: io.RawIOBase | None = None
) -> Iterator[tarfile.TarFile]:
    """An archive to read from; what goes wrong in the block with that names it.

    Args:
        archive: the file, or what the archive in `content` is called.
        mode: as for `tarfile.open`.
        content: what to read in place of the file.

    Raises:
        InputError: the archive is missing or damaged, or its headers are not those of pictures.
    """
    header = type("Header", (_Header,), {"effort": 0})
    try:
        with tarfile.open(archive, mode, content, tarinfo=header) as tar:
            yield tar
    except _DAMAGED as error:
        what = " ".join(str(error).split())  # tarfile lists on lines what it tried
        raise InputError(f"{archive}: cannot be extracted ({what})") from None


class _Header(tarfile.TarInfo):
    """A member's header, read with more care than tarfile takes.

    tarfile reads extended headers (long names, PAX) whole, whatever their size, and searches them
    with a pattern that takes time by the square of it (CVE-2024-6232, mended in Python 3.11.10).
    It steps back where a size is negative (CVE-2025-8194), and takes a header that is damaged,
    unless it is the first one, for the end.
    """

    EXTENDED = (
        tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE,
        tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
    )  # fmt: skip
    EFFORT = 2**34  # 60,000 headers of 500 bytes, or one of 130 kB: half a minute at the worst
    effort = 0  # sum of the squared sizes of the extended headers so far

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        header = super().frombuf(buf, encoding, errors)
        if header.type in cls.EXTENDED:
            cls.effort += header.size**2
            if cls.effort > cls.EFFORT:
                raise ValueError("extended headers are too large for pictures")
        if header.size < 0:
            raise ValueError("a negative size")
        if header.type == tarfile.GNUTYPE_SPARSE:
            cls._refuse_sparse()
        return header

    @classmethod
    def fromtarfile(cls, tar: tarfile.TarFile) -> Self:
        try:
            header = super().fromtarfile(tar)
        except _DAMAGED_HEADER as error:
            raise tarfile.ReadError(str(error)) from None
        if header.size < 0:  # by an extended header
            raise ValueError("a negative size")
        return header

    @staticmethod
    def _refuse_sparse(*_: object) -> None:
        raise ValueError("a sparse file")

    # What tarfile calls to read the maps of sparse files, which may have any length.
    _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _refuse_sparse


@contextmanager
def complete(folder: Path) -> Iterator[Path]:
    """A temporary sibling that becomes `folder` when the block ends well, and is removed else."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)

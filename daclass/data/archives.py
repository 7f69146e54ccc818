"""Take files out of archives: plain files only, and none lands outside of its folder."""

from __future__ import annotations

import lzma
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from daclass.errors import InputError

# Far more than CIFAR-10 takes: an archive beyond these is not what it says it is.
MEMBER_BYTES, ARCHIVE_BYTES = 2**24, 2**32


def extract(
    tar: tarfile.TarFile,
    folder: Path,
    archive: Path,
    member_bytes: int = MEMBER_BYTES,
    archive_bytes: int = ARCHIVE_BYTES,
) -> Iterator[Path]:
    """Extract an opened archive's plain files, and yield each one when it is complete.

    By hand, because tarfile's own data filter is missing from Python 3.11.2, which Debian 12 ships.

    Args:
        archive: what the archive is called, for errors.
        member_bytes, archive_bytes: the most that one member, and all, may unpack to.

    Raises:
        InputError: the archive is damaged or unpacks to more than pictures do, or a member is a
            link or a device, or would leave `folder`.
    """
    unpacked = 0
    with readable(archive):
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
                with target.open("wb") as file:
                    shutil.copyfileobj(content, file)
                yield target


@contextmanager
def readable(archive: Path) -> Iterator[None]:
    """What goes wrong in the block with reading `archive` is an `InputError` that names it."""
    try:
        yield
    except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError) as error:
        raise InputError(f"{archive}: cannot be extracted ({error})") from None


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

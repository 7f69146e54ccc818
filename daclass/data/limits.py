"""What input may make daclass allocate: a file of a few bytes can ask for any amount."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path

from daclass.errors import InputError


def memory_for_input() -> int:
    """Bytes that one input may take: a half of this machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def check_size(wanted: int, what: object) -> None:
    """Refuse what would take more than `memory_for_input`.

    Args:
        wanted: bytes.
        what: what asks for them, for the message.

    Raises:
        InputError: naming both.
    """
    allowed = memory_for_input()
    if wanted > allowed:
        raise InputError(
            f"{what}: would take {wanted / 2**30:,.1f} GiB of memory; {allowed / 2**30:,.1f} GiB "
            "are allowed, a half of what this machine has"
        )


def read_bytes(path: Path, times: int = 1) -> bytes:
    """A file's content, decompressed where its name ends in .gz.

    Args:
        path: the file.
        times: how many bytes of memory one byte will take once it is parsed.

    Raises:
        InputError: it is missing, is no gzip file, or is too large.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.suffix.lower() != ".gz":
        check_size(times * path.stat().st_size, path)
        return path.read_bytes()
    most = memory_for_input() // times
    try:
        with gzip.open(path) as stream:
            content = stream.read(most + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{path}: not a readable .gz file ({error})") from None
    check_size(times * len(content), path)
    return content

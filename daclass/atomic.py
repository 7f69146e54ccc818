"""Files that appear whole or not at all, and what is left of those that did not."""

from __future__ import annotations

import errno
import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

_PARTIAL = re.compile(r"\..+\.(?P<host>[^.]+)\.(?P<pid>\d+)\.partial")
_HOST = re.sub(r"\W", "-", socket.gethostname())
ABANDONED_SECONDS = 24 * 3600  # after which nobody can be writing a file any more


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """What cannot be written in the block is `path`: a write that finds no room names no file."""
    try:
        yield
    except OSError as error:
        if error.errno and error.filename is None:
            error.filename = str(path)
        raise


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, which takes its place when the block ends without an error.

    The folder is made if missing. After an error the old file, if any, is untouched and the
    temporary one is gone; what a killed process left of `path` goes too.

    Raises:
        OSError: it cannot be written, because the disk is full for example; names `path`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileNotFoundError:  # such as below /proc, which takes no folders
        raise _refused(path) from None
    sweep(path.parent, path.name)
    partial = path.with_name(f".{path.name}.{_HOST}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(path)
    except OSError as error:
        opened = error.filename in {partial, str(partial)} and error.filename2 is None
        if error.errno == errno.ENOENT and opened and path.parent.is_dir():
            raise _refused(path) from None
        if error.errno and error.filename in {None, partial, str(partial)}:
            error.filename = str(path)  # writes name no file, and nobody knows the temporary one
        raise
    finally:
        with suppress(OSError):  # a read-only disk refuses even where there is nothing to remove
            partial.unlink()


def _refused(path: Path) -> PermissionError:
    """Where a folder that is there takes no files, systems say that the file is not there."""
    return PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def sweep(folder: Path, name: str = "") -> None:
    """Remove the temporary files in `folder`, or those of the file `name` alone, that were left by
    processes of this machine that are gone, and by any process long ago."""
    for file in folder.iterdir():
        parts = _PARTIAL.fullmatch(file.name)
        if parts and file.name.startswith(f".{name}." if name else "."):
            with suppress(OSError):  # its writer may be done by now
                old = time.time() - file.stat().st_mtime > ABANDONED_SECONDS
                if old or (parts["host"] == _HOST and not _alive(int(parts["pid"]))):
                    file.unlink()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def set_aside(path: Path) -> str:
    """Give a damaged file another name, so that it is neither used nor lost; says which, for a
    message. Where the disk refuses, the file stays."""
    last = max(map(_number, asides(path)), default=0)
    aside = path.with_name(f"{path.name}.damaged-{last + 1}")
    try:
        path.replace(aside)
    except OSError as error:
        return f"it cannot be set aside ({error.strerror}): remove it"
    return f"set aside as {aside.name}"


def asides(path: Path) -> list[Path]:
    """What was set aside of a file, the latest last."""
    return sorted(path.parent.glob(f"{escape(path.name)}.damaged-*"), key=_number)


def _number(aside: Path) -> int:
    number = aside.name.rpartition("-")[2]
    return int(number) if number.isdecimal() else 0

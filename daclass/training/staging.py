"""Copies of .beton files on a disk of the machine that computes, for where the shared disk is slow.

Jobs of a machine share a copy: the first makes it while the others wait. They wait for a lock that
the kernel of that very machine keeps and drops with the process that holds it, so neither a killed
job nor a node that died holds it for ever, and what it left half copied is swept away. A copy is
named by the content of what it is a copy of; each sample of it is held against its sum when it is
used, as everywhere.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from daclass.atomic import replacing
from daclass.config import Machine
from daclass.errors import InputError
from daclass.training.batches import Samples
from daclass.training.locks import lock

log = logging.getLogger(__name__)

SPARE = 1e9  # bytes of the scratch disk that copies leave free


def staged(samples: Samples, machine: Machine) -> Samples:
    """`samples` from a copy of their .beton in `machine.scratch`, made where it is missing.

    Without the setting, without a .beton, or where the disk has no room, they stay where they are.

    Raises:
        InputError: the folder cannot be had, or the setting names a variable that is not set.
    """
    original = samples.beton
    if not machine.scratch or not original.is_file():
        return samples
    folder = _folder(machine.scratch)
    copy = folder / f"{original.stem}-{_key(original)}.beton"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as held:
            lock(copy.with_suffix(".lock"), held, wait=True)
            if not copy.is_file() and not _copied(original, copy):
                return samples
    except OSError as error:
        raise InputError(f"machine.scratch: {error.filename or folder}: {error.strerror}") from None
    return replace(samples, beton=copy)


def _folder(setting: str) -> Path:
    folder = os.path.expandvars(setting)
    if "$" in folder:
        raise InputError(f"machine.scratch: {setting} names a variable that is not set here")
    return Path(folder).expanduser().absolute() / f"daclass-{os.getuid()}"


def _key(original: Path) -> str:
    """Of the content, by the sums that were written with it; else of the very file."""
    from daclass.augment.sums import sums_path

    status = original.stat()
    what = f"{original.absolute()} {status.st_size} {status.st_mtime_ns}".encode()
    if sums_path(original).is_file():
        what = sums_path(original).read_bytes()
    return hashlib.sha256(what).hexdigest()[:16]


def _copied(original: Path, copy: Path) -> bool:
    """Copy a .beton and its samples' sums; whether there was room."""
    from daclass.augment.sums import sums_path

    pairs = [(sums_path(original), sums_path(copy)), (original, copy)]  # whole where the last is
    pairs = [pair for pair in pairs if pair[0].is_file()]
    size = sum(path.stat().st_size for path, _ in pairs)
    free = shutil.disk_usage(copy.parent).free
    if size + SPARE > free:
        log.warning(
            "machine.scratch: %s has %.1f GB free, and %s takes %.1f: it is read where it lies",
            copy.parent, free / 1e9, original, size / 1e9,
        )  # fmt: skip
        return False
    began = time.monotonic()
    log.info("copying %s, %.1f GB, to %s", original, size / 1e9, copy.parent)
    for path, target in pairs:
        with replacing(target) as partial:
            shutil.copyfile(path, partial)
    log.info("copied in %.0f s", time.monotonic() - began)
    return True

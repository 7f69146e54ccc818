"""Notice that a folder of pictures has changed, without reading the pictures."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

THREADS = 32  # on a network disk a file's status is a question and an answer; many wait at a time


def fingerprint(root: Path, splits: Sequence[str]) -> str:
    """Hash of the names, sizes and times of all files below <root>/<split>, 12 hex digits.

    Such a folder is nobody's output, so this is how a changed picture makes a new index. A folder
    that is missing has no files: the index says so.
    """
    folders = [where for split in splits for where, _, _ in os.walk(root / split, followlinks=True)]
    with ThreadPoolExecutor(THREADS) as pool:
        found = pool.map(_entries, folders)
        entries = sorted(entry for folder in found for entry in folder)
    return hashlib.sha256("\n".join(entries).encode(errors="surrogateescape")).hexdigest()[:12]


def _entries(folder: str) -> list[str]:
    return list(_files(folder))


def _files(folder: str) -> Iterator[str]:
    with os.scandir(folder) as found:
        for entry in found:
            if not entry.is_dir():
                try:
                    status = entry.stat()
                except OSError:  # a link that leads nowhere: whoever opens it will say so
                    status = entry.stat(follow_symlinks=False)
                yield f"{entry.path}\0{status.st_size}\0{status.st_mtime_ns}"

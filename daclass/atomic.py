"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, which takes its place when the block ends without an error.

    The folder is made if missing. After an error the old file, if any, is untouched and the
    temporary one is gone.

    Raises:
        OSError: it cannot be written, because the disk is full for example; names `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(path)
    except OSError as error:
        if error.errno and error.filename in {None, partial, str(partial)}:
            error.filename = str(path)  # writes name no file, and nobody knows the temporary one
        raise
    finally:
        with suppress(OSError):  # a read-only disk refuses even where there is nothing to remove
            partial.unlink()

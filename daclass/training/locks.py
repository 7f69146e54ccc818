"""Locks on files, which the kernel drops with the process, however it ends."""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from daclass.atomic import sweep
from daclass.errors import InputError
from daclass.training.runs import Run

log = logging.getLogger(__name__)


def lock(path: Path, held: ExitStack, *, wait: bool, shared: bool = False) -> bool:
    """Lock `path` until `held` ends; whether that was possible, which it always is with `wait`.

    A `shared` lock goes with other shared ones.
    """
    file = path.open("w")
    how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(file, how if wait else how | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return False
    held.callback(file.close)
    return True


@contextmanager
def claimed(runs: Iterable[Run]) -> Iterator[None]:
    """Keep other processes from training `runs` until the block ends.

    Raises:
        InputError: another process is training one of them.
    """
    with ExitStack() as held:
        for run in runs:
            run.folder.mkdir(parents=True, exist_ok=True)
            try:
                free = lock(run.folder / "lock", held, wait=False)
            except OSError as error:
                log.warning("%s: no locks on this file system (%s)", run.folder, error.strerror)
                break
            if not free:
                raise InputError(
                    f"{run.folder}: another process is training this run; wait for it to end"
                )
            sweep(run.folder)
        yield

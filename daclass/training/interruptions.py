"""Signals that ask a training job for a checkpoint.

Slurm's `--signal=USR1@120` warns a job two minutes before its time is over: SIGUSR1 asks for a
checkpoint at once, and training goes on, because every step until the end counts. SIGTERM, which
Slurm, Snakemake and torchrun send to stop a job, asks for a last checkpoint: the process then ends
with status 143 (128 + 15), and the same command goes on from there.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

STATUS = 128 + signal.SIGTERM


@dataclass
class Interruptions:
    """What has been asked for and not been done yet."""

    save: bool = False
    stop: bool = False


@contextmanager
def interruptions() -> Iterator[Interruptions]:
    """Note the two signals instead of ending; the earlier handlers come back afterwards."""
    asked = Interruptions()

    def handle(number: int, _frame: object) -> None:
        asked.save = True
        asked.stop |= number == signal.SIGTERM

    earlier = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGUSR1)}
    try:
        yield asked
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)

"""Signals that ask a training job for a checkpoint.

Slurm's `--signal=USR1@120` warns a job two minutes before its time is over: SIGUSR1 asks for a
checkpoint at once, and training goes on, because every step until the end counts. SIGTERM, which
Slurm, Snakemake and torchrun send to stop a job, and SIGINT, which Ctrl-C sends, ask for a last
checkpoint: the process then ends with status 143 or 130 (128 + the signal's number), and the same
command goes on from there. A second Ctrl-C ends it at once.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Interruptions:
    """What has been asked for and not been done yet.

    Attributes:
        save: write a checkpoint.
        stop: the number of the signal that asks to stop after it; 0 where none does.
    """

    save: bool = False
    stop: int = 0

    @property
    def status(self) -> int:
        """Exit status of a process that a signal has stopped, here or in another process."""
        return 128 + (self.stop or signal.SIGTERM)


@contextmanager
def interruptions() -> Iterator[Interruptions]:
    """Note the signals instead of ending; the earlier handlers come back afterwards."""
    asked = Interruptions()

    def handle(number: int, _frame: object) -> None:
        asked.save = True
        if number != signal.SIGUSR1:
            asked.stop = number
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
    earlier = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield asked
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)

"""Several processes that train one job together: started by torchrun, or none but this one."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist

from daclass.errors import InputError
from daclass.training.batches import WHOLE, Part


@dataclass(frozen=True)
class Crew:
    """The processes of a job, seen from one of them.

    Attributes:
        part: what this process has of every batch.
        local_rank: its number among those of this machine.
        local_size: how many of them this machine has.
    """

    part: Part = WHOLE
    local_rank: int = 0
    local_size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes files and messages."""
        return self.part.rank == 0

    @property
    def alone(self) -> bool:
        return self.part.size == 1

    def any(self, flag: bool) -> bool:
        """Whether `flag` is set in any process; all have to ask at the same step."""
        return bool(self.total(torch.tensor(int(flag))))

    def total(self, counts: torch.Tensor) -> torch.Tensor:
        """Sum of a CPU tensor over the processes."""
        if not self.alone:
            dist.all_reduce(counts)
        return counts

    def wait(self) -> None:
        """Go on when all processes are here."""
        if not self.alone:
            dist.barrier()


@contextmanager
def crew(processes: int) -> Iterator[Crew]:
    """Join the other processes of a torchrun job.

    A process joins once and stays until it ends: gloo leaves its addresses in torchrun's store, and
    who joins a second time may find another's old one there and be refused.

    Args:
        processes: how many the recipe wants.

    Raises:
        InputError: torchrun started another number.
    """
    started = int(os.environ.get("WORLD_SIZE", "1"))
    if started != processes:
        raise InputError(
            f"training.processes is {processes}, but {started} were started; "
            f"torchrun --nproc-per-node={processes} -m daclass train ..."
        )
    if processes == 1:
        yield Crew()
        return
    # Counts and flags go over gloo, gradients on GPUs over nccl.
    if not dist.is_initialized():
        dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
        atexit.register(dist.destroy_process_group)
    yield Crew(
        Part(dist.get_rank(), dist.get_world_size()),
        int(os.environ["LOCAL_RANK"]),
        int(os.environ["LOCAL_WORLD_SIZE"]),
    )

"""Which devices a job computes on, and how batches get there."""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch

from daclass.config import Machine
from daclass.errors import InputError
from daclass.training.batches import Batch
from daclass.training.distributed import Crew
from daclass.training.locks import lock

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0


@contextmanager
def devices(machine: Machine, crew: Crew | None = None) -> Iterator[list[torch.device]]:
    """The devices of this process, kept from other jobs of the same user until the block ends.

    Without `machine.device` naming one, a job takes as many free GPUs as `machine.devices` says and
    waits for them; a torchrun job takes the first GPUs, one per process.

    Raises:
        InputError: the GPUs that are asked for are not there.
    """
    crew = crew or Crew()
    name = machine.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cpu":
        yield [torch.device("cpu")]
        return
    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    _, _, number = name.partition(":")
    wanted = int(number) + 1 if number else machine.devices * crew.local_size
    if wanted > there:
        raise InputError(
            f"machine.device: {name}, {wanted} GPUs wanted, but {there or 'no'} usable ones here"
        )
    torch.backends.cudnn.benchmark = True
    if number:
        torch.cuda.set_device(name)
        yield [torch.device(name)]
        return
    gpus = [str(torch.cuda.get_device_properties(gpu).uuid) for gpu in range(there)]
    if crew.alone:
        with claim(gpus, wanted, sharing=machine.jobs_per_gpu) as numbers:
            torch.cuda.set_device(numbers[0])  # what names no device stays off others' GPUs
            yield [torch.device("cuda", number) for number in numbers]
        return
    with claim(gpus[:wanted], wanted if crew.local_rank == 0 else 0):
        crew.wait()
        first = crew.local_rank * machine.devices
        torch.cuda.set_device(first)
        yield [torch.device("cuda", first + number) for number in range(machine.devices)]


@contextmanager
def claim(
    names: Sequence[str], count: int, folder: Path | None = None, *, sharing: int = 1
) -> Iterator[list[int]]:
    """Numbers in `names` of `count` devices that no other process has claimed; waits for them.

    A claim is a lock on a file, which the kernel drops with the process, however it ends. Jobs
    claim one after the other, so that two of them never wait for each other's devices.

    Args:
        sharing: jobs that a device takes at once, this one included; each of them says so. A job
            that shares with nobody waits for those that do, and they for it.
    """
    folder = folder or Path(tempfile.gettempdir()) / f"daclass-devices-{os.getuid()}"
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        claimed: list[int] = []
        with ExitStack() as queue:
            lock(folder / "queue.lock", queue, wait=True)
            told = False
            while len(claimed) < count:
                for number in _emptiest_first(names, folder, sharing):
                    free = len(claimed) < count and number not in claimed
                    if free and _claimed(names[number], folder, sharing, held):
                        claimed.append(number)
                if len(claimed) < count:
                    if not told:
                        log.info("waiting for %d of %d GPUs", count - len(claimed), len(names))
                    told = True
                    time.sleep(POLL_SECONDS)
        yield sorted(claimed)


def _claimed(name: str, folder: Path, sharing: int, held: ExitStack) -> bool:
    """Claim a device, or one of the places that jobs share on it; whether that was possible."""
    with ExitStack() as tried:
        if not lock(folder / f"{name}.lock", tried, wait=False, shared=sharing > 1):
            return False
        places = range(sharing if sharing > 1 else 0)
        taken = sharing == 1 or any(
            lock(folder / f"{name}.{place}.lock", tried, wait=False) for place in places
        )
        if taken:
            held.push(tried.pop_all())
        return taken


def _emptiest_first(names: Sequence[str], folder: Path, sharing: int) -> list[int]:
    """Numbers of the devices, those with the most free places first: jobs spread over them."""

    def free(name: str) -> int:
        with ExitStack() as tried:
            paths = (folder / f"{name}.{place}.lock" for place in range(sharing))
            return sum(lock(path, tried, wait=False) for path in paths)

    if sharing == 1:
        return list(range(len(names)))
    return sorted(range(len(names)), key=lambda number: -free(names[number]))


def on_devices(
    batches: Iterable[Batch], targets: Sequence[torch.device]
) -> Iterator[dict[torch.device, Batch]]:
    """Each batch on each of the devices `targets`; positions stay on the host, which draws by them.

    FFCV decodes into a few pinned buffers that it uses again, and knows nothing of copies that are
    still under way. So each copy is waited for before the next batch is asked for. It runs on a
    stream of its own: the device goes on computing meanwhile.
    """
    streams = {device: torch.cuda.Stream(device) for device in targets if device.type == "cuda"}
    for batch in batches:
        moved = dict.fromkeys(targets, batch)
        for device, stream in streams.items():
            with torch.cuda.stream(stream):
                pictures, labels = (tensor.to(device, non_blocking=True) for tensor in batch[:2])
                moved[device] = Batch(pictures, labels, batch.positions)
        for device, stream in streams.items():
            stream.synchronize()
            for tensor in moved[device][:2]:
                tensor.record_stream(torch.cuda.current_stream(device))
        yield moved

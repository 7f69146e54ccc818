"""The loaders that read picture files: they need no FFCV, and its loaders are held against them."""

from __future__ import annotations

import atexit
import errno
import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import active_children
from multiprocessing.queues import Queue

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms.v2 import functional as tv

from daclass.augment import StrengthTable
from daclass.augment.dataset import PictureFiles, PolicyCropDataset
from daclass.augment.errors import AugmentError
from daclass.augment.pictures import picture_size
from daclass.errors import InputError
from daclass.training.batches import Batch, Order, Samples, central_square
from daclass.training.recipe import Recipe


class TorchvisionTrainLoader:
    def __init__(
        self,
        recipe: Recipe,
        samples: Samples,
        strengths: StrengthTable,
        seed: int,
        order: Order,
        threads: int,
    ) -> None:
        self.dataset = PolicyCropDataset(
            samples.files,
            samples.labels,
            recipe.training.resolution,
            strengths,
            study_seed=recipe.seed,
            run_seed=seed,
            flip=recipe.augmentation.flip,
            max_resolution=recipe.beton.max_resolution,
            contents=samples.contents,
        )
        self.order = order
        self.workers = _workers(threads)

    def __len__(self) -> int:
        return len(self.order)

    def epoch(self, epoch: int, start: int, side: int) -> Iterator[Batch]:
        self.dataset.set_epoch(epoch)
        self.dataset.side = side
        steps = self.order.positions(epoch, start).tolist()
        loader = DataLoader(
            self.dataset,
            batch_sampler=steps,
            num_workers=self.workers,
            worker_init_fn=_prepare_worker,
        )
        with one_line_faults():
            for batch in loader:
                yield Batch(*batch)

    def sizes(self) -> npt.NDArray[np.int64]:
        pictures = self.dataset.pictures
        with one_line_faults():
            return np.array(
                [picture_size(file, pictures.max_resolution) for file in pictures.files]
            )


class TorchvisionValLoader:
    def __init__(
        self,
        side: int,
        views: Sequence[float],
        batch: int,
        max_resolution: int | None,
        samples: Samples,
        positions: npt.NDArray[np.int64],
        threads: int,
    ) -> None:
        self.loader = DataLoader(
            _CentralSquares(side, views, max_resolution, samples, positions),
            batch_size=batch,
            num_workers=_workers(threads),
            worker_init_fn=_prepare_worker,
        )

    def __iter__(self) -> Iterator[Batch]:
        with one_line_faults():
            for batch in self.loader:
                yield Batch(*batch)


class _CentralSquares(Dataset[tuple[Tensor, int, int]]):
    """The central squares of whole pictures, as validation sees them."""

    def __init__(
        self,
        side: int,
        views: Sequence[float],
        max_resolution: int | None,
        samples: Samples,
        positions: npt.NDArray[np.int64],
    ) -> None:
        self.pictures = PictureFiles(samples.files, samples.contents, max_resolution)
        self.labels, self.positions = samples.labels, positions.tolist()
        self.side, self.views = side, views

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, place: int) -> tuple[Tensor, int, int]:
        position = self.positions[place]
        file, size = self.pictures.files[position], [self.side, self.side]
        picture = torch.from_numpy(self.pictures[position].copy()).permute(2, 0, 1)
        sides = [central_square(min(picture.shape[1:]), share, file) for share in self.views]
        squares = [tv.resize(tv.center_crop(picture, [side, side]), size) for side in sides]
        return torch.stack(squares), int(self.labels[position]), position


def _prepare_worker(_worker: int) -> None:
    """Slurm sends SIGTERM, and a terminal Ctrl-C, to every process of a job; the trainer's
    checkpoint needs its workers. They end with the trainer: by `_end_workers`, or because they see
    that it is gone.

    A batch that finds no room in shared memory would be dropped, and the trainer wait for it."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Queue._on_queue_feeder_error = staticmethod(_end_for)  # type: ignore[attr-defined]


def _end_for(error: BaseException, _batch: object) -> None:
    os.write(2, f"a batch cannot be handed over: {error}\n".encode())
    os._exit(1)


@atexit.register
def _end_workers() -> None:
    """End the workers of an epoch that a fault has cut short.

    Python would end them by SIGTERM, which they do not mind, and then wait for them for ever.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where torch raises for each that is killed
    for worker in active_children():
        worker.kill()


@contextmanager
def one_line_faults() -> Iterator[None]:
    """What goes wrong in workers, in one line: torch puts the worker's traceback around it.

    Raises:
        InputError: a picture cannot be read, or a worker has died.
    """
    try:
        yield
    except AugmentError as error:
        raise InputError(str(error).strip().splitlines()[-1].split("Error: ", 1)[-1]) from None
    except (OSError, RuntimeError) as error:
        said = str(error)
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC and not error.filename
        signs = ("DataLoader worker", "/torch_", "shared memory")
        if not full and not any(sign in said for sign in signs):
            raise
        free = shutil.disk_usage("/dev/shm").free / 1e6
        last = said.strip().splitlines()[-1]
        raise InputError(
            f"reading pictures: a worker could not go on ({last}); {free:,.1f} MB of /dev/shm are "
            "free, through which batches come: enlarge it, or set machine.threads to 1"
        ) from None


def _workers(threads: int) -> int:
    """Processes that read pictures; none besides the training one where it has a single thread."""
    return threads if threads > 1 else 0

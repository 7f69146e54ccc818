"""The loaders that read picture files: they need no FFCV, and its loaders are held against them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms.v2 import functional as tv

from daclass.augment import StrengthTable
from daclass.augment.dataset import PolicyCropDataset
from daclass.augment.errors import AugmentError
from daclass.augment.pictures import read_picture
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
            worker_init_fn=_outlive_sigterm,
        )
        with one_line_faults():
            for batch in loader:
                yield Batch(*batch)


class TorchvisionValLoader:
    def __init__(
        self, recipe: Recipe, samples: Samples, positions: npt.NDArray[np.int64], threads: int
    ) -> None:
        self.loader = DataLoader(
            _CentreCrops(recipe, samples, positions),
            batch_size=2 * recipe.training.batch_size,
            num_workers=_workers(threads),
            worker_init_fn=_outlive_sigterm,
        )

    def __iter__(self) -> Iterator[Batch]:
        with one_line_faults():
            for batch in self.loader:
                yield Batch(*batch)


def _outlive_sigterm(_worker: int) -> None:
    """Slurm sends SIGTERM to every process of a job; the trainer's checkpoint needs its workers."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


@contextmanager
def one_line_faults() -> Iterator[None]:
    """A worker's fault comes with the worker's traceback around it; its last line says it all.

    Raises:
        InputError: a picture cannot be read.
    """
    try:
        yield
    except AugmentError as error:
        raise InputError(str(error).strip().splitlines()[-1].split("Error: ", 1)[-1]) from None


class _CentreCrops(Dataset[tuple[Tensor, int, int]]):
    """The central squares of whole pictures, as validation sees them."""

    def __init__(self, recipe: Recipe, samples: Samples, positions: npt.NDArray[np.int64]) -> None:
        self.samples, self.positions = samples, positions.tolist()
        self.side, self.share = recipe.training.val_resolution, recipe.training.val_crop
        self.max_resolution = recipe.beton.max_resolution

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, place: int) -> tuple[Tensor, int, int]:
        position = self.positions[place]
        pixels = read_picture(self.samples.files[position], self.max_resolution)
        picture = torch.from_numpy(pixels.copy()).permute(2, 0, 1)
        crop = central_square(min(picture.shape[1:]), self.share, self.samples.files[position])
        square = tv.resize(tv.center_crop(picture, [crop, crop]), [self.side, self.side])
        return square, int(self.samples.labels[position]), position


def _workers(threads: int) -> int:
    """Processes that read pictures; none besides the training one where it has a single thread."""
    return threads if threads > 1 else 0

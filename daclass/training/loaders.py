"""Loaders: batches of K crops a picture for training, of whole pictures for validation.

The FFCV loader reads a .beton; the torchvision loader reads the picture files, needs no FFCV and is
the reference that the FFCV loader is held against. Both give the same pictures in the same order
with the same boxes.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms.v2 import functional as tv

from daclass.augment.errors import AugmentError
from daclass.augment.pictures import read_picture
from daclass.augment.variates import epoch_key
from daclass.config import Study
from daclass.errors import InputError


class Batch(NamedTuple):
    """What a loader gives for one step; it stays valid until the next batch is asked for."""

    pictures: Tensor
    """uint8 [batch, policies, 3, side, side] in training, [batch, 3, side, side] in validation."""
    labels: Tensor
    """int64 [batch]."""
    positions: Tensor
    """Places of the samples in the index, int64 [batch]: what random operations are keyed by."""


class TrainLoader(Protocol):
    def __len__(self) -> int:
        """Steps an epoch; the last, incomplete batch is left out."""

    def epoch(self, epoch: int, start: int, side: int) -> Iterator[Batch]:
        """The batches of an epoch from step `start` on, with crops of `side` px."""


class ValLoader(Protocol):
    def __iter__(self) -> Iterator[Batch]:
        """Every validation picture of this process once, in index order."""


@dataclass(frozen=True)
class Samples:
    """One split and draw: its .beton, its picture files and its labels, all in index order."""

    beton: Path
    files: Sequence[Path]
    labels: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """Which part of every batch a process has: part `rank` of `size`."""

    rank: int = 0
    size: int = 1


WHOLE = Part()


@dataclass(frozen=True)
class Order:
    """Which samples each step of an epoch holds: a pure function of seed, epoch, step and part.

    Attributes:
        samples: size of the data set.
        batch: samples a step, over all processes; a multiple of ``part.size``.
        seed: what `order_seed` returns.
        part: what this process has of it. The parts of a step make up a single process's batch.
    """

    samples: int
    batch: int
    seed: int
    part: Part = WHOLE

    def __len__(self) -> int:
        return self.samples // self.batch

    def positions(self, epoch: int, start: int = 0) -> npt.NDArray[np.int64]:
        """Positions, shape [steps from `start` on, samples a step and process]."""
        order = np.random.default_rng(self.seed + epoch).permutation(self.samples)
        steps = order[: len(self) * self.batch].reshape(len(self), self.part.size, -1)
        return np.ascontiguousarray(steps[start:, self.part.rank])


def order_seed(study: Study, seed: int) -> int:
    """The number that the epoch is added to, and the shuffle seeded with.

    Run seeds 0, 1, 2 would shuffle alike one epoch apart; hashed, they are far apart.
    """
    return int(epoch_key(study.seed, seed, 2**62)) >> 16


def train_loader(
    study: Study,
    samples: Samples,
    strengths: npt.NDArray[np.float64],
    seed: int,
    part: Part = WHOLE,
) -> TrainLoader:
    """The loader of one run seed.

    Args:
        strengths: shape [policies, samples].
        part: what this process loads of every batch.

    Raises:
        InputError: the .beton is missing or not one, does not fit the index, or a batch is larger
            than the data set.
    """
    if study.training.batch_size > len(samples.labels):
        raise InputError(
            f"training.batch_size: {study.training.batch_size} is more than the "
            f"{len(samples.labels)} training pictures"
        )
    order = Order(len(samples.labels), study.training.batch_size, order_seed(study, seed), part)
    if study.training.loader == "ffcv":
        from daclass.training.ffcv_loaders import FfcvTrainLoader

        return FfcvTrainLoader(study, samples, strengths, seed, order)
    return TorchvisionTrainLoader(study, samples, strengths, seed, order)


def val_loader(study: Study, samples: Samples, part: Part = WHOLE) -> ValLoader:
    """The validation pictures of one process: every `part.size`-th, none twice.

    Raises:
        InputError: the .beton is missing or not one, or does not fit the index.
    """
    positions = np.arange(part.rank, len(samples.labels), part.size)
    if study.training.loader == "ffcv":
        from daclass.training.ffcv_loaders import FfcvValLoader

        return FfcvValLoader(study, samples, positions)
    return TorchvisionValLoader(study, samples, positions)


class TorchvisionTrainLoader:
    def __init__(
        self,
        study: Study,
        samples: Samples,
        strengths: npt.NDArray[np.float64],
        seed: int,
        order: Order,
    ) -> None:
        from daclass.augment.dataset import PolicyCropDataset

        self.dataset = PolicyCropDataset(
            samples.files,
            samples.labels,
            study.training.resolution,
            strengths,
            study_seed=study.seed,
            run_seed=seed,
            flip=study.augmentation.flip,
            max_resolution=study.beton.max_resolution,
        )
        self.order = order
        self.workers = _workers(study)

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
    def __init__(self, study: Study, samples: Samples, positions: npt.NDArray[np.int64]) -> None:
        self.loader = DataLoader(
            _CentreCrops(study, samples, positions),
            batch_size=2 * study.training.batch_size,
            num_workers=_workers(study),
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

    def __init__(self, study: Study, samples: Samples, positions: npt.NDArray[np.int64]) -> None:
        self.samples, self.positions = samples, positions.tolist()
        self.side, self.share = study.training.val_resolution, study.training.val_crop
        self.max_resolution = study.beton.max_resolution

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, place: int) -> tuple[Tensor, int, int]:
        position = self.positions[place]
        pixels = read_picture(self.samples.files[position], self.max_resolution)
        picture = torch.from_numpy(pixels.copy()).permute(2, 0, 1)
        crop = central_square(min(picture.shape[1:]), self.share, self.samples.files[position])
        square = tv.resize(tv.center_crop(picture, [crop, crop]), [self.side, self.side])
        return square, int(self.samples.labels[position]), position


def central_square(shorter: int, share: float, file: Path) -> int:
    """Side in px of the square that validation sees of a picture.

    Raises:
        InputError: it is less than one pixel.
    """
    side = int(share * shorter)
    if side < 1:
        raise InputError(
            f"training.val_crop: {share:g} leaves less than one pixel of {file}, whose shorter "
            f"side has {shorter} px"
        )
    return side


def _workers(study: Study) -> int:
    """Processes that read pictures; none besides the training one where it has a single thread."""
    return study.machine.threads if study.machine.threads > 1 else 0

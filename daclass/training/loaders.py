"""Loaders: batches of K crops a picture for training, of whole pictures for validation.

The FFCV loader reads a .beton; the torchvision loader reads the picture files, needs no FFCV and is
the reference that the FFCV loader is held against. Both give the same pictures in the same order
with the same boxes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from daclass.augment.pictures import read_picture
from daclass.augment.variates import epoch_key
from daclass.errors import InputError
from daclass.study import Study

Batch = tuple[Tensor, Tensor]  # pictures and labels


class TrainLoader(Protocol):
    def __len__(self) -> int:
        """Batches an epoch; the last, incomplete one is left out."""

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Crops, uint8 [batch, policies, 3, side, side], and labels, int64 [batch]."""


@dataclass(frozen=True)
class Samples:
    """One split and draw: its .beton, its picture files and its labels, all in index order."""

    beton: Path
    files: Sequence[Path]
    labels: npt.NDArray[np.int64]


def train_loader(
    study: Study,
    samples: Samples,
    strengths: npt.NDArray[np.float64],
    seed: int,
) -> TrainLoader:
    """The loader of one run seed.

    Args:
        strengths: shape [policies, samples].

    Raises:
        InputError: the .beton is missing or not one, does not fit the index, or a batch is larger
            than the data set.
    """
    if study.training.batch_size > len(samples.labels):
        raise InputError(
            f"training.batch_size: {study.training.batch_size} is more than the "
            f"{len(samples.labels)} training pictures"
        )
    if study.training.loader == "ffcv":
        return FfcvTrainLoader(study, samples, strengths, seed)
    return TorchvisionTrainLoader(study, samples, strengths, seed)


def val_batches(study: Study, samples: Samples) -> Iterator[Batch]:
    """Every validation picture once, in index order: uint8 [batch, 3, side, side] and labels."""
    if study.training.loader == "ffcv":
        return _ffcv_val_batches(study, samples)
    return _torchvision_val_batches(study, samples)


def order_seed(study: Study, seed: int) -> int:
    """The number that FFCV adds the epoch to and seeds the shuffle with.

    Run seeds 0, 1, 2 would shuffle alike one epoch apart; hashed, they are far apart.
    """
    return int(epoch_key(study.seed, seed, 2**62)) >> 16


class FfcvTrainLoader:
    def __init__(
        self, study: Study, samples: Samples, strengths: npt.NDArray[np.float64], seed: int
    ) -> None:
        from ffcv.fields.basics import IntDecoder
        from ffcv.loader import Loader, OrderOption
        from ffcv.transforms import Squeeze, ToTensor

        from daclass.augment.decoder import PolicyCropDecoder

        _check_beton(samples)
        self.decoder = PolicyCropDecoder(
            study.training.resolution,
            strengths,
            study_seed=study.seed,
            run_seed=seed,
            flip=study.augmentation.flip,
        )
        self.loader = Loader(
            str(samples.beton),
            batch_size=study.training.batch_size,
            num_workers=_ffcv_workers(study),
            order=OrderOption.RANDOM,
            seed=order_seed(study, seed),
            drop_last=True,
            pipelines={
                "image": [self.decoder, ToTensor()],
                "label": [IntDecoder(), ToTensor(), Squeeze()],
            },
        )

    def __len__(self) -> int:
        return len(self.loader)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        self.decoder.set_epoch(epoch)
        self.loader.next_epoch = epoch
        for crops, labels in self.loader:
            yield crops.permute(0, 1, 4, 2, 3), labels


class TorchvisionTrainLoader:
    def __init__(
        self, study: Study, samples: Samples, strengths: npt.NDArray[np.float64], seed: int
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
        self.batch_size = study.training.batch_size
        self.workers = study.machine.threads
        self.order_seed = order_seed(study, seed)

    def __len__(self) -> int:
        return len(self.dataset) // self.batch_size

    def epoch(self, epoch: int) -> Iterator[Batch]:
        self.dataset.set_epoch(epoch)
        order = np.random.default_rng(self.order_seed + epoch).permutation(len(self.dataset))
        loader = torch.utils.data.DataLoader(
            self.dataset,
            batch_size=self.batch_size,
            sampler=order.tolist(),
            num_workers=self.workers if self.workers > 1 else 0,
            drop_last=True,
        )
        for crops, labels, _ in loader:
            yield crops, labels


def _ffcv_workers(study: Study) -> int:
    """numba refuses more threads than it found cores at its start."""
    from numba.np.ufunc.parallel import get_thread_count

    return min(study.machine.threads, get_thread_count())


def _ffcv_val_batches(study: Study, samples: Samples) -> Iterator[Batch]:
    from ffcv.fields.basics import IntDecoder
    from ffcv.fields.rgb_image import CenterCropRGBImageDecoder
    from ffcv.loader import Loader, OrderOption
    from ffcv.transforms import Squeeze, ToTensor

    _check_beton(samples)
    side = study.training.val_resolution
    loader = Loader(
        str(samples.beton),
        batch_size=min(2 * study.training.batch_size, len(samples.labels)),
        num_workers=_ffcv_workers(study),
        order=OrderOption.SEQUENTIAL,
        drop_last=False,
        pipelines={
            "image": [CenterCropRGBImageDecoder((side, side), study.training.val_crop), ToTensor()],
            "label": [IntDecoder(), ToTensor(), Squeeze()],
        },
    )
    for pictures, labels in loader:
        # A last batch of one picture comes squeezed to a scalar label.
        yield pictures.permute(0, 3, 1, 2), labels.reshape(-1)


def _torchvision_val_batches(study: Study, samples: Samples) -> Iterator[Batch]:
    from torchvision.transforms.v2 import functional as tv

    side = [study.training.val_resolution] * 2
    step = 2 * study.training.batch_size
    for start in range(0, len(samples.files), step):
        pictures = []
        for file in samples.files[start : start + step]:
            pixels = read_picture(file, study.beton.max_resolution)
            picture = torch.from_numpy(pixels.copy()).permute(2, 0, 1)
            crop = int(study.training.val_crop * min(picture.shape[1:]))
            pictures.append(tv.resize(tv.center_crop(picture, [crop, crop]), side))
        yield torch.stack(pictures), torch.from_numpy(samples.labels[start : start + step])


def _check_beton(samples: Samples) -> None:
    """Refuse a .beton that is missing, cut short, or holds other samples than the index."""
    from ffcv.reader import Reader

    if not samples.beton.is_file():
        raise InputError(f"{samples.beton}: no such file")
    try:
        reader = Reader(str(samples.beton))
        allocations = reader.alloc_table
        end = int((allocations["ptr"] + allocations["size"]).max(initial=0))
        labels = reader.metadata["f1"].reshape(-1)
    except (AssertionError, IndexError, ValueError, KeyError, OSError):
        allocations = []
    if len(allocations) == 0 or end > samples.beton.stat().st_size:
        raise InputError(f"{samples.beton}: cut short, or not a .beton file; remove it")
    if not np.array_equal(labels, samples.labels):
        raise InputError(f"{samples.beton}: its labels differ from the index; remove it")

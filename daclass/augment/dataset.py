"""Data sets for torch: any data set with its samples' positions, and picture files in K crops."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Sized
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as tv

from daclass.augment.boxes import check_crops, random_resized_crop_boxes
from daclass.augment.epoch import Epoch
from daclass.augment.errors import AugmentError
from daclass.augment.mixture import StrengthTable
from daclass.augment.pictures import read_picture
from daclass.augment.transform import PolicyCrop, SampleIndex
from daclass.augment.variates import flips, image_keys


class IndexedDataset(Dataset[tuple[Any, ...]]):
    """A data set whose transform, and whose user, see each sample's position.

    An item is (picture, target, position): what `transform` makes of the wrapped data set's item
    and its position.

    Args:
        dataset: any data set with a length, whose items are tuples such as (picture, label); it
            should have no random transform of its own.
        transform: torchvision-v2 transforms, among them a `PolicyCrop`.

    Raises:
        AugmentError: a `PolicyCrop` has strengths for another number of samples.
    """

    def __init__(self, dataset: Dataset[Any], transform: Callable[..., Any]) -> None:
        if not isinstance(dataset, Sized):
            raise AugmentError(f"{type(dataset).__name__} has no length: samples have no positions")
        steps = transform.transforms if isinstance(transform, v2.Compose) else [transform]
        for step in steps:
            if isinstance(step, PolicyCrop) and len(step) != len(dataset):
                raise AugmentError(
                    f"strengths cover {len(step)} samples, the data set has {len(dataset)}"
                )
        self.dataset = dataset
        self.transform = transform
        self._length = len(dataset)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, position: int) -> tuple[Any, ...]:
        *parts, _ = self.transform(*self.dataset[position], SampleIndex(position))
        return (*parts, position)


class PictureFiles:
    """Picture files, each of which is held against its hash when it is first read.

    Args:
        files: any that `read_picture` reads.
        contents: `daclass.augment.pictures.hash_of` of each as it should be, or "" where that is
            not known. None checks nothing.
        max_resolution: as of `read_picture`.
    """

    def __init__(
        self,
        files: Sequence[Path],
        contents: Sequence[str] | None = None,
        max_resolution: int | None = None,
    ) -> None:
        self.files, self.contents, self.max_resolution = files, contents, max_resolution
        self._unread = torch.ones(len(files), dtype=torch.bool).share_memory_()  # by any worker

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, position: int) -> npt.NDArray[np.uint8]:
        """Pixels of a picture, uint8 [height, width, 3].

        Raises:
            PictureError: as of `read_picture`.
        """
        wanted = self.contents[position] if self.contents and self._unread[position] else ""
        pixels = read_picture(self.files[position], self.max_resolution, wanted)
        self._unread[position] = False
        return pixels


class PolicyCropDataset(Dataset[tuple[torch.Tensor, int, int]]):
    """Picture files with one reproducible random resized crop per policy.

    An item is (crops, label, position): crops uint8 with shape [policies, 3, side, side]. Boxes and
    flips equal those of `PolicyCropDecoder` to the integer; pixels differ slightly, since
    torchvision resizes with an antialiased bilinear filter and FFCV by area.

    Args:
        files: picture files, one per sample; whatever their mode, they become upright RGB.
        labels: class of each sample, shape [samples].
        side: height and width of the crops in px.
        strengths: what `strength_table` gives, or lower area bounds in `RRC_SCALE`'s range, shape
            [policies, samples].
        study_seed, run_seed: non-negative integers below 2^63.
        flip: probability of mirroring, in [0, 1].
        max_resolution: longest side in px of the pictures that boxes are cut from; larger ones are
            shrunk first.
        contents: as of `PictureFiles`.

    Raises:
        AugmentError: lengths differ, strengths outside the range, a side, seed or probability that
            is none; on access, a file is no readable picture or has changed.
    """

    def __init__(
        self,
        files: Sequence[Path],
        labels: npt.NDArray[np.integer],
        side: int,
        strengths: StrengthTable | npt.ArrayLike,
        *,
        study_seed: int = 0,
        run_seed: int,
        flip: float = 0.5,
        max_resolution: int | None = None,
        contents: Sequence[str] | None = None,
    ) -> None:
        self.strengths = check_crops(side, strengths, flip)
        if not len(files) == len(labels) == self.strengths.shape[1]:
            raise AugmentError(
                f"{len(files)} files, {len(labels)} labels and strengths for "
                f"{self.strengths.shape[1]} samples: the lengths must agree"
            )
        self.pictures = PictureFiles(files, contents, max_resolution)
        self.labels = labels
        self.side = side
        self.flip = flip
        self._epoch = Epoch(study_seed, run_seed, len(files))

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose crops are cut next; workers of a `DataLoader` hear of it too.

        Where it is forgotten, the second pass over the data warns that crops are the same again.
        """
        self._epoch.set(epoch)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, position: int) -> tuple[torch.Tensor, int, int]:
        pixels = self.pictures[position]
        picture = torch.from_numpy(pixels.copy()).permute(2, 0, 1)
        place, (height, width) = np.array([position]), picture.shape[1:]
        keys = image_keys(self._epoch.ask(), place)
        boxes = np.concatenate(
            [
                random_resized_crop_boxes(
                    keys, height, width, self.strengths.drawn(policy, place, keys)
                )
                for policy in range(len(self.strengths))
            ]
        )
        size = [self.side, self.side]
        crops = torch.stack([tv.resized_crop(picture, *box, size) for box in boxes.tolist()])
        if flips(keys, self.flip)[0]:
            crops = tv.horizontal_flip(crops)
        return crops, int(self.labels[position]), position

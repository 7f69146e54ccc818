"""The torchvision form of the loader: the same boxes, from picture files, without FFCV."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset
from torchvision.transforms.v2 import functional as tv

from daclass.augment.boxes import random_resized_crop_boxes
from daclass.augment.pictures import read_picture
from daclass.augment.variates import epoch_key, flips, image_keys


class PolicyCropDataset(Dataset[tuple[torch.Tensor, int, int]]):
    """Picture files with one reproducible random resized crop a policy.

    An item is (crops, label, position): crops uint8 with shape [policies, 3, side, side]. Boxes and
    flips equal those of `PolicyCropDecoder` to the integer; pixels differ slightly, since
    torchvision resizes with an antialiased bilinear filter and FFCV by area.

    Args:
        files: picture files, one a sample; whatever their mode, they become upright RGB.
        labels: class of each sample, shape [samples].
        side: height and width of the crops in px.
        strengths: lower area bounds in (0, 1], shape [policies, samples].
        study_seed, run_seed: non-negative integers below 2^63.
        flip: probability of mirroring, in [0, 1].
        max_resolution: longest side in px of the pictures that boxes are cut from; larger ones are
            shrunk first.

    Raises:
        ValueError: lengths differ; on access, a file is no readable picture.
    """

    def __init__(
        self,
        files: Sequence[Path],
        labels: npt.NDArray[np.integer],
        side: int,
        strengths: npt.NDArray[np.floating],
        *,
        study_seed: int = 0,
        run_seed: int,
        flip: float = 0.5,
        max_resolution: int | None = None,
    ) -> None:
        if not len(files) == len(labels) == strengths.shape[1]:
            raise ValueError(
                f"{len(files)} files, {len(labels)} labels and strengths for "
                f"{strengths.shape[1]} samples: the lengths must agree"
            )
        self.files = files
        self.labels = labels
        self.side = side
        self.strengths = strengths
        self.seeds = (study_seed, run_seed)
        self.flip = flip
        self.max_resolution = max_resolution
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose crops are cut; call it before workers start."""
        self._epoch = epoch_key(*self.seeds, epoch)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, position: int) -> tuple[torch.Tensor, int, int]:
        pixels = read_picture(self.files[position], self.max_resolution)
        picture = torch.from_numpy(pixels.copy()).permute(2, 0, 1)
        keys = image_keys(self._epoch, np.full(len(self.strengths), position))
        boxes = random_resized_crop_boxes(
            keys, picture.shape[1], picture.shape[2], self.strengths[:, position]
        )
        size = [self.side, self.side]
        crops = torch.stack([tv.resized_crop(picture, *box, size) for box in boxes.tolist()])
        if flips(keys[:1], self.flip)[0]:
            crops = tv.horizontal_flip(crops)
        return crops, int(self.labels[position]), position

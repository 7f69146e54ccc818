"""A torchvision-v2 transform: the crop of one policy for each sample, inside any v2 pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as tv

from daclass.augment.boxes import check_crops, random_resized_crop_boxes
from daclass.augment.epoch import Epoch
from daclass.augment.errors import AugmentError
from daclass.augment.mixture import StrengthTable
from daclass.augment.variates import flips, image_keys


class SampleIndex(tv_tensors.TVTensor):
    """A sample's position in its data set, as part of the sample: an int64 tensor without axes.

    Transforms that do not know it pass it through; a `DataLoader` makes a batch of it.
    """

    def __new__(cls, position: int) -> SampleIndex:
        return torch.tensor(position, dtype=torch.int64).as_subclass(cls)


class PolicyCrop(v2.Transform):
    """A reproducible random resized crop whose strength is the sample's own.

    Takes the place of `torchvision.transforms.v2.RandomResizedCrop` and `RandomHorizontalFlip`.
    A sample must hold a `SampleIndex`, which `dataset.IndexedDataset` adds. Images, videos, masks,
    bounding boxes and keypoints of a sample are all cut at the same box. The boxes equal those of
    the FFCV decoder to the integer.

    Args:
        side: height and width of the crop in px.
        strengths: lower area bounds in `RRC_SCALE`'s range, shape [samples]: what
            `Policy.sample_strengths` gives; or a `strength_table` of one policy, which may mix.
        study_seed, run_seed: non-negative integers below 2^63.
        flip: probability of mirroring, in [0, 1].
        interpolation: torchvision's; images are shrunk with its antialiasing.

    Raises:
        AugmentError: `strengths` has another shape or values outside the range; a side, seed or
            probability that is none; when called, a sample without `SampleIndex`, or one that
            `strengths` does not cover.
    """

    def __init__(
        self,
        side: int,
        strengths: StrengthTable | npt.ArrayLike,
        *,
        study_seed: int = 0,
        run_seed: int,
        flip: float = 0.5,
        interpolation: v2.InterpolationMode = v2.InterpolationMode.BILINEAR,
    ) -> None:
        super().__init__()
        if not isinstance(strengths, StrengthTable):
            strengths = np.asarray(strengths)[None]
        self.table = check_crops(side, strengths, flip)
        if len(self.table) != 1:
            raise AugmentError(f"PolicyCrop cuts by one policy, got {len(self.table)}")
        self.side = side
        self.flip = flip
        self.interpolation = interpolation
        self._epoch = Epoch(study_seed, run_seed, len(self))

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose crops are cut next; workers of a `DataLoader` hear of it too.

        Where it is forgotten, the second pass over the data warns that crops are the same again.
        """
        self._epoch.set(epoch)

    def __len__(self) -> int:
        """Number of samples that it has strengths for."""
        return self.table.shape[1]

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        found = [int(part) for part in flat_inputs if isinstance(part, SampleIndex)]
        if len(found) != 1:
            raise AugmentError(
                "PolicyCrop has to know which sample of the data set it crops, and a picture alone "
                "does not say so: give the transforms to IndexedDataset(data, transforms) of "
                "daclass.augment.dataset, and none to the data set itself"
            )
        (position,) = found
        if not 0 <= position < len(self):
            raise AugmentError(f"strengths cover {len(self)} samples; there is none for {position}")
        keys = image_keys(self._epoch.ask(), np.array([position]))
        height, width = v2.query_size(flat_inputs)
        strength = self.table.drawn(0, np.array([position]), keys)
        (box,) = random_resized_crop_boxes(keys, height, width, strength).tolist()
        return {"box": box, "mirrored": bool(flips(keys, self.flip)[0])}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if isinstance(inpt, SampleIndex):
            return inpt
        size = [self.side, self.side]
        crop = tv.resized_crop(inpt, *params["box"], size, self.interpolation, antialias=True)
        return tv.horizontal_flip(crop) if params["mirrored"] else crop

"""Crops of a batch of decoded pictures, on a CPU or a GPU.

For pictures that lie on the device already, all of one size: small data sets kept in memory, or a
GPU decoder. Boxes are drawn on the host as everywhere else; a crop is two matrix products with the
weights of torchvision's antialiased bilinear filter, so that a whole batch of boxes of different
sizes is one call.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from daclass.augment.boxes import check_crops, random_resized_crop_boxes
from daclass.augment.epoch import Epoch
from daclass.augment.errors import AugmentError
from daclass.augment.mixture import StrengthTable
from daclass.augment.variates import flips, image_keys


class BatchPolicyCrop:
    """Reproducible random resized crops of batches, one per picture and policy.

    Boxes and flips equal those of the FFCV decoder and of `PolicyCrop` to the integer.

    Args:
        side: height and width of the crops in px.
        strengths: what `strength_table` gives, or lower area bounds in `RRC_SCALE`'s range, shape
            [policies, samples].
        study_seed, run_seed: non-negative integers below 2^63.
        flip: probability of mirroring, in [0, 1].

    Raises:
        AugmentError: `strengths` has another shape or values outside the range; a side, seed or
            probability that is none.
    """

    def __init__(
        self,
        side: int,
        strengths: StrengthTable | npt.ArrayLike,
        *,
        study_seed: int = 0,
        run_seed: int,
        flip: float = 0.5,
    ) -> None:
        self.side = side
        self.strengths = check_crops(side, strengths, flip)
        self.flip = flip
        self._epoch = Epoch(study_seed, run_seed, self.strengths.shape[1])

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose crops are cut next.

        Where it is forgotten, the second pass over the data warns that crops are the same again.
        """
        self._epoch.set(epoch)

    def __call__(self, images: Tensor, positions: npt.ArrayLike) -> Tensor:
        """Crops of shape [n, policies, 3, side, side], of the dtype and on the device of `images`.

        Args:
            images: uint8 or floats, shape [n, 3, height, width], on any device.
            positions: the pictures' positions in the data set, integers of shape [n], on the host.

        Raises:
            AugmentError: shapes differ, or a position that `strengths` does not cover.
        """
        where = np.asarray(positions)
        samples = self.strengths.shape[1]
        if where.shape != (len(images),):
            raise AugmentError(f"positions must have shape ({len(images)},), got {where.shape}")
        outside = where[(where < 0) | (where >= samples)]
        if outside.size:
            raise AugmentError(f"strengths cover {samples} samples; there is none for {outside[0]}")
        keys = image_keys(self._epoch.ask(len(where)), where)
        mirrored = flips(keys, self.flip)
        height, width = images.shape[-2:]
        return torch.stack(
            [
                resized_crops(
                    images,
                    random_resized_crop_boxes(
                        keys, height, width, self.strengths.drawn(policy, where, keys)
                    ),
                    self.side,
                    mirrored,
                )
                for policy in range(len(self.strengths))
            ],
            dim=1,
        )


def resized_crops(
    images: Tensor,
    boxes: npt.NDArray[np.integer],
    side: int,
    mirrored: npt.NDArray[np.bool_] | None = None,
) -> Tensor:
    """Cut one box out of each picture and resize it to a square.

    The filter is the antialiased bilinear one of `torchvision.transforms.v2.functional.resize`;
    bytes may differ from torchvision's by one grey level, which rounds between the two directions.

    Args:
        images: uint8 or floats, shape [n, 3, height, width], on any device.
        boxes: top, left, height and width in px, inside the pictures, shape [n, 4], on the host.
        side: height and width of the result in px.
        mirrored: which crops to mirror, shape [n]; none where not given.

    Returns:
        Shape [n, 3, side, side], of the dtype and on the device of `images`.
    """
    height, width = images.shape[-2:]
    flipped = np.zeros(len(boxes), bool) if mirrored is None else mirrored
    dtype = images.dtype if images.is_floating_point() else torch.float32
    rows, columns = (
        torch.from_numpy(weights).to(images.device, dtype)
        for weights in (
            _weights(boxes[:, 0], boxes[:, 2], side, height, np.zeros(len(boxes), bool)),
            _weights(boxes[:, 1], boxes[:, 3], side, width, flipped),
        )
    )
    crops = rows[:, None] @ images.to(dtype) @ columns[:, None].mT
    return crops if images.is_floating_point() else crops.round().clamp(0, 255).to(images.dtype)


def _weights(
    starts: npt.NDArray[np.integer],
    lengths: npt.NDArray[np.integer],
    side: int,
    size: int,
    reverse: npt.NDArray[np.bool_],
) -> npt.NDArray[np.float32]:
    """What each of `size` pixels gives to each of `side` pixels of a crop, shape [n, side, size].

    A triangle around the place that a pixel of the crop comes from, as wide as the crop is shrunk
    and at least two pixels, cut off at the box (Pillow's and torch's antialiased filter).
    """
    step = lengths / side
    targets = np.arange(side) + 0.5
    middles = starts[:, None] + np.where(reverse[:, None], side - targets, targets) * step[:, None]
    pixels = np.arange(size) + 0.5
    reach = np.maximum(step, 1.0)[:, None, None]
    weights = np.maximum(1 - np.abs(pixels - middles[:, :, None]) / reach, 0)
    within = (pixels > starts[:, None]) & (pixels < (starts + lengths)[:, None])
    weights *= within[:, None]
    weights /= weights.sum(axis=2, keepdims=True)
    return weights.astype(np.float32)

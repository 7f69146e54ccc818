"""CutMix with a strength for each sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from daclass.augment.axis import Axis
from daclass.augment.mixing import host_shares, mixed_targets, partners
from daclass.augment.variates import Keys, uniform

if TYPE_CHECKING:
    from torch import Tensor


def cutmix_boxes(
    strengths: npt.NDArray[np.float64], keys: Keys, height: int, width: int
) -> npt.NDArray[np.int64]:
    """Top, left, height and width in px of what the partner gives, shape [n, 4].

    As in torchvision's CutMix: the box has the partner's share of the area and the picture's aspect
    ratio, its middle is uniform, and what leaves the picture is cut off.
    """
    shares = host_shares(strengths, uniform(keys, CUTMIX.counter()))
    half = 0.5 * np.sqrt(1.0 - shares)
    tall, wide = (half * height).astype(np.int64), (half * width).astype(np.int64)
    y = np.floor(uniform(keys, CUTMIX.counter(1)) * height).astype(np.int64)
    x = np.floor(uniform(keys, CUTMIX.counter(2)) * width).astype(np.int64)
    top, left = np.maximum(y - tall, 0), np.maximum(x - wide, 0)
    bottom, right = np.minimum(y + tall, height), np.minimum(x + wide, width)
    return np.stack([top, left, bottom - top, right - left], axis=1)


def cutmix(
    images: Tensor,
    labels: Tensor,
    strengths: npt.NDArray[np.float64],
    keys: Keys,
    classes: int,
) -> tuple[Tensor, Tensor]:
    """Paste a box of its partner into each picture (Yun et al. 2019).

    The host's share of the area is drawn for each sample from Beta(alpha, alpha), alpha being the
    host's strength; targets have the shares that are really seen. Arguments and result are those of
    `batch.BatchOperation`.
    """
    import torch

    from daclass.augment.device import beside
    from daclass.augment.rectangles import inside

    height, width = images.shape[-2:]
    partner = beside(images, partners(keys))
    boxes = cutmix_boxes(strengths, keys, height, width)
    shares = beside(images, 1.0 - boxes[:, 2] * boxes[:, 3] / (height * width))
    pasted = inside(beside(images, boxes), height, width)
    return (
        torch.where(pasted, images[partner], images),
        mixed_targets(labels, labels[partner], shares, classes),
    )


CUTMIX = Axis(
    name="cutmix",
    low=0.0,
    high=10.0,
    stronger="higher",
    identity=0.0,
    meaning="CutMix's alpha, the parameter of the Beta distribution of area shares",
    label="CutMix's alpha",
    draws=6,
    operation=cutmix,
    mixes=True,
)

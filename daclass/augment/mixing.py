"""Mixup and CutMix with a strength a sample.

The strength of a mix is that of the picture whose place in the batch it takes, the *host*; its
*partner*'s strength does not matter. A class-conditional policy therefore changes the places of the
classes that it names and no others; pictures of these classes still serve as partners of others.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from scipy.special import betaincinv
from torch import Tensor

from daclass.augment import variates
from daclass.augment.device import beside
from daclass.augment.erasing import inside
from daclass.augment.variates import Keys, uniform


def partners(keys: Keys) -> npt.NDArray[np.int64]:
    """Position in the batch of each picture's partner, shape [n].

    The batch is put into a random circle by its keys and each picture is the partner of the next:
    torchvision pairs neighbours of the batch likewise, but there the pairs depend on its order.
    """
    circle = np.argsort(uniform(keys, variates.PARTNER), kind="stable")
    found = np.empty(len(keys), np.int64)
    found[circle] = np.roll(circle, 1)
    return found


def host_shares(
    strengths: npt.NDArray[np.float64], variate: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """The host's share of each mix, Beta(strength, strength) by inversion; 1 where that is 0."""
    mixed = strengths > 0
    shares = np.ones(len(strengths))
    shares[mixed] = betaincinv(strengths[mixed], strengths[mixed], variate[mixed])
    return shares


def mixup(
    images: Tensor,
    labels: Tensor,
    strengths: npt.NDArray[np.float64],
    keys: Keys,
    classes: int,
) -> tuple[Tensor, Tensor]:
    """Blend each picture and its target with its partner's (Zhang et al. 2018).

    The host's share is drawn for each sample from Beta(alpha, alpha), alpha being the host's
    strength. Arguments and result are those of `batch.BatchOperation`.
    """
    partner = beside(images, partners(keys))
    shares = beside(images, host_shares(strengths, uniform(keys, variates.MIXUP)))
    host = shares.view(-1, 1, 1, 1)
    return (
        torch.where(host == 1, images, host * images + (1 - host) * images[partner]),
        _mixed_targets(labels, labels[partner], shares, classes),
    )


def cutmix_boxes(
    strengths: npt.NDArray[np.float64], keys: Keys, height: int, width: int
) -> npt.NDArray[np.int64]:
    """Top, left, height and width in px of what the partner gives, shape [n, 4].

    As in torchvision's CutMix: the box has the partner's share of the area and the picture's aspect
    ratio, its middle is uniform, and what leaves the picture is cut off.
    """
    shares = host_shares(strengths, uniform(keys, variates.CUTMIX))
    half = 0.5 * np.sqrt(1.0 - shares)
    tall, wide = (half * height).astype(np.int64), (half * width).astype(np.int64)
    y = np.floor(uniform(keys, variates.CUTMIX + 1) * height).astype(np.int64)
    x = np.floor(uniform(keys, variates.CUTMIX + 2) * width).astype(np.int64)
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
    height, width = images.shape[-2:]
    partner = beside(images, partners(keys))
    boxes = cutmix_boxes(strengths, keys, height, width)
    shares = beside(images, 1.0 - boxes[:, 2] * boxes[:, 3] / (height * width))
    pasted = inside(beside(images, boxes), height, width)
    return (
        torch.where(pasted, images[partner], images),
        _mixed_targets(labels, labels[partner], shares, classes),
    )


def _mixed_targets(hosts: Tensor, partners: Tensor, shares: Tensor, classes: int) -> Tensor:
    own, other = (F.one_hot(ids, classes).to(shares.dtype) for ids in (hosts, partners))
    return shares[:, None] * own + (1 - shares[:, None]) * other

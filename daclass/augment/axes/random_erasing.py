"""Random erasing with a probability a sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from daclass.augment.axis import Axis
from daclass.augment.variates import Keys, uniform

if TYPE_CHECKING:
    from torch import Tensor

TRIES = 10
SCALE = (0.02, 0.33)  # share of the picture's area; these three as in torchvision's RandomErasing
LOG_RATIO = (float(np.log(0.3)), float(np.log(3.3)))  # height over width
MEAN_COLOUR = (0.485, 0.456, 0.406)  # ImageNet's


def erasing_boxes(
    strengths: npt.NDArray[np.float64], keys: Keys, height: int, width: int
) -> npt.NDArray[np.int64]:
    """Top, left, height and width in px of what is erased, shape [n, 4]; zeros where nothing is."""
    boxes = np.zeros((len(keys), 4), np.int64)
    chance = uniform(keys, RANDOM_ERASING.counter())
    open_ = np.flatnonzero(chance < strengths)
    for attempt in range(TRIES):
        if not len(open_):
            break
        first = RANDOM_ERASING.counter(1 + 4 * attempt)
        u, v, x, y = (uniform(keys[open_], first + part) for part in range(4))
        area = height * width * (SCALE[0] + (SCALE[1] - SCALE[0]) * u)
        ratio = np.exp(LOG_RATIO[0] + (LOG_RATIO[1] - LOG_RATIO[0]) * v)
        h = np.rint(np.sqrt(area * ratio)).astype(np.int64)
        w = np.rint(np.sqrt(area / ratio)).astype(np.int64)
        fits = (h < height) & (w < width)
        top = np.floor(x * (height - h + 1)).astype(np.int64)
        left = np.floor(y * (width - w + 1)).astype(np.int64)
        boxes[open_[fits]] = np.stack([top, left, h, w], axis=1)[fits]
        open_ = open_[~fits]
    return boxes


def random_erasing(
    images: Tensor,
    strengths: npt.NDArray[np.float64],
    keys: Keys,
    fill: Sequence[float] = MEAN_COLOUR,
) -> Tensor:
    """Erase, with a probability of the sample's strength, a rectangle as torchvision's
    RandomErasing draws it; `fill` is its colour on a scale of 0 to 1.

    Arguments and result are those of `batch.BatchOperation`.
    """
    import torch

    from daclass.augment.device import beside
    from daclass.augment.rectangles import inside

    boxes = beside(images, erasing_boxes(strengths, keys, *images.shape[-2:]))
    colour = torch.tensor(fill, dtype=images.dtype, device=images.device).view(1, 3, 1, 1)
    return torch.where(inside(boxes, *images.shape[-2:]), colour, images)


RANDOM_ERASING = Axis(
    name="random_erasing",
    low=0.0,
    high=1.0,
    stronger="higher",
    identity=0.0,
    meaning="the probability that a rectangle of 2% to 33% of the picture is erased",
    label="probability of erasing",
    draws=4,
    operation=random_erasing,
    fills=True,
)

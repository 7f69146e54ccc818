"""RandAugment with a magnitude a sample."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from daclass.augment.axis import Axis
from daclass.augment.variates import Keys, uniform

if TYPE_CHECKING:
    from torch import Tensor

OPERATIONS_EACH = 2
# torchvision's list, in its order.
NAMES = (
    "Identity",
    "ShearX",
    "ShearY",
    "TranslateX",
    "TranslateY",
    "Rotate",
    "Brightness",
    "Color",
    "Contrast",
    "Sharpness",
    "Posterize",
    "Solarize",
    "AutoContrast",
    "Equalize",
)


def randaugment_choices(
    strengths: npt.NDArray[np.float64], keys: Keys
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """What is done to each picture, in order.

    Returns:
        Positions in `NAMES`, shape [n, 2], and magnitudes on a scale of -1 to 1, shape [n, 2]: the
        strength's share of the axis's range, with a random sign, which only some operations use.
    """
    first = RANDAUGMENT.counter()
    turns = range(OPERATIONS_EACH)
    chosen = np.stack([uniform(keys, first + 2 * turn) for turn in turns], axis=1) * len(NAMES)
    signs = np.stack([uniform(keys, first + 2 * turn + 1) for turn in turns], axis=1) <= 0.5
    level = strengths / RANDAUGMENT.high
    return chosen.astype(np.int64), np.where(signs, -level[:, None], level[:, None])


def randaugment(images: Tensor, strengths: npt.NDArray[np.float64], keys: Keys) -> Tensor:
    """Apply two operations of RandAugment (Cubuk et al. 2020) at the sample's magnitude.

    Operations, ranges, nearest-neighbour sampling and black borders are those of torchvision's
    RandAugment(num_ops=2), whose 31 magnitudes are joined linearly here. Unlike there, a magnitude
    of 0 switches everything off: AutoContrast and Equalize, which know no magnitude, included.
    Arguments and result are those of `batch.BatchOperation`.
    """
    from daclass.augment.device import beside

    chosen, levels = randaugment_choices(strengths, keys)
    out = images.clone()
    for turn in range(OPERATIONS_EACH):
        for number, name in enumerate(NAMES[1:], start=1):
            picked = np.flatnonzero((chosen[:, turn] == number) & (strengths > 0))
            if len(picked):
                rows = beside(images, picked)
                out[rows] = apply(name, out[rows], levels[picked, turn])
    return out


def apply(name: str, images: Tensor, levels: npt.NDArray[np.float64]) -> Tensor:
    """One operation of `NAMES` on floats [n, 3, height, width] in 0..1, with levels in -1..1."""
    from kornia import enhance
    from torchvision.transforms.v2 import functional as tv

    from daclass.augment.device import beside

    height, width = images.shape[-2:]
    size = np.abs(levels)
    zero, one = np.zeros_like(levels), np.ones_like(levels)
    match name:
        case "ShearX":  # about the upper left corner
            slope = 0.3 * levels
            return _warp(images, [[one, slope, slope * height / 2], [zero, one, zero]])
        case "ShearY":
            slope = 0.3 * levels
            return _warp(images, [[one, zero, zero], [slope, one, slope * width / 2]])
        case "TranslateX":
            shift = np.trunc(150.0 / 331.0 * width * levels)
            return _warp(images, [[one, zero, -shift], [zero, one, zero]])
        case "TranslateY":
            shift = np.trunc(150.0 / 331.0 * height * levels)
            return _warp(images, [[one, zero, zero], [zero, one, -shift]])
        case "Rotate":
            angle = math.radians(30.0) * levels
            cos, sin = np.cos(angle), np.sin(angle)
            return _warp(images, [[cos, -sin, zero], [sin, cos, zero]])
        case "Brightness":
            factor = beside(images, 1 + 0.9 * levels)
            return enhance.adjust_brightness_accumulative(images, factor)
        case "Color":
            factor = beside(images, 1 + 0.9 * levels)
            return enhance.adjust_saturation_with_gray_subtraction(images, factor)
        case "Contrast":
            factor = beside(images, 1 + 0.9 * levels)
            return enhance.adjust_contrast_with_mean_subtraction(images, factor)
        case "Sharpness":
            return enhance.sharpness(images, beside(images, 1 + 0.9 * levels))
        case "Posterize":
            lost = 8 - np.rint(8 - 4 * size).astype(np.int64)  # bits of eight
            mask = beside(images, 256 - 2**lost).view(-1, 1, 1, 1)
            return ((images * 255).round().long() & mask).to(images.dtype) / 255
        case "Solarize":
            return enhance.solarize(images, beside(images, 1 - size))
        case "AutoContrast":
            return tv.autocontrast(images)
        case "Equalize":
            return tv.equalize(images)
    raise ValueError(f"{name} is no operation of RandAugment")


def _warp(images: Tensor, rows: list[list[npt.NDArray[np.float64]]]) -> Tensor:
    """Sample each picture where an affine map sends the pixels of the result.

    Args:
        rows: the map's two rows, each entry of shape [n], in px from the picture's middle.
    """
    import torch.nn.functional as F

    from daclass.augment.device import beside

    height, width = images.shape[-2:]
    (xx, xy, x0), (yx, yy, y0) = rows
    # torch's affine maps take the picture to reach from -1 to 1 on both sides.
    theta = np.stack(
        [
            np.stack([xx, xy * height / width, 2 * x0 / width], axis=-1),
            np.stack([yx * width / height, yy, 2 * y0 / height], axis=-1),
        ],
        axis=1,
    )
    grid = F.affine_grid(beside(images, theta), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode="nearest", padding_mode="zeros", align_corners=False)


RANDAUGMENT = Axis(
    name="randaugment",
    low=0.0,
    high=30.0,
    stronger="higher",
    identity=0.0,
    meaning="the magnitude of RandAugment's two operations on torchvision's scale",
    label="RandAugment magnitude",
    draws=3,
    operation=randaugment,
)

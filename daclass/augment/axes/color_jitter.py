"""Colour jitter with a strength a sample."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from daclass.augment.axis import Axis
from daclass.augment.variates import Keys, signed, uniform

if TYPE_CHECKING:
    from torch import Tensor

BLEND, HUE = 0.8, 0.2  # SimCLR's proportions (Chen et al. 2020, appendix A)


def jitter_factors(
    strengths: npt.NDArray[np.float64], keys: Keys
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """What each picture is jittered by, and in which order.

    Returns:
        Factors for brightness, contrast and saturation, uniform on 1 +- 0.8 strength, and the hue's
        shift as a share of the circle, uniform on +- 0.2 strength: shape [n, 4]. A random order of
        these four, each row a permutation of 0..3: shape [n, 4].
    """
    spread = np.stack([signed(keys, COLOR_JITTER.counter(part)) for part in range(4)], axis=1)
    factors = np.array([1.0, 1.0, 1.0, 0.0]) + np.array([BLEND] * 3 + [HUE]) * (
        strengths[:, None] * spread
    )
    ranks = np.stack([uniform(keys, COLOR_JITTER.counter(4 + part)) for part in range(4)], axis=1)
    return factors, np.argsort(ranks, axis=1)


def color_jitter(images: Tensor, strengths: npt.NDArray[np.float64], keys: Keys) -> Tensor:
    """Jitter brightness, contrast, saturation and hue in a random order, as torchvision's
    ColorJitter(0.8 s, 0.8 s, 0.8 s, 0.2 s) does; a strength of 0 changes nothing.

    Arguments and result are those of `batch.BatchOperation`.
    """
    from kornia import enhance

    from daclass.augment.device import beside

    # The order of torchvision's ColorJitter; hue is an angle for kornia, else a share of a circle.
    operations = (
        enhance.adjust_brightness_accumulative,
        enhance.adjust_contrast_with_mean_subtraction,
        enhance.adjust_saturation_with_gray_subtraction,
        enhance.adjust_hue,
    )
    factors, order = jitter_factors(strengths, keys)
    out = images.clone()
    for turn in range(4):
        for part, adjust in enumerate(operations):
            chosen = np.flatnonzero((order[:, turn] == part) & (strengths > 0))
            if not len(chosen):
                continue
            amounts = factors[chosen, part] * (2 * math.pi if part == 3 else 1.0)
            rows = beside(images, chosen)
            out[rows] = adjust(out[rows], beside(images, amounts))
    return out


COLOR_JITTER = Axis(
    name="color_jitter",
    low=0.0,
    high=1.0,
    stronger="higher",
    identity=0.0,
    meaning="the strength of SimCLR's colour jitter (brightness, contrast and saturation change by "
    "up to 0.8 of it, hue by up to 0.2 of it)",
    label="colour jitter",
    draws=2,
    operation=color_jitter,
)

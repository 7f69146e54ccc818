"""Gaussian blur with a strength a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from daclass.augment.axis import Axis
from daclass.augment.variates import Keys, uniform

if TYPE_CHECKING:
    from torch import Tensor

REACH = 3.0  # a kernel ends this many standard deviations from its middle


def blur_sigmas(strengths: npt.NDArray[np.float64], keys: Keys) -> npt.NDArray[np.float64]:
    """Standard deviations in px, uniform on [0, strength): shape [n]."""
    return strengths * uniform(keys, BLUR.counter())


def blur(images: Tensor, strengths: npt.NDArray[np.float64], keys: Keys) -> Tensor:
    """Blur each picture by a Gaussian whose standard deviation is uniform between 0 and its
    strength in px; a strength of 0 changes nothing.

    A kernel is as wide as its own picture's deviation asks for, whatever the batch holds. Edges are
    reflected, as by torchvision's GaussianBlur. Arguments and result are those of
    `batch.BatchOperation`.
    """
    from kornia.filters import gaussian_blur2d

    from daclass.augment.device import beside

    sigmas = blur_sigmas(strengths, keys)
    most = min(images.shape[-2:]) - 1  # reflection goes no further
    radii = np.minimum(np.ceil(REACH * sigmas).astype(int), most)
    out = images.clone()
    for radius in np.unique(radii[radii > 0]).tolist():
        chosen = np.flatnonzero(radii == radius)
        rows = beside(images, chosen)
        sigma = beside(images, np.repeat(sigmas[chosen, None], 2, axis=1))
        blurred = gaussian_blur2d(images[rows], 2 * radius + 1, sigma)
        out[rows] = blurred.clamp(0, 1)  # a kernel's sum is 1 up to rounding
    return out


BLUR = Axis(
    name="blur",
    low=0.0,
    high=10.0,
    stronger="higher",
    identity=0.0,
    meaning="the largest standard deviation of a Gaussian blur in px of the training picture",
    label="largest blur, px",
    draws=7,
    operation=blur,
)

"""How likely a crop is under each strength: what its view says of the class.

A try of `boxes.random_resized_crop_boxes` draws an area A, uniform on [s, 1] times the N = H W
pixels of a picture, and the logarithm of an aspect ratio, uniform on [log 3/4, log 4/3]; with
x = sqrt(A ratio) and y = sqrt(A / ratio), the box is w = round(x) pixels wide and h = round(y)
tall. Since A = x y and log ratio = log x - log y, the Jacobian is 2, and (x, y) has the density ::

    2 / ((1 - s) N (log 4/3 - log 3/4))    where s N <= x y <= N and 3/4 <= x / y <= 4/3.

A try gives (w, h) with the mass of the unit square around it; it fits with probability q, the mass
of all boxes inside the picture; its place is uniform. Ten tries give a box that fits with
probability ``mass (1 - (1 - q)^10) / q``, and the centred box with ``(1 - q)^10`` besides.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from daclass.augment.boxes import LOG_RATIO, RATIO, TRIES, centred_boxes

Floats = npt.NDArray[np.float64]

_STEPS = 64  # of the midpoint rule over a pixel's width
_SPAN = LOG_RATIO[1] - LOG_RATIO[0]


def box_probabilities(
    boxes: npt.NDArray[np.integer], height: int, width: int, strengths: npt.ArrayLike
) -> Floats:
    """The probability of each crop box under each strength, shape [n, strengths].

    For training whose loss takes the view into account: added to a class's logit, the logarithm of
    the box's probability under the class's own strengths leaves nothing to be gained by reading the
    view, as Menon et al. (2021, "Long-tail learning via logit adjustment") do for frequencies of
    classes. Under a mixture it is the mean over the class's strengths (`Policy.distribution`); a
    strength that cannot give the box has 0, so take the logarithm above a floor.

    Args:
        boxes: top, left, height and width in px, as `random_resized_crop_boxes` gives them for
            pictures of this size, shape [n, 4].
        height, width: of the pictures in px.
        strengths: lower bounds of a crop's share of the area, in [0.001, 1), shape [strengths].
    """
    low = np.asarray(strengths, np.float64)
    tall, wide = boxes[:, 2], boxes[:, 3]
    fits = np.stack([_fitting(height, width, s) for s in low])
    gone = (1 - fits) ** TRIES
    mass = _mass(tall, wide, height * width, low)
    places = (height - tall + 1) * (width - wide + 1)
    tries = ((1 - fits) ** np.arange(TRIES)[:, None]).sum(axis=0)  # (1 - gone) / fits
    drawn = mass * tries / places[:, None]
    centred = centred_boxes(np.array([height]), np.array([width]))[0]
    return drawn + (boxes == centred).all(axis=1)[:, None] * gone


def _fitting(height: int, width: int, strength: float) -> float:
    """The probability that a try fits into the picture."""
    rows, columns = np.meshgrid(np.arange(1, height + 1), np.arange(1, width + 1), indexing="ij")
    return float(_mass(rows.ravel(), columns.ravel(), height * width, np.array([strength])).sum())


def _mass(
    tall: npt.NDArray[np.integer], wide: npt.NDArray[np.integer], pixels: int, strengths: Floats
) -> Floats:
    """The probability that a try gives a box of this size, shape [boxes, strengths]."""
    x = wide[:, None] - 0.5 + (np.arange(_STEPS) + 0.5) / _STEPS  # [boxes, steps]
    top = np.minimum(np.minimum(tall[:, None] + 0.5, pixels / x), x / RATIO[0])
    bottom = np.maximum(tall[:, None] - 0.5, x / RATIO[1])
    least = np.maximum(bottom[..., None], strengths * pixels / x[..., None])
    area = np.maximum(top[..., None] - least, 0).mean(axis=1)
    return 2 * area / ((1 - strengths) * pixels * _SPAN)

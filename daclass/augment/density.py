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

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from daclass.augment.boxes import LOG_RATIO, RATIO, TRIES, centred_boxes

Floats = npt.NDArray[np.float64]

_STEPS = 64  # of the midpoint rule over a pixel's width
_ALL_STEPS = 2048  # over a picture's width
_SPAN = LOG_RATIO[1] - LOG_RATIO[0]
_NEXT_TO_WHOLE = 1 - 1e-6  # stands for strength 1, under which areas have no density
_LEAST = 1e-6  # of the likelihoods of one view, as a share of the largest: what cannot be


def view_log_likelihoods(
    boxes: npt.NDArray[np.integer],
    heights: npt.ArrayLike,
    widths: npt.ArrayLike,
    levels: npt.ArrayLike,
    shares: npt.ArrayLike,
) -> Floats:
    """How much each crop speaks for each class by its box alone, in nats, shape [n, classes].

    Added to the logits in training, as Menon et al. (2021, "Long-tail learning via logit
    adjustment") add the logarithms of the classes' frequencies, it leaves nothing to be gained by
    reading the view: what the network has to tell is what the picture says besides.

    Args:
        boxes, heights, widths: as of `box_probabilities`.
        levels, shares: strengths, and how each class's pictures are spread over them, as
            `Policy.distribution` gives them.

    Returns:
        The logarithm of the box's probability under the class, less that under the class where it
        is largest: at most 0, and no less than log 1e-6 where the class cannot have the box.
    """
    found = box_probabilities(boxes, heights, widths, levels) @ np.asarray(shares, np.float64).T
    most = found.max(axis=1, keepdims=True)
    # A sliver of a pixel that the midpoint rule has missed speaks for no class.
    relative = np.divide(found, most, out=np.ones_like(found), where=most > 0)
    return np.log(np.maximum(relative, _LEAST))


def box_probabilities(
    boxes: npt.NDArray[np.integer],
    heights: npt.ArrayLike,
    widths: npt.ArrayLike,
    strengths: npt.ArrayLike,
) -> Floats:
    """The probability of each crop box under each strength, shape [n, strengths].

    Args:
        boxes: top, left, height and width in px, as `random_resized_crop_boxes` gives them, shape
            [n, 4].
        heights, widths: of the pictures in px, shape [n] or one number.
        strengths: lower bounds of a crop's share of the area, in `RRC_SCALE`'s range, shape
            [strengths].
    """
    low = np.minimum(np.asarray(strengths, np.float64), _NEXT_TO_WHOLE)
    height, width = (np.broadcast_to(np.asarray(s), len(boxes)) for s in (heights, widths))
    sizes, place = np.unique(np.stack([height, width], axis=1), axis=0, return_inverse=True)
    fits = np.array([_fitting(*size, tuple(low.tolist())) for size in sizes.tolist()])
    fits = fits.reshape(-1, len(low))[place.reshape(-1)]
    tall, wide = boxes[:, 2], boxes[:, 3]
    mass = _mass((wide - 0.5, wide + 0.5), (tall - 0.5, tall + 0.5), height * width, low, _STEPS)
    gone = (1 - fits) ** TRIES
    tries = sum((1 - fits) ** attempt for attempt in range(TRIES))  # (1 - gone) / fits
    places = (height - tall + 1) * (width - wide + 1)
    centred = (boxes == centred_boxes(height, width)).all(axis=1)
    return mass * tries / places[:, None] + centred[:, None] * gone


@lru_cache(maxsize=2**16)
def _fitting(height: int, width: int, strengths: tuple[float, ...]) -> Floats:
    """The probability that a try fits into a picture, under each strength."""
    edges = (np.array([0.5]), np.array([width + 0.5])), (np.array([0.5]), np.array([height + 0.5]))
    return _mass(*edges, np.array([height * width]), np.array(strengths), _ALL_STEPS)[0]


def _mass(
    across: tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]],
    down: tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]],
    pixels: npt.NDArray[np.integer],
    strengths: Floats,
    steps: int,
) -> Floats:
    """The probability that a try's (x, y) lies in a rectangle, shape [rectangles, strengths].

    Args:
        across, down: its lower and upper bound in x and in y, each of shape [rectangles].
        pixels: of the picture, shape [rectangles].
        steps: of the midpoint rule over x; over y the integral is exact.
    """
    (left, right), (bottom, top) = across, down
    x = left[:, None] + (right - left)[:, None] * (np.arange(steps) + 0.5) / steps
    largest = pixels[:, None] / x
    most = np.minimum(np.minimum(top[:, None], largest), x / RATIO[0])
    least = np.maximum(bottom[:, None], x / RATIO[1])
    least = np.maximum(least[..., None], strengths * largest[..., None])
    area = np.maximum(most[..., None] - least, 0).mean(axis=1) * (right - left)[:, None]
    return 2 * area / ((1 - strengths) * pixels[:, None] * _SPAN)

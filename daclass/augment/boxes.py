"""Random-resized-crop boxes as a pure function of keys and strengths (NumPy form).

The semantics are those of `torchvision.transforms.RandomResizedCrop.get_params`: up to ten tries of
an area and a log-uniform aspect ratio, then the largest centred box with a permitted ratio. FFCV's
sampler does the same, but draws the position as a truncated uniform number where torchvision draws
an integer: the same distribution, and the form used here. `daclass.augment.decoder` holds the
compiled form of the same function; both give the same integers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from daclass.augment.axes.rrc_scale import RRC_SCALE
from daclass.augment.errors import AugmentError
from daclass.augment.mixture import StrengthTable, as_table
from daclass.augment.variates import Keys, epoch_key, image_keys, uniform

TRIES = 10  # torchvision's number
RATIO = (3.0 / 4.0, 4.0 / 3.0)  # torchvision's default aspect ratios, width over height
LOG_RATIO = (float(np.log(RATIO[0])), float(np.log(RATIO[1])))


def random_resized_crop_boxes(
    keys: Keys,
    heights: npt.NDArray[np.integer] | int,
    widths: npt.NDArray[np.integer] | int,
    strengths: npt.NDArray[np.floating] | float,
) -> npt.NDArray[np.int64]:
    """One crop box a key.

    Boxes of one key at different strengths share their uniform variates, so that a difference
    between strengths is not a difference in luck.

    Args:
        keys: what `variates.image_keys` returns, shape [n].
        heights: picture heights in px, shape [n] or one number, at least 1.
        widths: picture widths in px, likewise.
        strengths: lower bound of the crop's share of the area, in `RRC_SCALE`'s range, shape [n] or
            one number.

    Returns:
        int64, shape [n, 4]: top, left, height and width in px. A box has at least one pixel.

    Raises:
        AugmentError: a picture without pixels, or a strength outside the range.
    """
    boxes, _ = _draw(keys, heights, widths, strengths)
    return boxes


@dataclass(frozen=True)
class RealisedArea:
    """What a strength comes to on pictures of a given shape; all arrays have one shape.

    Attributes:
        mean: mean share of the picture's area that the crop shows.
        smallest: 5% of the crops show a smaller share than this.
        fallback: share of the crops for which no try fitted, so that the centred box was taken.
        enlarged: share of the crops with fewer pixels than they are resized to; NaN where no side
            was given.
        exact: share of the crops that have that side already, so that no pixel is resampled.
    """

    mean: npt.NDArray[np.float64]
    smallest: npt.NDArray[np.float64]
    fallback: npt.NDArray[np.float64]
    enlarged: npt.NDArray[np.float64]
    exact: npt.NDArray[np.float64]


def realised_area(
    strengths: npt.ArrayLike,
    heights: npt.ArrayLike,
    widths: npt.ArrayLike,
    crops: int = 16_384,
    side: int | None = None,
) -> RealisedArea:
    """The area that crops of a strength really show.

    Near 1.0 hardly any try fits a picture that is not square, and most crops are the centred box:
    another distribution than the strength's name promises. Look here before reading a curve.

    Args:
        strengths: lower area bounds in `RRC_SCALE`'s range; broadcast against the sizes.
        heights, widths: picture sizes in px, at least 1.
        crops: number of crops drawn for each; always the same ones, so that the answer is a
            function of the arguments. The standard error of a share p is sqrt(p (1 - p) / crops),
            at most 0.4 points.
        side: of the square in px that crops are resized to, for `enlarged` and `exact`.

    Raises:
        AugmentError: a picture without pixels, a strength outside the range, or no crops.
    """
    if crops < 1:
        raise AugmentError(f"crops must be at least 1, got {crops}")
    low, height, width = np.broadcast_arrays(
        np.asarray(strengths, np.float64), np.asarray(heights), np.asarray(widths)
    )
    keys = image_keys(epoch_key(0, 0, 0), np.arange(crops))
    found = np.full((5, low.size), np.nan)
    for place, (s, h, w) in enumerate(zip(low.flat, height.flat, width.flat, strict=True)):
        boxes, fallen = _draw(keys, int(h), int(w), float(s))
        share = boxes[:, 2] * boxes[:, 3] / (int(h) * int(w))
        found[:3, place] = share.mean(), np.quantile(share, 0.05), fallen.mean()
        if side is not None:
            pixels, exact = boxes[:, 2] * boxes[:, 3], (boxes[:, 2:] == side).all(axis=1)
            found[3:, place] = (pixels < side**2).mean(), exact.mean()
    return RealisedArea(*found.reshape(5, *low.shape))


def _draw(
    keys: Keys,
    heights: npt.NDArray[np.integer] | int,
    widths: npt.NDArray[np.integer] | int,
    strengths: npt.NDArray[np.floating] | float,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Boxes, shape [n, 4], and whether each is the fallback, shape [n]."""
    n = len(keys)
    height = np.broadcast_to(np.asarray(heights, np.int64), (n,))
    width = np.broadcast_to(np.asarray(widths, np.int64), (n,))
    low = np.broadcast_to(RRC_SCALE.check_all(strengths), (n,))
    if n and min(height.min(), width.min()) < 1:
        raise AugmentError("a picture has less than one pixel: there is nothing to crop")
    boxes = centred_boxes(height, width)
    open_ = np.arange(n)
    for attempt in range(TRIES):
        if not len(open_):
            break
        key, high_px, wide_px = keys[open_], height[open_], width[open_]
        area = (high_px * wide_px) * (low[open_] + (1.0 - low[open_]) * uniform(key, 4 * attempt))
        span = LOG_RATIO[1] - LOG_RATIO[0]
        ratio = np.exp(LOG_RATIO[0] + span * uniform(key, 4 * attempt + 1))
        w = np.rint(np.sqrt(area * ratio)).astype(np.int64)
        h = np.rint(np.sqrt(area / ratio)).astype(np.int64)
        fits = (w > 0) & (w <= wide_px) & (h > 0) & (h <= high_px)
        top = np.floor(uniform(key, 4 * attempt + 2) * (high_px - h + 1)).astype(np.int64)
        left = np.floor(uniform(key, 4 * attempt + 3) * (wide_px - w + 1)).astype(np.int64)
        boxes[open_[fits]] = np.stack([top, left, h, w], axis=1)[fits]
        open_ = open_[~fits]
    fallen = np.zeros(n, bool)
    fallen[open_] = True
    return boxes, fallen


def centred_boxes(
    height: npt.NDArray[np.int64], width: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """The centred box that is taken when no try fits, shape [n, 4]."""
    in_ratio = width / height
    h = np.where(in_ratio < RATIO[0], np.rint(width / RATIO[0]).astype(np.int64), height)
    w = np.where(in_ratio > RATIO[1], np.rint(height * RATIO[1]).astype(np.int64), width)
    return np.stack([(height - h) // 2, (width - w) // 2, h, w], axis=1)


def check_crops(side: int, strengths: StrengthTable | npt.ArrayLike, flip: float) -> StrengthTable:
    """What every loader of crops checks before an epoch starts: the table, its own strengths as
    contiguous float64.

    Raises:
        AugmentError: a side below one pixel, a probability outside [0, 1], or strengths that are
            not [policies, samples] with at least one policy and all in `RRC_SCALE`'s range.
    """
    if side < 1:
        raise AugmentError(f"side: a crop has at least one pixel, got {side}")
    if not 0 <= flip <= 1:
        raise AugmentError(f"flip is a probability in [0, 1], got {flip}")
    table = as_table(strengths)
    own = np.ascontiguousarray(RRC_SCALE.check_all(table.own))
    return StrengthTable(own, table.mixtures)

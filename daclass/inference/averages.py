"""Averages over classes: of all classes alike (macro) or of all pictures alike (micro).

The classes are given; runs and the pictures of each class are random. So the variance of an average
is that between its values for the runs, and what pictures add within each class (a stratified
sample), not what classes differ by.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from daclass.inference.arrays import Floats, Ints
from daclass.inference.crossed import (
    Crossed,
    Sums,
    estimated,
    spread_of,
    spread_of_contrast,
)
from daclass.inference.spread import Part, Spread

Average = Literal["macro", "micro"]
AVERAGES: tuple[Average, Average] = ("macro", "micro")


def average(
    values: npt.NDArray,
    labels: Ints,
    kind: Average,
    *,
    confidence: float,
    span: tuple[float, float] = (-1.0, 1.0),
) -> Crossed:
    """The average of values of runs and pictures.

    Args:
        values: one value for each run and picture within `span`, [S, N].
        labels: the class of each picture, int64 [N]; classes without pictures are left out.
        kind: "macro" or "micro".
        confidence: level of the intervals, in (0, 1).
        span: the least and the largest possible value; intervals are cut there.

    Returns:
        One group; NaN where there is no picture.
    """
    ranks, group = np.unique(labels, return_inverse=True)
    images = np.bincount(group, minlength=len(ranks))
    mean, spread = spread_of(Sums.of(values, group, len(ranks)), images)
    means = [_means(values, group, images)]
    return _average(mean, spread, images, means, kind, confidence, span)


def average_difference(
    first: npt.NDArray,
    second: npt.NDArray,
    labels: Ints,
    kind: Average,
    *,
    paired: bool,
    confidence: float,
) -> Crossed:
    """The average of `first` less `second`: the difference of two conditions.

    For the one-sided 95% bounds of a decision, see `Crossed.at_least` and `Crossed.at_most`.

    Args:
        first, second: correctness, bool or numbers in [0, 1], [S, N] and [T, N].
        labels, kind, confidence: as for `average`. For a group of classes, the pictures of these
            classes alone.
        paired: whether runs are pairs; then S = T, and row s of one belongs to row s of the other.
    """
    ranks, group = np.unique(labels, return_inverse=True)
    images = np.bincount(group, minlength=len(ranks))
    mean, spread = spread_of_contrast(first, second, group, len(ranks), paired=paired)
    arms = [_means(one, group, images) for one in (first, second)]
    runs = [arms[0] - arms[1]] if paired else arms
    return _average(mean, spread, images, runs, kind, confidence, (-1.0, 1.0))


def _means(values: npt.NDArray, group: Ints, images: Ints) -> Floats:
    """Mean of each run and class, [S, C]."""
    return np.stack([np.bincount(group, row, len(images)) / images for row in values])


def _average(
    mean: Floats,
    spread: Spread,
    images: Ints,
    runs: Sequence[Floats],
    kind: Average,
    confidence: float,
    span: tuple[float, float],
) -> Crossed:
    """Args: what is known of each class alone, [C], and each condition's means, [S, C]."""
    weight = images if kind == "micro" else np.ones(len(images))
    weight = weight / weight.sum()

    def pooled(part: Floats, df: Floats) -> tuple[Floats, Floats]:
        """Weighted sum of mean squares and its degrees of freedom, [1]."""
        # A class of one picture tells nothing of pictures: it is taken for like the others.
        known = np.where(np.isnan(part), _mean(part), part) * weight**2
        with np.errstate(divide="ignore", invalid="ignore"):
            df_all = known.sum() ** 2 / np.nansum(known**2 / df)
        # Where nothing varies, nothing says how well that is known: as well as all classes tell.
        return np.array([known.sum()]), np.array([df_all if known.any() else np.nansum(df)])

    parts = []
    for means, one in zip(runs, spread.runs, strict=True):
        own = means @ weight
        between = np.array([own.var(ddof=1) / len(own) if len(own) > 1 else np.nan])
        nothing = np.zeros(1)
        parts.append(
            Part(between, nothing, nothing + 1, *pooled(one.rest, one.rest_df), one.df, nothing)
        )
    image = pooled(spread.image, spread.image_df)
    whole = np.array([mean @ weight]) if len(weight) else np.array([np.nan])
    return estimated(
        whole, Spread(*image, tuple(parts)), np.array([images.sum()]), confidence, span
    )


def _mean(part: Floats) -> float:
    known = part[~np.isnan(part)]
    return float(known.mean()) if len(known) else np.nan

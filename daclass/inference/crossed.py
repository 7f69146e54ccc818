"""Means over runs by pictures, with intervals that speak for new seeds and new pictures.

Every number that `daclass` estimates is the mean of a table with one value for each seed (row) and
picture (column): a run's correctness, or a paired difference between two runs of one seed. Seeds
share their pictures and pictures share their seeds, so the cells are not independent: an odd
picture is odd in every run, an odd run is odd on many pictures. Treating only one of the two as
random is the "language-as-fixed-effect fallacy" (Clark 1973, J. Verbal Learning and Verbal
Behavior 12, 335-359). The model is the balanced two-way crossed random-effects model::

    y[s, i] = mean + seed[s] + picture[i] + rest[s, i]

Its mean squares estimate the variance of the grand mean of S seeds and N pictures without bias,
``(MS_seed + MS_picture - MS_rest) / (S N)``: the denominator of Clark's quasi-F. How far the mean
may lie from the truth with such a variance says `spread`.

Two details keep the interval honest where the textbook formula breaks:

- A variance component that comes out negative counts as 0, so the variance is that of the mean
  squares that remain and never negative.
- MS_picture is not taken below the value that *one* picture with a value of 1 in every run would
  give. Where no picture of a class differs between two conditions, the data do not show that none
  ever will; the interval is then about plus or minus 2/N (p = 1), and not [0, 0]. Classes with
  usual variation are untouched. Without it, a class of 25 pictures of which 4% truly flip in every
  run would be covered 65% of the time.

With one seed or one picture, interval and p are NaN: nothing can be said of new ones.

Two conditions whose runs are pairs are one such table of differences. Where runs are not paired
(`crossed_difference` with ``paired=False``) each condition has seeds, and seed variance, of its own
while pictures are still shared; with S and T seeds the variance of the difference is ::

    var_i(mean_s y1[s, i] - mean_t y2[t, i]) / N + (MS_seed1 - MS_rest1) / (S N)
                                                 + (MS_seed2 - MS_rest2) / (T N)

with the same two details. For S = T and independent runs both forms estimate the same variance;
the unpaired one has up to twice the degrees of freedom.

All classes of a study share their seeds and learn from each other how much those matter
(``moderate=True``, see `moderation`). A percentile bootstrap over three seeds, by comparison, holds
the truth in 75% of cases: it cannot reach beyond the least and the largest seed, and three enclose
the mean of a symmetric distribution with probability 1 - 2/8.

`benchmarks/calibration.py` measures what these intervals and tests keep of their promises; its
results are in docs/statistics.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from daclass.inference.arrays import Bools, Floats, Ints
from daclass.inference.moderation import Learnt, learn
from daclass.inference.spread import Part, Spread

_ROUNDING = 1e-9  # sums of squares of small integers: anything below is 0 up to rounding


@dataclass(frozen=True)
class Crossed:
    """Means of G groups of pictures with what is known about them; float64 [G] where not said.

    Attributes:
        mean: mean over seeds and pictures; NaN for a group without pictures.
        error: standard error of `mean` for new seeds and new pictures of the group.
        df: Satterthwaite's degrees of freedom of `error`.
        low, high: interval for new seeds and new pictures of the group.
        seeds_low, seeds_high: interval for new seeds on these very pictures. NaN also where no cell
            differs between seeds, since then nothing tells their spread.
        p: two-sided p-value of mean 0, for new seeds and new pictures, in [0, 1].
        seeds: number of seeds; the smaller one, where two conditions differ in it.
        images: number of pictures, int64 [G].
        spread: how `mean` scatters, for intervals of other levels.
    """

    mean: Floats
    error: Floats
    df: Floats
    low: Floats
    high: Floats
    seeds_low: Floats
    seeds_high: Floats
    p: Floats
    seeds: int
    images: Ints
    spread: Spread

    def at_least(self, confidence: float) -> Floats:
        """One-sided lower bounds for new seeds and new pictures, [G]: the truth is at least that,
        with a probability of `confidence`, in (0.5, 1)."""
        return self.mean - self.spread.reach(2 * (1 - confidence))

    def at_most(self, confidence: float) -> Floats:
        """One-sided upper bounds, as `at_least`, [G]."""
        return self.mean + self.spread.reach(2 * (1 - confidence))

    def without(self, groups: Bools) -> Crossed:
        """The same with NaN for the marked groups, [G]."""
        names = ("mean", "error", "df", "low", "high", "seeds_low", "seeds_high", "p")
        known: dict[str, Any] = {
            name: np.where(groups, np.nan, getattr(self, name)) for name in names
        }
        return replace(self, **known)


@dataclass(frozen=True)
class Sums:
    """What the estimates need to know of one table of values y[s, i], for G groups of pictures.

    Attributes:
        seed_sums: sum over the pictures of each group, float64 [S, G].
        image_squares: sum over pictures of the square of the sum over seeds, float64 [G].
        squares: sum of the squared values, float64 [G].
    """

    seed_sums: Floats
    image_squares: Floats
    squares: Floats

    @classmethod
    def of(cls, values: npt.NDArray, groups: Ints, n_groups: int) -> Sums:
        """Args: values [S, N], the group of each picture [N], and G."""
        exact = np.int64 if values.dtype.kind in "iub" else np.float64
        return cls(
            np.stack([_per_group(row, groups, n_groups) for row in values]),
            _per_group(values.sum(axis=0, dtype=exact) ** 2, groups, n_groups),
            _per_group(np.square(values, dtype=exact).sum(axis=0), groups, n_groups),
        )


def crossed(
    values: npt.ArrayLike,
    groups: npt.ArrayLike,
    n_groups: int,
    *,
    confidence: float,
    span: tuple[float, float] = (-1.0, 1.0),
    moderate: bool = False,
) -> Crossed:
    """Estimate the mean of each group of pictures.

    Args:
        values: one value for each seed and picture, [S, N], within `span`.
        groups: the group of each picture, integers [N] in [0, n_groups).
        n_groups: G; groups may be empty.
        confidence: level of the intervals, in (0, 1).
        span: the least and the largest possible value; intervals are cut there.
        moderate: whether groups learn from each other how much seeds matter (see above): for groups
            of one kind, such as all classes of a study.
    """
    group = np.asarray(groups, np.int64)
    return crossed_from_sums(
        Sums.of(np.asarray(values), group, n_groups),
        np.bincount(group, minlength=n_groups),
        confidence=confidence,
        span=span,
        moderate=moderate,
    )


def crossed_difference(
    first: npt.NDArray,
    second: npt.NDArray,
    groups: npt.ArrayLike,
    n_groups: int,
    *,
    paired: bool,
    confidence: float,
    moderate: bool = False,
) -> Crossed:
    """Estimate the mean of `first` less `second` in each group of pictures.

    Args:
        first, second: bool, integers or floats in [0, 1], [S, N] and [T, N]; S = T where paired,
            and then row s of one belongs to row s of the other.
        groups, n_groups, confidence, moderate: as for `crossed`.
        paired: whether runs are pairs.
    """
    group = np.asarray(groups, np.int64)
    mean, spread = spread_of_contrast(
        first, second, group, n_groups, paired=paired, moderate=moderate
    )
    return estimated(mean, spread, np.bincount(group, minlength=n_groups), confidence)


def spread_of_contrast(
    first: npt.NDArray,
    second: npt.NDArray,
    group: Ints,
    n_groups: int,
    *,
    paired: bool,
    moderate: bool = False,
) -> tuple[Floats, Spread]:
    """The means of `crossed_difference` and how they scatter, [G], without intervals, which take
    most of its time."""
    first, second = _numbers(first), _numbers(second)
    images = np.bincount(group, minlength=n_groups)
    if paired:
        return spread_of(Sums.of(first - second, group, n_groups), images, moderate=moderate)
    exact = np.int64 if first.dtype.kind == second.dtype.kind == "i" else np.float64
    both = first.sum(axis=0, dtype=exact) * second.sum(axis=0, dtype=exact)
    return spread_of_difference(
        Sums.of(first, group, n_groups),
        Sums.of(second, group, n_groups),
        _per_group(both, group, n_groups),
        images,
        moderate=moderate,
    )


def crossed_from_sums(
    sums: Sums,
    images: Ints,
    *,
    confidence: float,
    span: tuple[float, float] = (-1.0, 1.0),
    moderate: bool = False,
) -> Crossed:
    """`crossed` from sums, for values that are nearly all 0.

    Args:
        sums: of the values.
        images: number of pictures of each group, [G].
        confidence, span, moderate: as for `crossed`.
    """
    mean, spread = spread_of(sums, images, moderate=moderate)
    return estimated(mean, spread, images, confidence, span)


def spread_of(sums: Sums, images: Ints, *, moderate: bool = False) -> tuple[Floats, Spread]:
    """As `spread_of_contrast`, for `crossed_from_sums`."""
    seeds, n = len(sums.seed_sums), np.asarray(images, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = sums.seed_sums.sum(axis=0) / (seeds * n)
        over_images = _positive(sums.image_squares / seeds - seeds * n * mean**2)
        # One picture that is 1 in each of the S runs, all others 0, has a sum of squares of S.
        image = np.maximum(over_images, seeds) / _df_of(n) / (seeds * n)
        return mean, Spread(image, _df_of(n), (_runs(sums, n, moderate),))


def difference_from_sums(
    first: Sums,
    second: Sums,
    both: Floats,
    images: Ints,
    *,
    confidence: float,
    span: tuple[float, float] = (-1.0, 1.0),
    moderate: bool = False,
) -> Crossed:
    """`crossed_difference` of runs that are not paired, from sums.

    Args:
        first, second: sums of either condition's values.
        both: sum over pictures of the product of both conditions' sums over seeds, [G].
        images: number of pictures of each group, [G].
        confidence, span, moderate: as for `crossed`.
    """
    mean, spread = spread_of_difference(first, second, both, images, moderate=moderate)
    return estimated(mean, spread, images, confidence, span)


def spread_of_difference(
    first: Sums, second: Sums, both: Floats, images: Ints, *, moderate: bool = False
) -> tuple[Floats, Spread]:
    """As `spread_of_contrast`, for `difference_from_sums`."""
    n = np.asarray(images, np.float64)
    s, t = len(first.seed_sums), len(second.seed_sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = first.seed_sums.sum(axis=0) / (s * n) - second.seed_sums.sum(axis=0) / (t * n)
        of_image = first.image_squares / s**2 + second.image_squares / t**2 - 2 * both / (s * t)
        over_images = _positive(of_image - n * mean**2)
        image = np.maximum(over_images, 1.0) / _df_of(n) / n
        runs = (_runs(first, n, moderate), _runs(second, n, moderate))
        return mean, Spread(image, _df_of(n), runs)


def _runs(sums: Sums, images: Floats, moderate: bool) -> Part:
    """What one condition's runs add to the variances of the means."""
    seeds = len(sums.seed_sums)
    if seeds < 2:
        unknown = np.full_like(images, np.nan)
        return Part(unknown, unknown, unknown, unknown, unknown, 0, unknown)
    cells = seeds * images
    correction = sums.seed_sums.sum(axis=0) ** 2 / cells
    over_seeds = _positive((sums.seed_sums**2).sum(axis=0) / images - correction)
    over_images = _positive(sums.image_squares / seeds - correction)
    df_rest = (seeds - 1.0) * _df_of(images)
    rest = _positive(sums.squares - correction - over_seeds - over_images) / df_rest
    if moderate:
        learnt = learn(sums.seed_sums / images, rest, images)
    else:
        alone = over_seeds / (seeds - 1)
        learnt = Learnt.nothing(alone, seeds - 1)
    return Part(
        learnt.shared / cells,
        learnt.own / cells,
        learnt.own_df,
        rest / cells,
        df_rest,
        seeds - 1,
        learnt.common / cells,
    )


def estimated(
    mean: Floats,
    spread: Spread,
    images: Ints,
    confidence: float,
    span: tuple[float, float] = (-1.0, 1.0),
) -> Crossed:
    """What is known of means that scatter in a known way.

    Args:
        mean: the estimates, [G].
        spread: how they scatter over new runs and new pictures.
        images: number of pictures, [G].
        confidence, span: as for `crossed`.
    """
    reach = spread.reach(1 - confidence)
    seeds_reach = _given_pictures(spread.runs).reach(1 - confidence)
    return Crossed(
        mean=mean,
        error=spread.error,
        df=spread.df,
        low=np.maximum(mean - reach, span[0]),
        high=np.minimum(mean + reach, span[1]),
        seeds_low=np.maximum(mean - seeds_reach, span[0]),
        seeds_high=np.minimum(mean + seeds_reach, span[1]),
        p=spread.p(mean),
        seeds=min(part.df for part in spread.runs) + 1,
        images=np.asarray(images, np.int64),
        spread=spread,
    )


def _given_pictures(runs: tuple[Part, ...]) -> Spread:
    """The spread of the mean over runs of these very pictures.

    With few runs their means can agree by chance, so the mean square of runs is not taken below
    that of the rest, which is the part of it that the pictures' independent flips make up. NaN
    where no cell differs between runs: nothing tells their spread.
    """
    known = [replace(part, rest=np.where(np.isnan(part.rest), 0.0, part.rest)) for part in runs]
    none = np.zeros_like(runs[0].shared)
    spread = Spread(none, np.full_like(none, np.inf), tuple(known))
    silent = ~(spread.variance > 0)
    return Spread(np.where(silent, np.nan, none), spread.image_df, tuple(known))


def _df_of(images: Floats) -> Floats:
    return np.where(images > 1, images - 1, np.nan)


def _per_group(numbers: npt.NDArray, groups: Ints, n_groups: int) -> Floats:
    if n_groups == 1:  # ten times as fast, and averages over all classes are asked for often
        return np.array([numbers.sum()], np.float64)
    return np.bincount(groups, numbers, minlength=n_groups).astype(np.float64)


def _positive(squares: Floats) -> Floats:
    return np.where(squares > _ROUNDING, squares, 0.0)


def _numbers(values: npt.NDArray) -> npt.NDArray:
    """Correctness as small integers that can be subtracted; other numbers as they are."""
    return values.astype(np.int8) if values.dtype == np.bool_ else values

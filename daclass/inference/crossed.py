"""Means over runs by pictures, with intervals that speak for new seeds and new pictures.

Every number that `daclass` estimates is the mean of a table with one value for each seed (row) and
picture (column): a run's correctness, or a paired difference between two runs of one seed. Seeds
share their pictures and pictures share their seeds, so the cells are not independent: an odd
picture is odd in every run, an odd run is odd on many pictures. Treating only one of the two as
random is the "language-as-fixed-effect fallacy" (Clark 1973, J. Verbal Learning and Verbal
Behavior 12, 335-359). The model is the balanced two-way crossed random-effects model::

    y[s, i] = mean + seed[s] + picture[i] + rest[s, i]

Its mean squares estimate the variance of the grand mean of S seeds and N pictures without bias,
``(MS_seed + MS_picture - MS_rest) / (S N)``, and Satterthwaite's (1946) formula gives the degrees
of freedom: the denominator of Clark's quasi-F.

Three details keep the interval honest where the textbook formula breaks:

- A variance component that comes out negative counts as 0, so the variance is that of the mean
  squares that remain and never negative.
- MS_picture is not taken below the value that *one* picture with a value of 1 in every run would
  give. Where no picture of a class differs between two conditions, the data do not show that none
  ever will; the interval is then about plus or minus 2/N (p = 1), and not [0, 0]. Classes with
  usual variation are untouched. Without it, a class of 25 pictures of which 4% truly flip in every
  run would be covered 65% of the time.
- With one seed or one picture, interval and p are NaN: nothing can be said.

Two conditions whose runs are pairs are one such table of differences. Where runs are not paired
(`crossed_difference` with ``paired=False``) each condition has seeds, and seed variance, of its own
while pictures are still shared; with S and T seeds the variance of the difference is ::

    var_i(mean_s y1[s, i] - mean_t y2[t, i]) / N + (MS_seed1 - MS_rest1) / (S N)
                                                 + (MS_seed2 - MS_rest2) / (T N)

with the same three details. For S = T and independent runs both forms estimate the same variance;
the unpaired one has up to twice the degrees of freedom.

How much seeds matter to a class is hard to tell from a few of them, and a class whose seeds agree
by chance would seem sure: among 1,000 classes some always do. So all classes of a study learn
from each other (``moderate=True``): the ratio MS_seed / MS_rest of each is pulled towards their
common one as far as they resemble each other, and gains the degrees of freedom of what it has
learnt (Smyth's 2004 moderated variances, here for a component of a crossed design).

`benchmarks/calibration.py` measures what these intervals and tests keep of their promises; its
results are in docs/statistics.md. In short: 95% intervals hold the truth in 93 to 97% of cases from
two seeds on, where a percentile bootstrap over three seeds does in 75%: it cannot reach beyond the
least and the largest seed, and three enclose the mean of a symmetric distribution with probability
1 - 2/8.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from daclass.inference.arrays import Bools, Floats, Ints

_RARE = 1e-6  # share of usual groups that would be taken for outliers of the spread between seeds
_ROUNDING = 1e-9  # sums of squares of small integers: anything below is 0 up to rounding


@dataclass(frozen=True)
class Crossed:
    """Means of G groups of pictures with what is known about them; float64 [G] where not said.

    Attributes:
        mean: mean over seeds and pictures; NaN for a group without pictures.
        error: standard error of `mean` for new seeds and new pictures of the group.
        df: degrees of freedom of `error`.
        low, high: interval for new seeds and new pictures of the group.
        seeds_low, seeds_high: interval for new seeds on these very pictures. NaN also where no cell
            differs between seeds, since then nothing tells their spread.
        p: two-sided p-value of mean 0, for new seeds and new pictures, in [0, 1].
        seeds: number of seeds; the smaller one, where two conditions differ in it.
        images: number of pictures, int64 [G].
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
    first, second = _numbers(first), _numbers(second)
    if paired:
        return crossed(first - second, group, n_groups, confidence=confidence, moderate=moderate)
    exact = np.int64 if first.dtype.kind == second.dtype.kind == "i" else np.float64
    both = first.sum(axis=0, dtype=exact) * second.sum(axis=0, dtype=exact)
    return difference_from_sums(
        Sums.of(first, group, n_groups),
        Sums.of(second, group, n_groups),
        _per_group(both, group, n_groups),
        np.bincount(group, minlength=n_groups),
        confidence=confidence,
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
    seeds, n = len(sums.seed_sums), np.asarray(images, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = sums.seed_sums.sum(axis=0) / (seeds * n)
        own = _Seeds.of(sums, n, moderate)
        by_image = _positive(sums.image_squares / seeds - seeds * n * mean**2)
        # One picture that is 1 in each of the S runs, all others 0, has a sum of squares of S.
        image = np.maximum(by_image, seeds) / (n - 1) / (seeds * n)
        return _conclude(mean, image, [own], images, confidence, span)


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
    n = np.asarray(images, np.float64)
    s, t = len(first.seed_sums), len(second.seed_sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = first.seed_sums.sum(axis=0) / (s * n) - second.seed_sums.sum(axis=0) / (t * n)
        of_image = first.image_squares / s**2 + second.image_squares / t**2 - 2 * both / (s * t)
        by_image = _positive(of_image - n * mean**2)
        image = np.maximum(by_image, 1.0) / (n - 1) / n
        own = [_Seeds.of(first, n, moderate), _Seeds.of(second, n, moderate)]
        return _conclude(mean, image, own, images, confidence, span)


@dataclass(frozen=True)
class _Seeds:
    """Mean squares of one condition's S seeds, each over S N: their part in a mean's variance."""

    seeds: int
    between: Floats  # MS_seed
    df_between: Floats
    rest: Floats  # MS_rest
    df_rest: Floats

    @classmethod
    def of(cls, sums: Sums, n: Floats, moderate: bool) -> _Seeds:
        seeds = len(sums.seed_sums)
        if seeds < 2:
            unknown = np.full_like(n, np.nan)
            return cls(seeds, unknown, unknown, unknown, unknown)
        correction = sums.seed_sums.sum(axis=0) ** 2 / (seeds * n)
        by_seed = _positive((sums.seed_sums**2).sum(axis=0) / n - correction)
        by_image = _positive(sums.image_squares / seeds - correction)
        rest = _positive(sums.squares - correction - by_seed - by_image)
        df_rest = (seeds - 1.0) * np.where(n > 1, n - 1, np.nan)
        between, rest = by_seed / (seeds - 1) / (seeds * n), rest / df_rest / (seeds * n)
        df_between = np.full_like(n, seeds - 1.0)
        if moderate:
            between, df_between = _moderated(between, rest, n, seeds - 1)
        return cls(seeds, between, df_between, rest, df_rest)


def _moderated(between: Floats, rest: Floats, images: Floats, df: int) -> tuple[Floats, Floats]:
    """Mean squares of seeds that have learnt from those of the other groups, and their df, 2 x [G].

    A group of N pictures has ``E[MS_seed] / E[MS_rest] = 1 + N t``, t being what seeds do to it in
    units of the rest. The t of all groups together gives what to expect of each; over that, the
    ratios are taken for scaled chi-squares around levels that follow a scaled inverse chi-square
    distribution with d0 degrees of freedom, which moments estimate. Each ratio is then pulled to
    the common level and gains d0 degrees of freedom (Smyth 2004, Stat. Appl. Genet. Mol. Biol.
    3(1), 3); degrees of freedom stay below those of all groups together. Moments of the ratios, not
    of their logarithms, since with few pictures seeds often agree exactly.

    Groups far beyond the others, such as one class that collapses in one run, do not count for the
    moments beyond a bound, keep what they have themselves, and learn nothing (as in Phipson et al.
    2016, Ann. Appl. Stat. 10, 946, in spirit).
    """
    moderated, all_df = between.copy(), np.full_like(between, df)
    known = rest > 0
    if known.sum() < 2:
        return moderated, all_df
    ratio, n = between[known] / rest[known], images[known]
    bounded = ratio
    for _ in range(3):
        expected = 1 + n * max(float((bounded - 1).sum() / n.sum()), 0.0)
        usual = float(np.median(ratio / expected)) or float((ratio / expected).mean())
        bound = usual * stats.chi2.isf(_RARE, df) / stats.chi2.median(df) * expected
        bounded = np.minimum(ratio, bound)
    level = bounded / expected
    mean = float(level.mean())
    # E[level^2] is that of the expectations times that of a chi-square over its df.
    variance = float((level**2).mean()) / (1 + 2 / df) - mean**2
    prior_df = 4 + 2 * mean**2 / variance if variance > 0 else np.inf
    share = 1.0 if np.isinf(prior_df) else prior_df / (prior_df + df)
    centre = mean if np.isinf(prior_df) else mean * (prior_df - 2) / prior_df
    learnt = share * centre * expected * rest[known] + (1 - share) * between[known]
    usual_ones = ratio <= bound
    moderated[known] = np.where(usual_ones, learnt, between[known])
    all_df[known] = np.where(usual_ones, min(df + prior_df, df * float(known.sum())), df)
    return moderated, all_df


def _conclude(
    mean: Floats,
    image: Floats,
    own: list[_Seeds],
    images: Ints,
    confidence: float,
    span: tuple[float, float],
) -> Crossed:
    """Variances, degrees of freedom, intervals and p.

    The components of seeds and of pictures are cut at 0: the variance is that of the rest, plus
    what the mean square of pictures, and that of each condition's seeds, has above it. Degrees of
    freedom are Satterthwaite's, over the mean squares that remain.

    Args:
        image: MS_picture over S N.
    """
    n = np.asarray(images, np.float64)
    rest = np.sum([seeds.rest for seeds in own], axis=0)
    by_image = image > rest
    # (part of the variance, its degrees of freedom); a rest enters once if pictures are cut, and
    # leaves once where its seeds are not.
    parts = [(np.where(by_image, image, 0.0), np.where(n > 1, n - 1, np.nan))]
    for seeds in own:
        by_seed = seeds.between > seeds.rest
        parts.append((np.where(by_seed, seeds.between, 0.0), seeds.df_between))
        times = 1.0 - by_image - by_seed
        parts.append((times * seeds.rest, seeds.df_rest))
    variance = np.sum([part for part, _ in parts], axis=0)
    spread = np.sum([part**2 / df for part, df in parts], axis=0)
    df = np.maximum(variance**2 / spread, 1.0)
    low, high = _interval(mean, variance, df, confidence, span)
    seeds_variance, seeds_df = _seeds_variance(own)
    seeds_low, seeds_high = _interval(mean, seeds_variance, seeds_df, confidence, span)
    error = np.sqrt(variance)
    p = 2 * stats.t.sf(np.abs(mean) / error, df)
    few = min(seeds.seeds for seeds in own)
    return Crossed(
        mean, error, df, low, high, seeds_low, seeds_high, p, few, np.asarray(images, np.int64)
    )


def _seeds_variance(own: list[_Seeds]) -> tuple[Floats, Floats]:
    """Variance of the mean over seeds of these pictures and its degrees of freedom.

    With few seeds their means can agree by chance, so MS_seed is not taken below MS_rest, which is
    the part of it that the pictures' independent flips make up.
    """
    parts = []
    for seeds in own:
        rest = np.where(np.isnan(seeds.rest), 0.0, seeds.rest)
        by_seed = seeds.between > rest
        parts.append(
            (
                np.where(by_seed, seeds.between, rest),
                np.where(by_seed, seeds.df_between, seeds.df_rest),
            )
        )
    variance = np.sum([part for part, _ in parts], axis=0)
    df = variance**2 / np.sum([part**2 / df for part, df in parts], axis=0)
    return np.where(variance > 0, variance, np.nan), df


def _interval(
    mean: Floats,
    variance: Floats,
    df: Floats,
    confidence: float,
    span: tuple[float, float],
) -> tuple[Floats, Floats]:
    reach = stats.t.ppf((1 + confidence) / 2, df) * np.sqrt(variance)
    return np.maximum(mean - reach, span[0]), np.minimum(mean + reach, span[1])


def _per_group(numbers: npt.NDArray, groups: Ints, n_groups: int) -> Floats:
    if n_groups == 1:  # ten times as fast, and averages over all classes are asked for often
        return np.array([numbers.sum()], np.float64)
    return np.bincount(groups, numbers, minlength=n_groups).astype(np.float64)


def _positive(squares: Floats) -> Floats:
    return np.where(squares > _ROUNDING, squares, 0.0)


def _numbers(values: npt.NDArray) -> npt.NDArray:
    """Correctness as small integers that can be subtracted; other numbers as they are."""
    return values.astype(np.int8) if values.dtype == np.bool_ else values

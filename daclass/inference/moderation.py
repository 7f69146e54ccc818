"""What runs do to classes: one part for all classes alike, and one that classes tell each other.

How much runs matter to a class is hard to tell from a few of them, and a class whose runs agree by
chance would seem sure: among 1,000 classes some always do. So classes learn that from each other.
But they share their runs: what a good or bad run does to *all* of them is known from as many values
as there are runs, however many the classes. The two are therefore kept apart.

**The common part.** A shock to the log-odds of every prediction moves the accuracy of a class by
the mean of p (1 - p) over its pictures: the derivative of the logistic function, which is also the
variance of an independent flip, MS_rest. So the mean of class c in run s is taken for ::

    mean_c + shock_s * MS_rest_c + own_sc + flips,

and the shocks are fitted by weighted least squares over the classes. Their mean square has as many
degrees of freedom as there are runs, less one.

**The own part.** What is left of each class has ``E[MS_run] / E[MS_rest] = 1 + N t``, N being its
pictures and t what runs do to it in units of the rest. The t of all classes together gives what to
expect of each; over that, the ratios are taken for chi-squares around levels with d0 degrees of
freedom (see `levels`). Each ratio is then pulled to the common level and gains d0 degrees of
freedom (Smyth 2004, Stat. Appl. Genet. Mol. Biol. 3(1), 3).

- Where classes plainly differ in how much runs matter to them, d0 is small, and what they tell of
  each other may be wrong: of some classes in which runs differ much, three agree by chance, and the
  others would have them believe it. Below `_LEAST_PRIOR_DF` classes therefore learn nothing.

- Classes that compete for each other's pictures rise and fall together, and tell less than as many
  independent ones. The degrees of freedom stay below those of the *effective* number of classes
  ``(tr Sigma)^2 / tr Sigma^2``, Sigma being the covariance between classes of what is left, with
  the traces estimated without bias from the runs by runs matrix of inner products (Srivastava 2005,
  J. Japan Statist. Soc. 35, 251). Two runs have no covariance to see: there, classes count as
  competing in pairs.
- Classes far beyond the others, such as one that collapses in one run, do not count for the moments
  beyond a bound, keep what they have themselves, and learn nothing (as in Phipson et al. 2016, Ann.
  Appl. Stat. 10, 946, in spirit).
- Below `_LEAST_CLASSES` classes nothing is learnt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from daclass.inference.arrays import Bools, Floats
from daclass.inference.levels import common_level

_LEAST_CLASSES = 5
_LEAST_PRIOR_DF = 4.0
"""Of levels: with fewer, they have no finite variance."""
_RARE = 1e-6  # share of usual classes that would be taken for outliers
_MOST_LEVERAGE = 0.5  # of one class on the common shocks, beyond which it is not told from them
_ROUNDS = 3  # of fitting shocks and weights in turn; they settle to three digits


@dataclass(frozen=True)
class Learnt:
    """Mean squares of the runs of G classes, each an estimate of N times a variance, [G].

    Attributes:
        shared: what is known from the runs alone.
        own: what classes have told each other; 0 for those that learn nothing.
        own_df: its degrees of freedom, [G].
        common: what of `shared` all classes have in common, as far as that is known.
    """

    shared: Floats
    own: Floats
    own_df: Floats
    common: Floats

    @classmethod
    def nothing(cls, alone: Floats, df: int) -> Learnt:
        """Each class has its own mean square alone, [G]."""
        none = np.zeros_like(alone)
        return cls(alone.copy(), none, np.full_like(alone, df), none.copy())


def learn(means: Floats, rest: Floats, images: Floats) -> Learnt:
    """Split and moderate the mean squares of runs.

    Args:
        means: mean of each run and class, [S, G], S at least 2; NaN for classes without pictures.
        rest: MS_rest of each class, [G].
        images: number of pictures of each class, [G].
    """
    df = len(means) - 1
    apart = means - means.mean(axis=0)
    alone = images * (apart**2).sum(axis=0) / df
    found = Learnt.nothing(alone, df)
    known = rest > 0
    if known.sum() < _LEAST_CLASSES:
        return found
    shocks, own, leverage = _fit_shocks(apart[:, known], rest[known], images[known])
    # Shocks that were fitted take their share of a class's own scatter with them.
    square = images[known] * (own**2).sum(axis=0) / df / (1 - leverage)
    ratio = square / rest[known]
    expected, bound = _expected(ratio, images[known], df)
    standard = own / np.sqrt(expected * rest[known] / images[known])
    learnt, own_df, usual = _moderated(ratio, expected, bound, df, standard)
    usual &= leverage <= _MOST_LEVERAGE
    common = images[known] * rest[known] ** 2 * (shocks**2).sum() / df
    found.common[known] = np.minimum(common, np.where(usual, common, alone[known]))
    found.shared[known] = np.where(usual, common, alone[known])
    found.own[known] = np.where(usual, (1 - leverage) * learnt * rest[known], 0.0)
    found.own_df[known] = np.where(usual, own_df, df)
    return found


def _fit_shocks(apart: Floats, rest: Floats, images: Floats) -> tuple[Floats, Floats, Floats]:
    """Shocks [S], what they leave of `apart` [S, G], and each class's leverage on them, [G]."""
    expected = np.ones_like(rest)
    for _ in range(_ROUNDS):
        weight = images / (rest * expected)
        information = weight * rest**2
        shocks = apart @ (weight * rest) / information.sum()
        leverage = information / information.sum()
        own = apart - shocks[:, None] * rest
        spare = np.maximum(1 - leverage, 1 - _MOST_LEVERAGE)
        ratio = images * (own**2).sum(axis=0) / (len(apart) - 1) / spare / rest
        expected, _ = _expected(ratio, images, len(apart) - 1)
    return shocks, own, np.minimum(leverage, 1 - 1e-9)


def _expected(ratio: Floats, images: Floats, df: int) -> tuple[Floats, Floats]:
    """The ratio to expect of each class, ``1 + N t``, and the bound beyond which it is odd, [G]."""
    bounded = ratio
    for _ in range(3):
        expected = 1 + images * max(float((bounded - 1).sum() / images.sum()), 0.0)
        usual = float(np.median(ratio / expected)) or float((ratio / expected).mean())
        bound = usual * stats.chi2.isf(_RARE, df) / stats.chi2.median(df) * expected
        bounded = np.minimum(ratio, bound)
    return expected, bound


def _moderated(
    ratio: Floats, expected: Floats, bound: Floats, df: int, standard: Floats
) -> tuple[Floats, Floats, Bools]:
    """Ratios that have learnt from each other, their df, and whether a class is a usual one, [G].

    Args:
        ratio: MS_run / MS_rest of what is the class's own, [G].
        expected, bound: see `_expected`.
        standard: what is the class's own in each run, over its expected spread, [S, G].
    """
    level, prior_df = common_level(np.minimum(ratio, bound) / expected, df)
    if prior_df < _LEAST_PRIOR_DF:
        return ratio, np.full_like(ratio, df), np.zeros(len(ratio), bool)
    share = 1.0 if np.isinf(prior_df) else prior_df / (prior_df + df)
    learnt = share * level * expected + (1 - share) * ratio
    usual = ratio <= bound
    most = df * max(_effective(standard[:, usual]), 1.0)
    return learnt, np.full_like(ratio, min(df + prior_df, most)), usual


def _effective(standard: Floats) -> float:
    """The number of independent classes that would scatter like these; `standard` is [S, G]."""
    df, n_classes = len(standard) - 1, standard.shape[1]
    if df < 2:
        return n_classes / 2
    products = standard @ standard.T / df
    trace = float(np.trace(products))
    squares = df**2 / ((df - 1) * (df + 2)) * (float((products**2).sum()) - trace**2 / df)
    return min(trace**2 / squares, n_classes) if squares > 0 else n_classes

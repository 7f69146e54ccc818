"""How far a class lies below its own best condition, at least.

The best condition of a class is read off noisy accuracies, so that the difference to it is too
large on the same data, and too small where the best one is chosen on other data (it need not be the
best). But the true difference is at least that to *any* condition: with the one-sided bounds of all
conditions, wide enough to hold together, their maximum is a bound too (Hsu 1984, Ann. Statist. 12,
1136; Chernozhukov, Lee and Rosen 2013, Econometrica 81, 667). Nothing is split, and conditions may
differ in their numbers of runs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from daclass.inference.arrays import Floats, Ints
from daclass.inference.crossed import Crossed
from daclass.inference.simultaneous import Family


def below_own_best(
    contrasts: Sequence[Crossed], alike: npt.ArrayLike, *, confidence: float
) -> tuple[Floats, Floats]:
    """Lower bounds for the drop of G classes from their own best condition.

    Args:
        contrasts: each other condition less the tested one, K - 1 of them.
        alike: correlations between them, [K - 1, K - 1]; see `picture_correlations`.
        confidence: of one class's bound, in (0.5, 1).

    Returns:
        The bounds, [G], at least 0: the tested condition may be the best; and the p-values of "no
        condition is better than the tested one", one-sided, [G]. NaN where nothing is known.
    """
    family = Family.of(alike, sides=1)
    alpha = family.alpha(1 - confidence)
    bounds = np.stack([one.mean - one.spread.reach(2 * alpha) for one in contrasts])
    p = np.stack([np.where(one.mean > 0, one.p / 2, 1 - one.p / 2) for one in contrasts])
    unknown = np.isnan(p).all(axis=0)
    with np.errstate(invalid="ignore"):
        best = np.where(unknown, np.nan, np.fmax.reduce(bounds, axis=0))
        least = np.fmin.reduce(p, axis=0)
    return np.maximum(best, 0.0), family.p(least)


def picture_correlations(
    accuracies: Sequence[Floats], tested: int, groups: Ints, n_groups: int
) -> Floats:
    """Correlations between the contrasts of all conditions with the tested one, [K - 1, K - 1].

    Those of pictures within their classes, pooled over all classes.

    Args:
        accuracies: each condition's mean over runs for each picture, K x [N].
        tested: which condition is the tested one.
        groups, n_groups: the class of each picture, [N], and their number.
    """
    images = np.maximum(np.bincount(groups, minlength=n_groups), 1)
    others = [k for k in range(len(accuracies)) if k != tested]
    apart = []
    for k in others:
        difference = accuracies[k] - accuracies[tested]
        mean = np.bincount(groups, difference, minlength=n_groups) / images
        apart.append(difference - mean[groups])
    products = np.stack(apart) @ np.stack(apart).T
    scale = np.sqrt(np.diag(products))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = products / (scale[:, None] * scale[None, :])
    found = np.where(np.isfinite(found), found, 0.0)
    np.fill_diagonal(found, 1.0)
    return np.asarray(found)

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
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from daclass.inference.arrays import Floats, Ints
from daclass.inference.crossed import Crossed
from daclass.inference.simultaneous import Family


@dataclass(frozen=True)
class OwnBest:
    """What G classes lose against their own best condition.

    Attributes:
        contrasts: each other condition less the tested one, K - 1 of them.
        family: what they have in common.
    """

    contrasts: Sequence[Crossed]
    family: Family

    @classmethod
    def of(cls, contrasts: Sequence[Crossed], alike: npt.ArrayLike) -> OwnBest:
        """Args: contrasts, and the correlations between them, [K - 1, K - 1], such as
        `picture_correlations` gives."""
        return cls(contrasts, Family.of(alike, sides=1))

    def at_least(self, confidence: float) -> Floats:
        """Lower bounds for the true drops, each with a probability of `confidence`, in (0.5, 1).

        [G], at least 0: the tested condition may be the best. NaN where nothing is known.
        """
        alpha = self.family.alpha(1 - confidence)
        bounds = np.stack([one.mean - one.spread.reach(2 * alpha) for one in self.contrasts])
        with np.errstate(invalid="ignore"):
            return np.maximum(np.fmax.reduce(bounds, axis=0), 0.0)

    def p(self) -> Floats:
        """One-sided p-values of "no condition is better than the tested one", [G]."""
        p = [np.where(one.mean > 0, one.p / 2, 1 - one.p / 2) for one in self.contrasts]
        with np.errstate(invalid="ignore"):
            return self.family.p(np.fmin.reduce(np.stack(p), axis=0))


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

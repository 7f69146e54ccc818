"""Empirical Bayes: what a class's estimate is worth beside those of all other classes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import optimize

from daclass.inference.arrays import Floats

_LEAST = 1e-6
"""Variance between classes, over the mean of their errors' variances, that is taken for the least:
where nothing shows, all estimates become equal but for the order of the evidence for each."""


def shrink(estimates: npt.ArrayLike, errors: npt.ArrayLike) -> Floats:
    """Pull noisy estimates towards their common mean, float64 [C].

    The normal-normal model ``estimate_k ~ N(effect_k, error_k^2), effect_k ~ N(mean, between^2)``
    with Paule and Mandel's (1982) moment estimate of `between`. The posterior mean of the class
    that looks worst is not too large on average, as its raw estimate is: choosing the largest of
    many does not bias it (Efron 2011, "Tweedie's formula and selection bias").

    Args:
        estimates: one estimate for each class, [C]; NaN stays NaN.
        errors: their standard errors, positive, [C]; where NaN, so is the result.
    """
    raw, error = np.asarray(estimates, np.float64), np.asarray(errors, np.float64)
    known = np.isfinite(raw) & np.isfinite(error)
    result = np.full_like(raw, np.nan)
    if known.any():
        value, variance = raw[known], error[known] ** 2
        between = _between(value, variance)
        mean = _weighted_mean(value, variance, between)
        result[known] = mean + between / (between + variance) * (value - mean)
    return result


def _weighted_mean(value: Floats, variance: Floats, between: float) -> float:
    return float(np.average(value, weights=1 / (variance + between)))


def _between(value: Floats, variance: Floats) -> float:
    """The variance between classes at which the weighted sum of squares is what it should be."""

    def excess(between: float) -> float:
        mean = _weighted_mean(value, variance, between)
        return float(((value - mean) ** 2 / (variance + between)).sum()) - (len(value) - 1)

    least = _LEAST * float(variance.mean())
    if len(value) < 2 or excess(least) <= 0:
        return least
    return float(optimize.brentq(excess, least, float(np.ptp(value)) ** 2))

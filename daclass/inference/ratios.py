"""The ratio of two estimated means, with Fieller's (1954) interval.

The interval holds the ratios r that the data do not reject: those at which the mean of
``numerator - r * denominator``, which is an estimate like any other of this room, may be 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import optimize

from daclass.inference.arrays import Floats
from daclass.inference.crossed import Crossed, Sums

RATIOS = (-1.0, 0.0, 1.0)
"""The ratios at which `sums_at` and `quadratic` want to know a quadratic function."""


def fieller(
    excess_at: Callable[[float], Crossed],
    numerator: float,
    denominator: Crossed,
) -> tuple[float, float, float]:
    """A ratio and the ends of its interval, which may be infinite.

    Args:
        excess_at: ratio -> mean of the numerator less ratio times the denominator, one group, with
            an interval of the wanted level that is cut nowhere.
        numerator, denominator: the means, one group.

    Returns:
        NaN where the denominator's interval holds 0, or is unknown: a share of nothing.
    """
    if not denominator.low[0] * denominator.high[0] > 0:
        return np.nan, np.nan, np.nan
    ratio = numerator / denominator.mean[0]

    def beyond(candidate: float) -> float:
        excess = excess_at(candidate)
        return float(abs(excess.mean[0]) - (excess.high[0] - excess.mean[0]))

    return ratio, _end(beyond, ratio, -1.0), _end(beyond, ratio, 1.0)


def quadratic(ratio: float, values: Sequence[Floats]) -> Floats:
    """The value at `ratio` of the quadratic function that has these values at `RATIOS`."""
    low, middle, high = values
    return middle + ratio * (high - low) / 2 + ratio**2 * ((high + low) / 2 - middle)


def sums_at(ratio: float, tables: Sequence[Sums]) -> Sums:
    """`Sums` of ``numerator - ratio * denominator``, from those at `RATIOS`.

    The sums that estimates are made from are quadratic in the ratio, so those of three ratios give
    them for all.
    """
    return Sums(
        quadratic(ratio, [table.seed_sums for table in tables]),
        quadratic(ratio, [table.image_squares for table in tables]),
        quadratic(ratio, [table.squares for table in tables]),
    )


def _end(beyond: Callable[[float], float], start: float, direction: float) -> float:
    """Where `beyond`, negative at `start`, turns positive; infinite where it does not."""
    step = 0.1
    while beyond(start + direction * step) < 0:
        step *= 2
        if step > 1e3:  # the denominator's own degrees of freedom bound it only just
            return direction * np.inf
    return float(optimize.brentq(beyond, *sorted((start, start + direction * step))))

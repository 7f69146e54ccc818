"""Two single networks on the same pictures: what can be said of them, and of nothing else.

With one run of each condition there is no telling what other runs of the same recipes would do.
What remains is a question about these two networks and new pictures, which pairs of verdicts on the
same pictures answer exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from daclass.inference.arrays import Bools, Floats, Ints


@dataclass(frozen=True)
class Pair:
    """Difference in accuracy of two networks in G groups of pictures, [G].

    Attributes:
        mean: share of pictures that the first one alone has right, less that of the second.
        error: standard error for new pictures, never 0.
        low, high: interval for new pictures.
        p: two-sided p-value of equal accuracies; 1 where the networks never differ.
        images: number of pictures, int64; the others are NaN where it is 0.
    """

    mean: Floats
    error: Floats
    low: Floats
    high: Floats
    p: Floats
    images: Ints


def mcnemar(first: Bools, second: Bools, groups: Ints, n_groups: int, *, confidence: float) -> Pair:
    """McNemar's (1947) exact test per group, with Bonett and Price's (2012) interval.

    The test takes the pictures on which the networks differ for throws of a fair coin. The interval
    is Wald's after one picture more of either kind, which holds its level also for few pictures
    (Fagerland, Lydersen and Laake 2014, Stat. Med. 33, 2850). The two need not agree where p is
    near 1 - `confidence`.

    Args:
        first, second: correctness of either network, bool [N].
        groups: the group of each picture, int64 [N] in [0, n_groups).
        confidence: level of the intervals, in (0, 1).
    """
    images = np.bincount(groups, minlength=n_groups)
    wins = np.bincount(groups, first & ~second, minlength=n_groups)
    losses = np.bincount(groups, second & ~first, minlength=n_groups)
    p = np.minimum(1.0, 2 * stats.binom.cdf(np.minimum(wins, losses), wins + losses, 0.5))
    with np.errstate(invalid="ignore"):
        mean = (wins - losses) / images
    centre = (wins - losses) / (images + 2)
    variance = ((wins + losses + 2) / (images + 2) - centre**2) / (images + 2)
    error = np.sqrt(variance)
    reach = stats.norm.isf((1 - confidence) / 2) * error
    none = images == 0
    return Pair(
        mean,
        np.where(none, np.nan, error),
        np.where(none, np.nan, np.maximum(centre - reach, -1.0)),
        np.where(none, np.nan, np.minimum(centre + reach, 1.0)),
        np.where(none, np.nan, p),
        images.astype(np.int64),
    )

"""How much the variances of classes differ, seen through mean squares of a few runs.

The model is Smyth's (2004, Stat. Appl. Genet. Mol. Biol. 3(1), 3): a mean square of `df` degrees of
freedom is chi-squared around a level, and levels are scaled inverse chi-squares of d0 degrees of
freedom, so that a mean square over the common level has Fisher's F distribution with df and d0.
Both are estimated by maximum likelihood, and not by Smyth's moments of logarithms: with few runs
and pictures some mean squares are 0, and with two degrees of freedom logarithms scatter so much
that unequal levels hardly show among them.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from daclass.inference.arrays import Floats

_PRIOR_DF = np.append(np.geomspace(0.5, 500.0, 40), np.inf)[:, None]
_ROUNDS = 30  # of the fixed point for the common level


def common_level(squares: Floats, df: int) -> tuple[float, float]:
    """The common level of mean squares, and its degrees of freedom d0, in [0.5, inf].

    Args:
        squares: mean squares that would be equal but for chance if levels were, [G]; not all 0.
        df: degrees of freedom of each.

    Returns:
        The level of which a class's true variance is a multiple by d0 / chi-square(d0), and d0:
        infinite where levels differ by no more than chance.
    """
    d0 = _PRIOR_DF
    level = np.full_like(d0, squares.mean())
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(_ROUNDS):
            # The stationary point of the likelihood in the level: a mean in which mean squares far
            # above it weigh less, the more so the fewer degrees of freedom levels have.
            weight = (df / d0 + 1) / (1 + df * squares / (d0 * level))
            level = (weight * squares).mean(axis=1, keepdims=True)
        ratio = squares / level
        tail = np.where(
            np.isinf(d0), df * ratio / 2, (df + d0) / 2 * np.log1p(df * ratio / d0)
        ).sum(axis=1)
        shape = np.where(
            np.isinf(d0),
            df / 2 * np.log(df / 2) - special.gammaln(df / 2),
            df / 2 * np.log(df / d0) - special.betaln(df / 2, d0 / 2),
        )[:, 0]
    likelihood = len(squares) * (shape - df / 2 * np.log(level[:, 0])) - tail
    best = int(np.argmax(likelihood))
    return float(level[best, 0]), float(d0[best, 0])

"""Intervals and tests that hold for several contrasts at once.

Where the tested condition is read off the data that it is then tested on, such as the strength that
was best on average, an interval for its contrast alone is too narrow: it has to hold for whichever
condition might have been read off (Berk et al. 2013, Ann. Statist. 41, 802). For contrasts with
one reference that is max-|t|: the level is that at which the largest of all standardised contrasts,
with the correlations that they have, stays below the bound (Dunnett 1955). Estimates are turned
from their own distributions to the normal one with the same p.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from daclass.inference.arrays import Bools, Floats
from daclass.inference.crossed import Crossed

_DRAWS = 2**14
_GRID = 120  # points at which functions of a standard normal deviate are known
_LEAST_P = 1e-30  # smaller ones are not told apart
_ENOUGH = 100  # draws beyond a value, from which on their share is trusted


@dataclass(frozen=True)
class Family:
    """Contrasts of which any may be the one that is looked at.

    Attributes:
        largest: sorted draws of the largest standardised contrast, [B].
        size: number of contrasts.
        sides: 2 for the largest in size, 1 for the largest with its sign.
    """

    largest: Floats
    size: int
    sides: int

    @classmethod
    def of(cls, correlations: npt.ArrayLike, sides: int = 2) -> Family:
        """Args: correlations between the contrasts, [K, K], such as
        `daclass.inference.own_best.picture_correlations` gives."""
        matrix = np.asarray(correlations, np.float64)
        values, vectors = np.linalg.eigh(matrix)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        root /= np.linalg.norm(root, axis=1, keepdims=True)
        uniform = stats.qmc.Sobol(len(matrix), rng=0).random(_DRAWS)
        draws = stats.norm.ppf(np.clip(uniform, 1e-9, 1 - 1e-9)) @ root.T
        largest = (np.abs(draws) if sides == 2 else draws).max(axis=1)
        return cls(np.sort(largest), len(matrix), sides)

    def p(self, p: npt.ArrayLike) -> Floats:
        """p-values of one contrast (two-sided, or one-sided where `sides` is 1) as they are for
        the largest, [G]."""
        raw = np.asarray(p, np.float64)
        beyond = _DRAWS - np.searchsorted(self.largest, stats.norm.isf(raw / self.sides) - 1e-9)
        bonferroni = np.minimum(self.size * raw, 1.0)
        return np.where(beyond >= _ENOUGH, np.minimum(beyond / _DRAWS, bonferroni), bonferroni)

    def alpha(self, alpha: float) -> float:
        """The level for each contrast at which all of them together have the level `alpha`."""
        tail = stats.norm.sf(np.quantile(self.largest, 1 - alpha))
        return float(max(self.sides * tail, alpha / self.size))

    def simultaneous(
        self, found: Crossed, confidence: float, span: tuple[float, float] = (-1.0, 1.0)
    ) -> Crossed:
        """Estimates of one contrast with intervals and p that hold for all at once; two-sided.

        The interval for these very pictures and `error` stay those of the one contrast.

        Args:
            found: one of the family's contrasts, for any groups.
            confidence: level of the intervals, in (0, 1).
            span: the least and the largest possible value; intervals are cut there.
        """
        reach = found.spread.reach(self.alpha(1 - confidence))
        return replace(
            found,
            low=np.maximum(found.mean - reach, span[0]),
            high=np.minimum(found.mean + reach, span[1]),
            p=self.p(found.p),
        )


def max_p(p: Floats, shared: Floats) -> Floats:
    """p-values adjusted for G classes at once, whose estimates share a factor: single-step max-T.

    With z the standardised shock that all classes have in common and r the share of each class's
    variance that it makes up, the chance that no class deviates further than x is ::

        E_z prod_c P(|sqrt(r_c) z + sqrt(1 - r_c) e| <= x),   e standard normal,

    so that nothing has to be drawn (Westfall and Young 1993 draw it). Small ones control the chance
    of a single false discovery.

    Args:
        p: two-sided p-values, [G]; NaN where unknown.
        shared: r, in [0, 1], [G].
    """
    adjusted = np.full_like(p, np.nan)
    known: Bools = ~np.isnan(p)
    if not known.any():
        return adjusted
    nodes = np.linspace(-6.0, 6.0, _GRID)  # fine enough for steps, where hardly anything is own
    weights = stats.norm.pdf(nodes) / stats.norm.pdf(nodes).sum()
    ratio = np.clip(shared[known], 0.0, 0.99)
    mean, deviation = np.sqrt(ratio)[:, None] * nodes, np.sqrt(1 - ratio)[:, None]
    observed = stats.norm.isf(np.maximum(p[known], _LEAST_P) / 2)
    grid = np.linspace(0.0, observed.max() + 1e-9, _GRID)
    beyond = []
    for x in grid:
        missed = special.ndtr((mean - x) / deviation) + special.ndtr((-x - mean) / deviation)
        # In logarithms, so that small chances of many classes add up exactly.
        none = np.log1p(-np.minimum(missed, 1 - 1e-15)).sum(axis=0)
        beyond.append(float(-np.expm1(none) @ weights))
    adjusted[known] = np.exp(np.interp(observed, grid, np.log(beyond)))
    return np.minimum(adjusted, 1.0)

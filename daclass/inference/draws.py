"""Means over runs, pictures and draws: what a designer that deals at random does on average.

A policy is one draw of itself. Of several draws of one designer, each trained with the same seeds,
the mean is estimated as in `crossed` from the mean over draws of each seed's and picture's value;
its variance for *new draws* adds that of the draws themselves over their number D. With m[d] the
mean of draw d and e[d] the standard error (`crossed`) of what it differs by from the others' mean,
that is ::

    max(0, sum_d (m[d] - mean m)^2 - sum_d e[d]^2) / (D - 1) / D

with D - 1 degrees of freedom. The interval reaches as far as the root of the sum of both squared
reaches, each with the t quantile of its own degrees of freedom. Satterthwaite's formula would give
the two variances one number of degrees of freedom in the proportion in which they were estimated:
where few draws seem alike by chance, a variance estimated too small would count as well known.
With few draws that are far apart the interval is wide: what three draws say of all others is not
much. `tests/analysis/test_draws.py` measures the coverage.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

from daclass.inference.arrays import Floats
from daclass.inference.crossed import Crossed, Sums, crossed_from_sums
from daclass.inference.ratios import RATIOS, fieller, sums_at

_LEAST_P = 1e-12  # smaller ones are not told apart


@dataclass(frozen=True)
class Draws:
    """Values of D draws, S seeds and N pictures, [D, S, N]; D is 1 for a policy that is none."""

    values: npt.NDArray

    @classmethod
    def of(cls, values: npt.NDArray) -> Draws:
        """Args: bool, integers or floats, [D, S, N]."""
        return cls(values.astype(np.int8) if values.dtype == np.bool_ else values)

    def __sub__(self, other: Draws) -> Draws:
        """Paired differences; where both have several draws, the same number, draw by draw."""
        return Draws(self.values - other.values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Draws) and np.array_equal(self.values, other.values)

    __hash__ = None  # type: ignore[assignment]

    def mean(self, confidence: float, span: tuple[float, float] = (-1.0, 1.0)) -> Crossed:
        """The mean of all, one group of pictures.

        Args:
            confidence: level of the intervals, in (0, 1).
            span: the least and the largest possible value; intervals are cut there.
        """
        found = _crossed(Sums.of(self._pooled, *self._one_group), self._images, confidence, span)
        return self._for_new_draws(found, confidence, span)

    def share_of(self, whole: Draws, confidence: float) -> tuple[float, float, float]:
        """Mean of this over the mean of `whole`, with Fieller's interval; see `ratios.fieller`."""
        other = whole._pooled
        tables = [Sums.of(self._pooled - r * other, *self._one_group) for r in RATIOS]

        def excess(ratio: float) -> Crossed:
            span = (-np.inf, np.inf)
            found = _crossed(sums_at(ratio, tables), self._images, confidence, span)
            return self._for_new_draws(found, confidence, span)

        mean = float(self._pooled.mean()) if self._pooled.size else np.nan
        return fieller(excess, mean, whole.mean(confidence))

    @cached_property
    def _pooled(self) -> npt.NDArray:
        """Mean over draws, [S, N]; integers where there is one."""
        return self.values[0] if len(self.values) == 1 else self.values.mean(axis=0)

    @property
    def _images(self) -> npt.NDArray[np.int64]:
        return np.array([self.values.shape[2]])

    @property
    def _one_group(self) -> tuple[npt.NDArray[np.int64], int]:
        return np.zeros(self.values.shape[2], np.int64), 1

    def _for_new_draws(
        self, found: Crossed, confidence: float, span: tuple[float, float]
    ) -> Crossed:
        """`found` with the variance of draws added; no one `df` describes the two."""
        draws = len(self.values)
        if draws == 1:
            return found
        added, known = self._between / draws, found.error**2

        def reach(p: float) -> Floats:
            others = stats.t.isf(p / 2, draws - 1)
            return np.asarray(np.sqrt(found.spread.reach(p) ** 2 + others**2 * added))

        far = reach(1 - confidence)
        return replace(
            found,
            error=np.sqrt(known + added),
            df=np.full_like(found.df, np.nan),
            low=np.maximum(found.mean - far, span[0]),
            high=np.minimum(found.mean + far, span[1]),
            p=np.array([_p_value(float(found.mean[0]), lambda p: float(reach(p)[0]))]),
        )

    @cached_property
    def _between(self) -> Floats:
        """Variance between draws, [1]."""
        apart = self.values - self._pooled
        found = [
            _crossed(Sums.of(one, *self._one_group), self._images, 0.5, (-np.inf, np.inf))
            for one in apart
        ]
        squares = sum(one.mean**2 - one.error**2 for one in found)
        return np.asarray(np.maximum(squares, 0.0) / (len(found) - 1))


def _p_value(mean: float, reach: Callable[[float], float]) -> float:
    """The p at which an interval of level 1 - p has 0 for an end."""
    if np.isnan(reach(0.5)):
        return np.nan
    if reach(_LEAST_P) <= abs(mean):
        return _LEAST_P if mean else 1.0
    return float(optimize.brentq(lambda p: reach(p) - abs(mean), _LEAST_P, 1.0))


def _crossed(
    sums: Sums, images: npt.NDArray[np.int64], confidence: float, span: tuple[float, float]
) -> Crossed:
    return crossed_from_sums(sums, images, confidence=confidence, span=span)

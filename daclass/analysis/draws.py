"""Means over runs, pictures and draws: what a designer that deals at random does on average.

A policy is one draw of itself. Of several draws of one designer, each trained with the same seeds,
the mean is estimated as in `crossed` from the mean over draws of each seed's and picture's value;
its variance for *new draws* adds that of the draws themselves over their number D. With m[d] the
mean of draw d and e[d] the standard error (`crossed`) of what it differs by from the others' mean,
that is ::

    max(0, sum_d (m[d] - mean m)^2 - sum_d e[d]^2) / (D - 1) / D

with D - 1 degrees of freedom, joined by Satterthwaite's formula. With few draws that are far apart
the interval is wide: what three draws say of all others is not much.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import stats

from daclass.analysis.cells import Floats
from daclass.analysis.crossed import Crossed, Sums, crossed_from_sums
from daclass.analysis.ratios import RATIOS, fieller, sums_at


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
        return fieller(excess, mean, whole.mean(confidence), confidence)

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
        """`found` with the variance of draws added."""
        draws = len(self.values)
        if draws == 1:
            return found
        added, known = self._between / draws, found.error**2
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = known + added
            df = variance**2 / (known**2 / found.df + added**2 / (draws - 1))
            error = np.sqrt(variance)
            reach = stats.t.ppf((1 + confidence) / 2, df) * error
            p = 2 * stats.t.sf(np.abs(found.mean) / error, df)
        low, high = np.maximum(found.mean - reach, span[0]), np.minimum(found.mean + reach, span[1])
        return replace(found, error=error, df=df, low=low, high=high, p=p)

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


def _crossed(
    sums: Sums, images: npt.NDArray[np.int64], confidence: float, span: tuple[float, float]
) -> Crossed:
    return crossed_from_sums(sums, images, confidence=confidence, span=span)

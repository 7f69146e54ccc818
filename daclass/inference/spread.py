"""How far an estimate may lie from the truth where part of its variance is known from few runs.

The variance of an estimate is a sum of mean squares. Those of pictures, and those that many classes
tell together, have many degrees of freedom; what the runs of a condition have in common has one
fewer than there are runs: two, for three seeds. Two answers are in use for such a sum:

- Satterthwaite's (1946) t distribution, whose degrees of freedom are those of the parts, weighted
  by their squares as estimated. Where three runs seem alike by chance, their part is estimated too
  small and counts as well known too, so p-values are too small, most of all far out.
- The generalised p-value (Weerahandi 1993, J. Am. Stat. Assoc. 88, 899; fiducial in kind): the
  variance of a part with sum of squares SS is taken for SS / chi-square of its degrees of freedom,
  and p is averaged over that chi-square. It allows for runs that are alike by chance, also where
  runs hardly matter, and is then too large.

Both give Student's t where one part is all there is. In between, `Spread` takes a weighted mean of
the two p-values, which depends on the number of runs (`_GENERALISED`): docs/statistics.md shows
what that keeps of its promises, for which the weights were chosen by simulation.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special, stats

from daclass.inference.arrays import Floats, Ints

_GENERALISED = {1: 0.75, 2: 0.25, 3: 0.25}
"""Weight of the generalised p-value by the degrees of freedom of the runs; 0 from four on.

The least, in steps of a quarter, at which 95% intervals hold the truth in 93% of cases (92% with
two runs) whatever the share of the variance that runs make up; tests/inference/test_spread.py walks
the shares, and at the share that is worst there p <= 0.05 in 6.1, 6.7 and 6.2% of cases.
"""
_NODES = 32  # of the quadrature over chi-squares; it is exact to 1%, with two conditions to 5%
_LEAST_SHARE = 1e-9  # of a chi-square's distribution that the quadrature leaves out at either end
_MOST_DF = 1e9  # more are as good as infinitely many
_MOST_ROUNDS, _CLOSE = 20, 1e-7  # of the search for a distance; relative
_LEAST_P = 1e-300  # smaller ones are 0 in floating point


@dataclass(frozen=True)
class Part:
    """What one condition's runs add to the variances of G estimates.

    Attributes:
        shared: mean square of what is known from the runs alone, over their number, [G].
        own: the same of what classes tell each other about their runs, [G]; 0 where nothing is.
        own_df: its degrees of freedom, [G].
        rest: mean square of independent flips, which either holds too, [G].
        rest_df: its degrees of freedom, [G].
        df: of `shared`: the number of runs less one.
        common: what of `shared` all groups have in common, [G].
    """

    shared: Floats
    own: Floats
    own_df: Floats
    rest: Floats
    rest_df: Floats
    df: int
    common: Floats

    def excess(self, factor: Floats | float = 1.0) -> Floats:
        """The component of runs: what their mean squares have above the flips, cut at 0, [G].

        Args:
            factor: by which `shared` is multiplied.
        """
        return np.maximum(self.shared * factor + self.own - self.rest, 0.0)


@dataclass(frozen=True)
class Spread:
    """The distribution of G estimates around the truth.

    Attributes:
        image: mean square of pictures over the number of cells, [G]; 0 where pictures are given.
        image_df: its degrees of freedom, [G].
        runs: what each condition's runs add.
    """

    image: Floats
    image_df: Floats
    runs: tuple[Part, ...]

    @cached_property
    def variance(self) -> Floats:
        """Of the estimates: that over pictures, or that of flips where it is larger, and what
        runs add to it, [G]."""
        return self._pictures + np.sum([part.excess() for part in self.runs], axis=0)

    @cached_property
    def error(self) -> Floats:
        """Standard errors, [G]."""
        return np.sqrt(self.variance)

    @cached_property
    def df(self) -> Floats:
        """Satterthwaite's degrees of freedom, at least 1, [G]."""
        squares = self._squares
        for part in self.runs:
            with np.errstate(divide="ignore", invalid="ignore"):
                squares = squares + (part.excess() > 0) * part.shared**2 / part.df
        return self._over(self.variance, squares)

    @property
    def shared(self) -> Floats:
        """Share of the variance that all groups have in common, through their runs, [G]."""
        with np.errstate(divide="ignore", invalid="ignore"):
            parts = [np.minimum(part.common, part.excess()) for part in self.runs]
            return np.asarray(np.sum(parts, axis=0) / self.variance)

    def p(self, distance: Floats) -> Floats:
        """Two-sided p-values, in [0, 1], of estimates at a distance from what is tested, [G]."""
        return self._tail(np.abs(distance), np.arange(len(self.variance)))

    def reach(self, alpha: float) -> Floats:
        """Half the width of an interval of level 1 - `alpha`: the distance with p = alpha, [G]."""
        return self.reaches(np.full(len(self.variance), alpha))

    def reaches(self, alpha: Floats) -> Floats:
        """`reach` with a level for each estimate, in (0, 1), [G]."""
        plain = special.stdtrit(self.df, 1 - alpha / 2) * self.error
        rows = np.flatnonzero(np.isfinite(plain) & (plain > 0))
        if not self._weight or not len(rows):
            return plain
        wanted = np.log(alpha[rows])

        def excess(log_distance: Floats) -> Floats:
            tail = self._tail(np.exp(log_distance), rows)
            return np.asarray(np.log(np.maximum(tail, _LEAST_P)) - wanted)

        # log p is smooth and concave in log distance, so that secants settle in a few rounds.
        last, at = np.log(plain[rows]), np.log(plain[rows]) + 0.1
        of_last, of_at = excess(last), excess(at)
        for _ in range(_MOST_ROUNDS):
            slope = (of_at - of_last) / np.where(at == last, 1.0, at - last)
            step = np.where(slope < 0, -of_at / np.where(slope < 0, slope, 1.0), 0.0)
            last, of_last = at, of_at
            at = at + np.clip(step, -1.0, 1.0)
            if (np.abs(at - last) < _CLOSE).all():
                break
            of_at = excess(at)
        plain[rows] = np.exp(at)
        return plain

    @property
    def _pictures(self) -> Floats:
        return np.maximum(self.image, self._flips)

    @property
    def _flips(self) -> Floats:
        return np.sum([part.rest for part in self.runs], axis=0)

    @cached_property
    def _squares(self) -> Floats:
        """Squares of all mean squares that enter `variance` but the shared ones, each over its
        degrees of freedom, [G]."""
        by_image = self.image > self._flips
        with np.errstate(divide="ignore", invalid="ignore"):
            squares = by_image * self.image**2 / self.image_df
            for part in self.runs:
                by_runs = part.excess() > 0
                squares = squares + by_runs * part.own**2 / part.own_df
                # Flips are all there is where neither pictures nor runs show, and are taken off
                # once where both do, since either mean square holds them.
                enters = by_image == by_runs
                squares = squares + np.where(enters, part.rest**2 / part.rest_df, 0.0)
        return squares

    def _over(self, variance: Floats, squares: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.clip(variance**2 / squares, 1.0, _MOST_DF)

    @property
    def _weight(self) -> float:
        """Of the generalised p-value."""
        return _GENERALISED.get(min((part.df for part in self.runs), default=0), 0.0)

    def _tail(self, distance: Floats, rows: Ints) -> Floats:
        """p at `distance` of the estimates `rows`."""
        with np.errstate(divide="ignore", invalid="ignore"):
            plain = 2 * special.stdtr(self.df[rows], -distance / self.error[rows])
            if not self._weight:
                return plain
            variance, df, weights = self._generalised
            general = _t_tail(distance**2 / variance[:, rows], df[:, rows])
        return np.minimum((1 - self._weight) * plain + self._weight * (weights @ general), 1.0)

    @cached_property
    def _generalised(self) -> tuple[Floats, Floats, Floats]:
        """Variances and degrees of freedom at the nodes of the chi-squares, [J, G], and weights."""
        chi_squares = [_chi_square(part.df, _NODES // len(self.runs)) for part in self.runs]
        factors = np.meshgrid(*(factor for factor, _ in chi_squares), indexing="ij")
        weights = np.prod(np.meshgrid(*(w for _, w in chi_squares), indexing="ij"), axis=0).ravel()
        variance = self._pictures + np.sum(
            [part.excess(f.reshape(-1, 1)) for part, f in zip(self.runs, factors, strict=True)],
            axis=0,
        )
        # Given the chi-squares, the shared parts are known: what is left to be unsure of are the
        # other mean squares.
        return variance, self._over(variance, self._squares), weights


def _t_tail(square: Floats, df: Floats) -> Floats:
    """Chance that the square of Student's t exceeds `square`.

    Wallace's (1959, Ann. Math. Statist. 30, 1124) transformation to the normal distribution: much
    faster than the exact one, and within 1% of it down to p = 0.005 from ten degrees of freedom on,
    and 5% from five on. Pictures and classes give dozens.
    """
    normal = np.sqrt(df * np.log1p(square / df)) * (8 * df + 1) / (8 * df + 3)
    return np.asarray(2 * special.ndtr(-normal))


def _chi_square(df: int, nodes: int) -> tuple[Floats, Floats]:
    """Nodes of df / chi-square(df), float64 [nodes], and their weights."""
    # The trapezoidal rule over the logarithm, where the density and p are smooth on the whole line.
    first, last = stats.chi2.ppf(_LEAST_SHARE, df), stats.chi2.isf(_LEAST_SHARE, df)
    at = np.geomspace(first, last, nodes)
    weights = at * stats.chi2.pdf(at, df)
    return df / at, weights / weights.sum()

"""Which condition is best on average: one rule for all who ask."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_DIGITS = 12
"""Averages that agree so far tie: they differ by the order of additions."""


def best_level(averages: npt.ArrayLike) -> int:
    """Position of the largest average; of those that tie, the last one.

    Args:
        averages: of conditions in order, the strongest or the tested one first; NaN is never best.

    Of strengths that tie, that is the weakest. They do equally well on average, and what remains to
    tell them apart is what the question is about: the weaker augmentation is the one that classes
    are less likely to pay for.

    Raises:
        ValueError: there is no average that is a number.
    """
    values = np.round(np.asarray(averages, np.float64), _DIGITS)
    if np.isnan(values).all():
        raise ValueError("no average to choose the best of")
    return int(np.flatnonzero(values == np.nanmax(values))[-1])

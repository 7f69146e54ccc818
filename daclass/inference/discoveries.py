"""Multiple testing: p-values to q-values."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from daclass.inference.arrays import Floats


def q_values(p: npt.ArrayLike, method: Literal["bh", "by"]) -> Floats:
    """False-discovery-rate adjusted p-values, float64 [T] in [0, 1]; NaN p stay NaN and count not.

    Args:
        p: p-values of one family of tests, [T].
        method: "bh" for tests that are independent or positively dependent (Benjamini and Hochberg
            1995), "by" for any dependence (Benjamini and Yekutieli 2001).
    """
    raw = np.asarray(p, np.float64)
    adjusted = np.full_like(raw, np.nan)
    known = ~np.isnan(raw)
    if known.any():
        adjusted[known] = stats.false_discovery_control(raw[known], method=method)
    return adjusted


def holm(p: npt.ArrayLike) -> Floats:
    """p-values adjusted for any one error among them (Holm 1979), [T]; NaN stay NaN, uncounted."""
    raw = np.asarray(p, np.float64)
    adjusted = np.full_like(raw, np.nan)
    known = np.flatnonzero(~np.isnan(raw))
    order = known[np.argsort(raw[known], kind="stable")]
    stepped = raw[order] * (len(order) - np.arange(len(order)))
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return adjusted

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

"""What a study could find, and how many runs that takes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import stats

from daclass.inference.arrays import Floats
from daclass.inference.spread import Part, Spread

POWER = 0.8  # the probability at which a true difference counts as detectable


def detectable(spread: Spread, alpha: float) -> Floats:
    """The smallest true difference that a test of level `alpha` finds with probability `POWER`.

    About ``reach(alpha) + t_power * error``; of shares, [G]. NaN where not even the loss of all
    accuracy, 1, would be found.
    """
    drop = spread.reach(alpha) + stats.t.ppf(POWER, spread.df) * spread.error
    return np.where(drop <= 1, drop, np.nan)


def with_runs(spread: Spread, runs: int) -> Spread:
    """How the same estimates would scatter with another number of runs, on as many pictures.

    Of a mean over S runs and N pictures, `spread` has the mean squares over S N. Those of runs and
    of independent flips fall as 1 / S. That of pictures holds the flips once; what it has above
    them is the pictures' own, which no run takes away.

    Args:
        spread: of two runs or more.
        runs: of each condition, at least two.
    """
    scaled = []
    for part in spread.runs:
        factor = (part.df + 1) / runs
        scaled.append(
            Part(
                shared=part.shared * factor,
                own=part.own * factor,
                own_df=part.own_df,
                rest=part.rest * factor,
                rest_df=part.rest_df * (runs - 1) / part.df,
                df=runs - 1,
                common=part.common * factor,
            )
        )
    flips = np.sum([part.rest for part in spread.runs], axis=0)
    fewer = np.sum([part.rest for part in scaled], axis=0)
    own = np.maximum(spread.image - flips, 0.0)
    return replace(spread, image=own + fewer, runs=tuple(scaled))

"""The scatter of variances between classes, against draws with a known one and scipy's fit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from daclass.inference.levels import common_level


def squares(rng, groups: int, df: int, prior_df: float, level: float = 1.7):
    true = level if np.isinf(prior_df) else level * prior_df / rng.chisquare(prior_df, groups)
    return true * rng.chisquare(df, groups) / df


@pytest.mark.parametrize("df", [1, 2, 4])
@pytest.mark.parametrize("prior_df", [3.0, 12.0])
def test_the_scatter_that_was_drawn_is_found(df: int, prior_df: float) -> None:
    level, found = common_level(squares(np.random.default_rng(df), 20_000, df, prior_df), df)
    assert found == pytest.approx(prior_df, rel=0.25)
    assert level == pytest.approx(1.7, rel=0.08)


@pytest.mark.parametrize("df", [1, 2, 4])
def test_equal_levels_are_taken_for_equal(df: int) -> None:
    rng = np.random.default_rng(10 + df)
    found = [common_level(squares(rng, 24, df, np.inf), df)[1] for _ in range(200)]
    assert np.mean(np.isinf(found)) > 0.4
    assert np.mean(np.array(found) < 4) < {1: 0.12, 2: 0.06, 4: 0.03}[df]


def test_it_is_the_maximum_of_the_likelihood() -> None:
    values = squares(np.random.default_rng(5), 300, 2, 6.0)

    def cost(at):
        return -stats.f.logpdf(values / np.exp(at[0]), 2, np.exp(at[1])).sum() + 300 * at[0]

    best = optimize.minimize(cost, [0.0, 1.0], method="Nelder-Mead")
    level, prior_df = common_level(values, 2)
    assert cost([np.log(level), np.log(prior_df)]) == pytest.approx(best.fun, abs=0.1)


def test_runs_that_agree_exactly_are_no_fault() -> None:
    level, prior_df = common_level(np.array([0.0, 0.0, 1.0, 2.0, 0.5]), 1)
    assert np.isfinite(level) and level > 0 and prior_df > 0

"""Intervals of sums of mean squares against Student's t, Satterthwaite's formula and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from daclass.inference.spread import Part, Spread


def spread(shared, own=0.0, image=0.0, rest=0.0, df=2, own_df=40.0, image_df=1000.0):
    """One group, or as many as there are values of `shared`."""
    shared = np.atleast_1d(np.asarray(shared, float))

    def full(x):
        return np.broadcast_to(np.asarray(x, float), shared.shape).copy()

    part = Part(shared, full(own), full(own_df), full(rest), full(1e6), df, shared)
    return Spread(full(image), full(image_df), (part,))


@pytest.mark.parametrize("df", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("alpha", [0.2, 0.05, 0.001])
def test_runs_alone_give_students_t(df: int, alpha: float) -> None:
    found = spread(4.0, df=df).reach(alpha)[0]
    assert found == pytest.approx(2 * stats.t.isf(alpha / 2, df), rel=0.01)


@pytest.mark.parametrize("df", [4, 9])
def test_from_five_runs_on_it_is_satterthwaites_interval(df: int) -> None:
    found = spread(1.0, own=0.5, image=2.0, df=df)
    t = 3.5**2 / (1 / df + 0.5**2 / 40 + 2**2 / 1000)
    assert found.df[0] == pytest.approx(t)
    assert found.reach(0.05)[0] == pytest.approx(stats.t.isf(0.025, t) * np.sqrt(3.5))
    assert found.p(np.array([3.0]))[0] == pytest.approx(2 * stats.t.sf(3 / np.sqrt(3.5), t))


@settings(max_examples=15, deadline=None)
@given(
    st.floats(0.01, 100), st.floats(0, 10), st.floats(0, 10), st.floats(0, 1), st.integers(1, 5),
    st.floats(1e-6, 0.5),
)  # fmt: skip
def test_reach_is_where_p_is_alpha(shared, own, image, rest, df, alpha) -> None:
    found = spread(shared, own, image, rest, df)
    assert found.p(found.reach(alpha))[0] == pytest.approx(alpha, rel=1e-3)
    assert found.reach(alpha / 2)[0] > found.reach(alpha)[0]


def test_two_conditions_of_few_runs_lie_between_welch_and_the_smaller_df() -> None:
    """Behrens and Fisher's problem, for which Student's t with the smaller df is conservative."""
    none, one = np.zeros(1), np.ones(1)
    parts = tuple(Part(one, none, one, none, one, df, one) for df in (2, 3))
    found = Spread(none, one * np.inf, parts).reach(0.05)[0]
    welch = 4 / (1 / 2 + 1 / 3)
    assert stats.t.isf(0.025, welch) < found / np.sqrt(2) < stats.t.isf(0.025, 2)


@pytest.mark.parametrize("df", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.7, 0.9, 0.97])
def test_false_positives_whatever_the_share_of_runs(df: int, share: float) -> None:
    """Satterthwaite's formula alone has 12% with two runs, and 7.5% with three."""
    rng = np.random.default_rng(df)
    n = 10_000
    found = spread(share * rng.chisquare(df, n) / df, image=1 - share, df=df)
    p = found.p(rng.standard_normal(n))
    # Goals: intervals of level .95 hold .93 of the time, .92 with two runs.
    assert 0.01 < (p < 0.05).mean() < (0.07 if df > 1 else 0.08) + 2.6 * np.sqrt(0.07 * 0.93 / n)
    assert (p < 0.005).mean() < 0.018


def test_unknown_stays_unknown() -> None:
    found = spread([np.nan, 1.0], image=1.0)
    assert np.isnan(found.reach(0.05)).tolist() == [True, False]
    assert np.isnan(found.p(np.ones(2))).tolist() == [True, False]

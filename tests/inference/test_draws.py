"""Means over draws, and their ratios, against simulation and simple formulas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from daclass.inference.crossed import crossed
from daclass.inference.draws import Draws


def simulated(rng, draws=3, seeds=5, images=80, *, draw_sd=0.0, mean=0.1):
    """Paired differences of draws that share seeds and pictures, [D, S, N]."""
    shape = (draws, seeds, images)
    return (
        mean
        + rng.normal(0, draw_sd, (draws, 1, 1))
        + rng.normal(0, 0.03, (1, seeds, 1))
        + rng.normal(0, 0.2, (1, 1, images))
        + rng.normal(0, 0.02, (draws, seeds, 1))
        + rng.normal(0, 0.4, shape)
    )


def test_one_draw_is_what_crossed_says() -> None:
    values = np.random.default_rng(0).random((1, 4, 30)) < 0.3
    found = Draws.of(values).mean(0.9)
    expected = crossed(values[0].astype(int), np.zeros(30, int), 1, confidence=0.9)
    for name in ("mean", "error", "df", "low", "high", "p"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name))


@pytest.mark.parametrize(
    ("draws", "draw_sd"), [(3, 0.0), (3, 0.05), (3, 0.2), (5, 0.05), (2, 0.05), (2, 0.2)]
)
def test_the_interval_holds_the_mean_of_new_draws(draws: int, draw_sd: float) -> None:
    rng = np.random.default_rng(1)
    held, sure = 0, 0
    for _ in range(60):
        values = simulated(rng, draws, images=40, draw_sd=draw_sd)
        found = Draws.of(values).mean(0.95, (-9, 9))
        held += found.low[0] <= 0.1 <= found.high[0]
        sure += Draws.of(values - 0.1).mean(0.95, (-9, 9)).p[0] < 0.05
    # Two draws may seem alike by chance: then nothing tells how far apart others would be.
    least = 0.95 if draws > 2 else 0.92
    assert held >= stats.binom.ppf(0.001, 60, least)
    assert sure == 60 - held


def test_p_is_the_level_at_which_the_interval_ends_at_zero() -> None:
    values = simulated(np.random.default_rng(5), 3, draw_sd=0.02, mean=0.15)
    p = float(Draws.of(values).mean(0.95).p[0])
    assert 0 < p < 1
    assert Draws.of(values).mean(1 - p).low[0] == pytest.approx(0, abs=1e-9)
    assert Draws.of(values - values).mean(0.95).p[0] == 1


def test_draws_that_are_apart_widen_the_interval() -> None:
    rng = np.random.default_rng(2)
    alike = Draws.of(simulated(rng, draw_sd=0.0)).mean(0.95)
    apart = Draws.of(simulated(rng, draw_sd=0.3)).mean(0.95)
    assert apart.error[0] > 2 * alike.error[0]
    assert apart.high[0] - apart.low[0] > 4 * (alike.high[0] - alike.low[0])


def test_a_ratio_is_covered() -> None:
    """Half of what is lost is recovered, in studies of five seeds."""
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(60):
        shared = rng.normal(0, 0.2, (1, 1, 60))
        lost = Draws.of(simulated(rng, 1, images=60, mean=0.4) + shared)
        gained = Draws.of(simulated(rng, 1, images=60, mean=0.2) + shared / 2)
        share, low, high = gained.share_of(lost, 0.95)
        held += low <= 0.5 <= high
        assert low <= share <= high
    assert held >= stats.binom.ppf(0.001, 60, 0.95)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3), st.integers(2, 4), st.integers(2, 12), st.integers(0, 2**32 - 1))
def test_properties(draws: int, seeds: int, images: int, random_seed: int) -> None:
    values = np.random.default_rng(random_seed).random((draws, seeds, images)) < 0.6
    own = Draws.of(values)
    nothing = (own - own).mean(0.95)
    assert nothing.mean[0] == 0 and nothing.low[0] <= 0 <= nothing.high[0]
    there, back = (own - Draws.of(~values)).mean(0.95), (Draws.of(~values) - own).mean(0.95)
    assert there.mean[0] == pytest.approx(-back.mean[0])
    assert there.low[0] == pytest.approx(-back.high[0])
    found = own.mean(0.95, (0.0, 1.0))
    assert found.mean[0] == pytest.approx(values.mean())
    assert 0 <= found.low[0] <= found.mean[0] <= found.high[0] <= 1
    # The order of draws, seeds and pictures says nothing.
    turned = Draws.of(values[::-1, ::-1, ::-1]).mean(0.95, (0.0, 1.0))
    assert turned.error[0] == pytest.approx(found.error[0])
    share, _, _ = own.share_of(own, 0.95)
    assert np.isnan(share) or share == pytest.approx(1)
    zero, _, _ = (own - own).share_of(own, 0.95)
    assert np.isnan(zero) or zero == 0


def test_no_pictures() -> None:
    found = Draws.of(np.zeros((2, 3, 0), bool))
    assert np.isnan(found.mean(0.95).mean[0])
    assert np.isnan(found.share_of(found, 0.95)).all()

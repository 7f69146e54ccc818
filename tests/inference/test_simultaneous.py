"""Simultaneous intervals against Sidak's and Dunnett's values, and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from daclass.inference.crossed import crossed, crossed_difference
from daclass.inference.own_best import picture_correlations
from daclass.inference.simultaneous import Family, max_p


@pytest.mark.parametrize("size", [1, 2, 5, 9])
def test_independent_contrasts_give_sidaks_level(size: int) -> None:
    family = Family.of(np.eye(size))
    assert family.alpha(0.05) == pytest.approx(1 - 0.95 ** (1 / size), rel=0.03)
    assert family.p([0.03])[0] == pytest.approx(1 - 0.97**size, rel=0.03)


@pytest.mark.parametrize("sides", [1, 2])
def test_one_reference_gives_dunnetts_p(sides: int) -> None:
    rng = np.random.default_rng(0)
    samples = [rng.normal(shift, 1, 4000) for shift in (0.05, 0.0, 0.02, 0.0)]
    kind = "two-sided" if sides == 2 else "greater"
    expected = stats.dunnett(*samples[:3], control=samples[3], alternative=kind, rng=1)
    alone = [stats.ttest_ind(one, samples[3], alternative=kind).pvalue for one in samples[:3]]
    found = Family.of(np.full((3, 3), 0.5) + 0.5 * np.eye(3), sides).p(alone)
    np.testing.assert_allclose(found, expected.pvalue, atol=0.012)


def test_contrasts_that_are_one_cost_nothing() -> None:
    family = Family.of(np.ones((4, 4)))
    assert family.alpha(0.05) == pytest.approx(0.05, rel=0.02)


def test_small_p_are_bonferronis_and_none_is_below_its_own() -> None:
    p = np.geomspace(1e-12, 1, 50)
    adjusted = Family.of(np.full((4, 4), 0.5) + 0.5 * np.eye(4)).p(p)
    assert (adjusted >= p * 0.999).all()
    assert adjusted[0] == pytest.approx(4e-12)
    assert np.isnan(Family.of(np.eye(2)).p([np.nan])[0])


def test_the_best_of_many_is_no_finding() -> None:
    """The contrast with the condition that looks best, picked on the same data, without effects:
    excluded 0 in far more than 5% of studies, and is held by the simultaneous interval."""
    rng = np.random.default_rng(1)
    conditions, seeds, images, studies = 6, 5, 100, 150
    group = np.zeros(images, int)
    alone = together = 0
    ratio = []
    for _ in range(studies):
        values = rng.normal(0, 1, (conditions, seeds, images)) + rng.normal(0, 1, images)
        values += rng.normal(0, 0.05, (conditions, seeds, 1))
        found = {
            k: crossed(values[k] - values[0], group, 1, confidence=0.95, span=(-9, 9))
            for k in range(1, conditions)
        }
        family = Family.of(picture_correlations(list(values.mean(axis=1)), 0, group, 1))
        picked = found[max(found, key=lambda k, v=found: v[k].mean[0])]
        wide = family.simultaneous(picked, 0.95, (-9, 9))
        alone += picked.p[0] < 0.05
        together += wide.p[0] < 0.05
        assert (wide.p[0] < 0.05) == (wide.low[0] > 0 or wide.high[0] < 0) or (
            abs(wide.p[0] - 0.05) < 0.003
        )
        ratio.append((wide.high[0] - wide.low[0]) / (picked.high[0] - picked.low[0]))
    assert alone / studies > 0.06
    assert together / studies < 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / studies)
    assert 1.15 < np.mean(ratio) < 1.6


@pytest.mark.parametrize("shared", [0.0, 0.5, 0.99])
def test_max_p_against_drawn_maxima(shared: float) -> None:
    rng = np.random.default_rng(2)
    classes = 20
    draws = np.sqrt(shared) * rng.standard_normal((40_000, 1)) + np.sqrt(
        1 - shared
    ) * rng.standard_normal((40_000, classes))
    largest = np.abs(draws).max(axis=1)
    p = np.full(classes, 1.0)
    for z in (1.5, 2.5, 3.2):
        p[0] = 2 * stats.norm.sf(z)
        found = max_p(p, np.full(classes, shared))[0]
        assert found == pytest.approx((largest >= z).mean(), rel=0.06)


def test_max_p_of_independent_classes_is_sidaks_also_far_out() -> None:
    p = np.array([1e-9, 0.001, 0.02, 0.7, np.nan])
    found = max_p(p, np.zeros(5))
    np.testing.assert_allclose(found[:3], 1 - (1 - p[:3]) ** 4, rtol=0.01)
    assert np.isnan(found[4])


def test_it_takes_classes_and_unpaired_runs() -> None:
    rng = np.random.default_rng(3)
    first, second = rng.random((3, 40)) < 0.7, rng.random((5, 40)) < 0.6
    found = crossed_difference(first, second, np.arange(40) % 2, 2, paired=False, confidence=0.9)
    wide = Family.of(np.eye(3)).simultaneous(found, 0.9)
    assert (wide.low < found.low).all() and (wide.high > found.high).all()
    assert (wide.p >= found.p).all()

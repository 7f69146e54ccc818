"""The interval against textbook analysis of variance, its properties, and its coverage."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from statsmodels.formula.api import ols

from daclass.analysis.crossed import crossed


def one(values: np.ndarray, confidence: float = 0.95, span=(-1.0, 1.0)):
    groups = np.zeros(values.shape[1], int)
    return crossed(values, groups, 1, confidence=confidence, span=span)


def mean_squares(values: np.ndarray) -> tuple[float, float, float]:
    """MS of seeds, pictures and rest, from statsmodels' two-way analysis of variance."""
    seed, image = np.indices(values.shape)
    table = pd.DataFrame({"y": values.ravel(), "seed": seed.ravel(), "image": image.ravel()})
    anova = sm.stats.anova_lm(ols("y ~ C(seed) + C(image)", table).fit())
    return tuple(anova["sum_sq"] / anova["df"])


@pytest.mark.parametrize(("seeds", "images"), [(2, 5), (3, 8), (5, 4), (4, 12)])
def test_interval_follows_from_anova_mean_squares(seeds: int, images: int) -> None:
    rng = np.random.default_rng(seeds)
    # Seed and picture effects so large that both components are positive and no floor applies.
    values = (
        rng.normal(size=(seeds, images))
        + 3 * rng.normal(size=(seeds, 1))
        + 5 * rng.normal(size=(1, images))
    )
    ms_seed, ms_image, ms_rest = mean_squares(values)
    assert min(ms_seed, ms_image) > ms_rest
    total = ms_seed + ms_image - ms_rest
    df = total**2 / (
        ms_seed**2 / (seeds - 1)
        + ms_image**2 / (images - 1)
        + ms_rest**2 / ((seeds - 1) * (images - 1))
    )
    error = np.sqrt(total / (seeds * images))
    found = one(values, 0.9, span=(-np.inf, np.inf))
    reach = stats.t.ppf(0.95, max(df, 1)) * error
    mean = values.mean()
    np.testing.assert_allclose([found.low[0], found.high[0]], [mean - reach, mean + reach])
    np.testing.assert_allclose(
        found.p[0], 2 * stats.t.sf(abs(values.mean()) / error, max(df, 1)), rtol=1e-9
    )


def test_seeds_interval_is_a_t_interval_over_seed_means() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(6, 30)) + rng.normal(size=(6, 1))
    found = one(values, span=(-np.inf, np.inf))
    low, high = stats.t.interval(0.95, 5, values.mean(), stats.sem(values.mean(axis=1)))
    np.testing.assert_allclose([found.seeds_low[0], found.seeds_high[0]], [low, high])


def test_seed_means_that_agree_by_chance_do_not_close_the_interval() -> None:
    found = one(np.array([[1, 0, 0, 0], [0, 1, 0, 0]]))
    assert found.seeds_low[0] < 0.25 < found.seeds_high[0]


@pytest.mark.parametrize("shape", [(1, 9), (4, 1), (1, 1)])
def test_one_seed_or_one_picture_gives_no_interval(shape: tuple[int, int]) -> None:
    found = one(np.ones(shape, np.int8))
    assert found.mean[0] == 1
    assert np.isnan([found.low[0], found.high[0], found.p[0]]).all()


def test_groups_without_pictures_are_nan() -> None:
    found = crossed(np.ones((3, 2)), [2, 2], 4, confidence=0.95)
    np.testing.assert_array_equal(found.images, [0, 0, 2, 0])
    assert np.isnan(found.mean[[0, 1, 3]]).all()
    assert np.isnan(found.low[[0, 1, 3]]).all()


@pytest.mark.parametrize("images", [25, 50, 1000])
def test_no_difference_at_all_leaves_room_for_about_two_pictures(images: int) -> None:
    found = one(np.zeros((3, images), np.int8))
    assert found.mean[0] == 0
    assert found.p[0] == 1
    assert 1.9 < found.high[0] * images < 2.2
    assert found.low[0] == -found.high[0]
    assert np.isnan(found.seeds_low[0])


def test_intervals_stay_within_the_span() -> None:
    found = one(np.ones((3, 20), bool), span=(0.0, 1.0))
    assert found.high[0] == 1
    assert 0.8 < found.low[0] < 1


cells = st.tuples(st.integers(2, 5), st.integers(2, 12)).flatmap(
    lambda shape: arrays(np.int8, shape, elements=st.integers(-1, 1))
)


@settings(max_examples=80, deadline=None)
@given(cells, st.randoms(use_true_random=False))
def test_properties(values: np.ndarray, random) -> None:
    found = one(values)
    assert found.low[0] <= found.mean[0] <= found.high[0]
    assert 0 <= found.p[0] <= 1
    assert (found.p[0] < 0.05) == (found.low[0] > 0 or found.high[0] < 0) or np.isclose(
        found.p[0], 0.05
    )
    wider = one(values, 0.99)
    assert wider.low[0] <= found.low[0] and found.high[0] <= wider.high[0]
    mirrored = one(-values)
    np.testing.assert_allclose([mirrored.low, mirrored.high], [-found.high, -found.low])
    seeds, images = (random.sample(range(n), n) for n in values.shape)
    shuffled = one(values[seeds][:, images])
    np.testing.assert_allclose(shuffled.low, found.low)
    np.testing.assert_allclose(shuffled.p, found.p)


@settings(max_examples=30, deadline=None)
@given(cells, st.integers(1, 4), st.integers(0, 2**16))
def test_many_groups_at_once_equal_each_on_its_own(values, n_groups, random_seed) -> None:
    groups = np.random.default_rng(random_seed).integers(0, n_groups, values.shape[1])
    found = crossed(values, groups, n_groups, confidence=0.95)
    for group in np.unique(groups):
        alone = one(values[:, groups == group])
        for part in ("mean", "low", "high", "seeds_low", "seeds_high", "p", "images"):
            np.testing.assert_allclose(
                getattr(found, part)[group], getattr(alone, part)[0], equal_nan=True
            )


def simulate(rng, groups: int, seeds: int, images: int, mean_shift: float, seed_sd: float):
    """Differences of correctness [seeds, groups * images]: pictures of lasting difficulty and
    lasting response to the change, seeds that shift a whole class in either condition."""
    level = rng.normal(1.5, 2, (1, groups, images))
    response = rng.normal(mean_shift, 1, (1, groups, images))

    def correct(logit: np.ndarray) -> np.ndarray:
        logit = logit + rng.normal(0, seed_sd, (seeds, groups, 1))
        return rng.random((seeds, groups, images)) < 1 / (1 + np.exp(-logit))

    difference = correct(level).astype(np.int8) - correct(level + response)
    return difference.reshape(seeds, -1), np.repeat(np.arange(groups), images)


@pytest.mark.parametrize("seed_sd", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(("seeds", "least"), [(2, 0.85), (3, 0.905), (5, 0.925), (10, 0.925)])
def test_coverage(seeds: int, least: float, seed_sd: float) -> None:
    rng = np.random.default_rng(seeds)
    groups, images = 1500, 40
    values, group = simulate(rng, groups, seeds, images, -1, seed_sd)
    found = crossed(values, group, groups, confidence=0.95)
    truth = simulate(rng, 20_000, 2, images, -1, seed_sd)[0].mean()
    covered = np.mean((found.low <= truth) & (truth <= found.high))
    assert least < covered < 0.995


def test_false_alarms_without_an_effect() -> None:
    rng = np.random.default_rng(1)
    flips = rng.random((2, 3, 1500, 40)) < rng.beta(1, 3, (1, 1, 1500, 40))
    values = (flips[0].astype(np.int8) - flips[1]).reshape(3, -1)
    found = crossed(values, np.repeat(np.arange(1500), 40), 1500, confidence=0.95)
    assert np.mean(found.p <= 0.05) < 0.06

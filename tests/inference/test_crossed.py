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

from daclass.inference.crossed import crossed, crossed_difference


def one(values: np.ndarray, confidence: float = 0.95, span=(-1.0, 1.0)):
    groups = np.zeros(values.shape[1], int)
    return crossed(values, groups, 1, confidence=confidence, span=span)


def mean_squares(values: np.ndarray) -> tuple[float, float, float]:
    """MS of seeds, pictures and rest, from statsmodels' two-way analysis of variance."""
    seed, image = np.indices(values.shape)
    table = pd.DataFrame({"y": values.ravel(), "seed": seed.ravel(), "image": image.ravel()})
    anova = sm.stats.anova_lm(ols("y ~ C(seed) + C(image)", table).fit())
    return tuple(anova["sum_sq"] / anova["df"])


@pytest.mark.parametrize(("seeds", "images"), [(5, 5), (6, 8), (5, 4), (7, 12)])
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
    assert least < covered and (covered < 0.995 or seeds == 2)  # two runs are on the safe side


def test_false_alarms_without_an_effect() -> None:
    rng = np.random.default_rng(1)
    flips = rng.random((2, 3, 1500, 40)) < rng.beta(1, 3, (1, 1, 1500, 40))
    values = (flips[0].astype(np.int8) - flips[1]).reshape(3, -1)
    found = crossed(values, np.repeat(np.arange(1500), 40), 1500, confidence=0.95)
    assert np.mean(found.p <= 0.05) < 0.06


# Two conditions whose runs are not pairs.


def unpaired(first: np.ndarray, second: np.ndarray, confidence: float = 0.95):
    groups = np.zeros(first.shape[1], int)
    return crossed_difference(first, second, groups, 1, paired=False, confidence=confidence)


@pytest.mark.parametrize(
    ("seeds", "others", "images", "second_seed_sd"),
    [(5, 5, 8, 0.1), (5, 7, 6, 0.1), (8, 5, 12, 0.1), (5, 5, 8, 0.0), (5, 6, 9, 0.0)],
)
def test_unpaired_interval_follows_from_both_arms_anova(
    seeds: int, others: int, images: int, second_seed_sd: float
) -> None:
    rng = np.random.default_rng(images)
    image = rng.normal(0, 0.3, images)  # shared by both conditions, hence gone in the difference
    response = rng.normal(0, 0.7, images)

    def arm(n: int, own: np.ndarray, seed_sd: float) -> np.ndarray:
        seed = seed_sd * stats.norm.ppf((rng.permutation(n) + 0.5) / n)
        rest = rng.normal(0, 0.05, (n, images))
        if not seed_sd:
            rest -= rest.mean(axis=1, keepdims=True)  # seeds that agree: MS_seed is 0
        return image + own + seed[:, None] + rest

    first, second = arm(seeds, response * 0, 0.1), arm(others, response, second_seed_sd)
    difference = first.mean(axis=0) - second.mean(axis=0)
    # (mean square over its divisor, its degrees of freedom, its sign in the variance)
    parts = [(np.var(difference, ddof=1) / images, images - 1, 1)]
    for values, seed_sd in ((first, 0.1), (second, second_seed_sd)):
        n = len(values)
        ms_seed, _, ms_rest = mean_squares(values)
        assert (ms_seed > ms_rest) == (seed_sd > 0)
        if seed_sd:  # else the component of its seeds is cut at 0
            parts.append((ms_seed / (n * images), n - 1, 1))
            parts.append((ms_rest / (n * images), (n - 1) * (images - 1), -1))
    variance = sum(sign * square for square, _, sign in parts)
    df = variance**2 / sum(square**2 / df for square, df, _ in parts)
    found = unpaired(first, second, 0.9)
    reach = stats.t.ppf(0.95, df) * np.sqrt(variance)
    mean = first.mean() - second.mean()
    np.testing.assert_allclose(found.mean[0], mean)
    np.testing.assert_allclose([found.low[0], found.high[0]], [mean - reach, mean + reach])
    p = 2 * stats.t.sf(abs(mean) / np.sqrt(variance), df)
    np.testing.assert_allclose(found.p[0], p, rtol=1e-9)
    assert found.seeds == min(seeds, others)


@pytest.mark.parametrize(("seeds", "others"), [(5, 5), (5, 7)])
def test_unpaired_seeds_interval_is_welchs(seeds: int, others: int) -> None:
    rng = np.random.default_rng(seeds)
    first = rng.normal(0, 0.1, (seeds, 30)) + rng.normal(0, 0.2, (seeds, 1))
    second = rng.normal(0, 0.1, (others, 30)) + rng.normal(0, 0.1, (others, 1))
    found = unpaired(first, second)
    welch = stats.ttest_ind(first.mean(axis=1), second.mean(axis=1), equal_var=False)
    interval = welch.confidence_interval(0.95)
    np.testing.assert_allclose([found.seeds_low[0], found.seeds_high[0]], interval)


@pytest.mark.parametrize(("seeds", "others"), [(1, 1), (1, 4), (4, 1)])
def test_one_run_in_either_arm_gives_no_interval(seeds: int, others: int) -> None:
    found = unpaired(np.ones((seeds, 9), bool), np.zeros((others, 9), bool))
    assert found.mean[0] == 1
    assert np.isnan([found.low[0], found.seeds_low[0], found.p[0]]).all()


arms = st.tuples(st.integers(2, 4), st.integers(2, 5), st.integers(2, 10)).flatmap(
    lambda shape: st.tuples(
        arrays(np.bool_, (shape[0], shape[2])), arrays(np.bool_, (shape[1], shape[2]))
    )
)


@settings(max_examples=80, deadline=None)
@given(arms, st.randoms(use_true_random=False))
def test_properties_of_unpaired_differences(both, random) -> None:
    first, second = both
    found = unpaired(first, second)
    assert found.mean[0] == pytest.approx(first.mean() - second.mean())
    assert found.low[0] <= found.mean[0] <= found.high[0]
    assert 0 <= found.p[0] <= 1
    mirrored = unpaired(second, first)
    np.testing.assert_allclose([mirrored.mean, mirrored.low], [-found.mean, -found.high])
    np.testing.assert_allclose(mirrored.seeds_high, -found.seeds_low)
    np.testing.assert_allclose(mirrored.p, found.p)
    # Runs are exchangeable within their arm, pictures only together.
    order = random.sample(range(first.shape[1]), first.shape[1])
    rows = random.sample(range(len(second)), len(second))
    shuffled = unpaired(first[::-1][:, order], second[rows][:, order])
    np.testing.assert_allclose(shuffled.low, found.low)


@settings(max_examples=30, deadline=None)
@given(arms, st.integers(1, 4), st.integers(0, 2**16))
def test_unpaired_groups_do_not_touch_each_other(both, n_groups, random_seed) -> None:
    first, second = both
    groups = np.random.default_rng(random_seed).integers(0, n_groups, first.shape[1])
    found = crossed_difference(first, second, groups, n_groups, paired=False, confidence=0.95)
    for group in np.unique(groups):
        own = groups == group
        alone = unpaired(first[:, own], second[:, own])
        for part in ("mean", "error", "low", "high", "seeds_low", "seeds_high", "p", "images"):
            np.testing.assert_allclose(
                getattr(found, part)[group], getattr(alone, part)[0], equal_nan=True
            )


def test_a_pair_is_a_table_of_differences() -> None:
    first, second = np.random.default_rng(0).random((2, 4, 20)) < 0.7
    groups = np.arange(20) % 3
    pair = crossed_difference(first, second, groups, 3, paired=True, confidence=0.9)
    table = crossed(first.astype(int) - second, groups, 3, confidence=0.9)
    np.testing.assert_array_equal([pair.low, pair.high, pair.p], [table.low, table.high, table.p])


def simulate_arms(rng, groups: int, seeds: tuple[int, int], images: int, seed_sd: float):
    """Correctness of two conditions with runs of their own, S and T x groups * images."""
    level = rng.normal(1.5, 2, (1, groups, images))
    response = rng.normal(-1, 1, (1, groups, images))

    def correct(logit: np.ndarray, n: int) -> np.ndarray:
        logit = logit + rng.normal(0, seed_sd, (n, groups, 1))
        return (rng.random((n, groups, images)) < 1 / (1 + np.exp(-logit))).reshape(n, -1)

    first, second = correct(level, seeds[0]), correct(level + response, seeds[1])
    return first, second, np.repeat(np.arange(groups), images)


@pytest.mark.parametrize("seed_sd", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(
    ("seeds", "least"), [((3, 3), 0.905), ((2, 8), 0.85), ((5, 5), 0.925), ((4, 10), 0.925)]
)
def test_coverage_of_unpaired_intervals(seeds, least: float, seed_sd: float) -> None:
    rng = np.random.default_rng(seeds)
    first, second, group = simulate_arms(rng, 1500, seeds, 40, seed_sd)
    found = crossed_difference(first, second, group, 1500, paired=False, confidence=0.95)
    many = simulate_arms(rng, 20_000, (2, 2), 40, seed_sd)
    truth = many[0].mean() - many[1].mean()
    covered = np.mean((found.low <= truth) & (truth <= found.high))
    assert least < covered < 0.995


def test_independent_runs_have_one_variance_whether_taken_for_pairs_or_not() -> None:
    first, second, group = simulate_arms(np.random.default_rng(4), 3000, (5, 5), 40, 1.0)
    found = [
        crossed_difference(first, second, group, 3000, paired=paired, confidence=0.95)
        for paired in (True, False)
    ]
    true = found[0].mean.std()
    for one_way in found:
        assert np.sqrt(np.mean(one_way.error**2)) == pytest.approx(true, rel=0.05)
    assert found[1].df.mean() > 1.2 * found[0].df.mean()


# Groups that learn from each other how much seeds matter.


def test_a_single_group_has_nothing_to_learn() -> None:
    values = np.random.default_rng(0).integers(-1, 2, (4, 30))
    alone = crossed(values, np.zeros(30, int), 1, confidence=0.95)
    moderated = crossed(values, np.zeros(30, int), 1, confidence=0.95, moderate=True)
    assert (moderated.low[0], moderated.p[0]) == pytest.approx((alone.low[0], alone.p[0]))


@pytest.mark.parametrize("seed_sd", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_coverage_of_moderated_intervals(seeds: int, seed_sd: float) -> None:
    """From two seeds on, where a class on its own would be too sure."""
    rng = np.random.default_rng(seeds)
    values, group = simulate(rng, 1500, seeds, 40, -1, seed_sd)
    found = crossed(values, group, 1500, confidence=0.95, moderate=True)
    truth = simulate(rng, 20_000, 2, 40, -1, seed_sd)[0].mean()
    covered = np.mean((found.low <= truth) & (truth <= found.high))
    assert 0.93 < covered < 0.99


@pytest.mark.parametrize("paired", [True, False])
def test_moderated_p_values_keep_their_level_far_out(paired: bool) -> None:
    """False discoveries live in the far tail, where some of many classes have seeds that agree."""
    rng = np.random.default_rng(2)
    groups, images, seeds = 20_000, 40, 3
    level = rng.normal(1.5, 2, (1, groups, images))

    def correct() -> np.ndarray:
        logit = level + rng.normal(0, 0.6, (seeds, groups, 1))
        return (rng.random((seeds, groups, images)) < 1 / (1 + np.exp(-logit))).reshape(seeds, -1)

    first, second, group = correct(), correct(), np.repeat(np.arange(groups), images)
    alone, moderated = (
        crossed_difference(
            first, second, group, groups, paired=paired, confidence=0.95, moderate=moderate
        ).p
        for moderate in (False, True)
    )
    assert np.mean(moderated <= 0.001) < 0.0016  # 2.7 standard errors above
    assert np.mean(moderated <= 0.05) < 0.06
    assert np.mean(alone <= 0.001) < 0.0016


def standard_errors(volatile: float, calm: float):
    """Of 400 groups with and without moderation; every second one is volatile (log-odds)."""
    rng = np.random.default_rng(3)
    scale = np.where(np.arange(400) % 2 == 1, volatile, calm)[:, None]
    logit = rng.normal(1, 1, (1, 400, 40)) + scale * rng.normal(0, 1, (10, 400, 1))
    values = (rng.random((*logit.shape[:2], 40)) < 1 / (1 + np.exp(-logit))).reshape(10, -1)
    group = np.repeat(np.arange(400), 40)
    return [
        crossed(values, group, 400, confidence=0.95, moderate=moderate).error
        for moderate in (False, True)
    ]


def test_moderation_pulls_groups_together_but_not_onto_each_other() -> None:
    own, found = standard_errors(volatile=0.7, calm=0.4)
    volatile = np.arange(400) % 2 == 1
    assert own[~volatile].mean() < found[~volatile].mean() < found[volatile].mean()
    assert found[volatile].mean() < own[volatile].mean()
    assert found[volatile].std() < 0.8 * own[volatile].std()


def test_groups_that_plainly_differ_in_how_much_seeds_matter_learn_nothing() -> None:
    own, found = standard_errors(volatile=1.5, calm=0.0)
    np.testing.assert_allclose(found, own)


def moderated(values: np.ndarray, groups: np.ndarray):
    return crossed(values, groups, int(groups.max()) + 1, confidence=0.95, moderate=True)


@pytest.mark.parametrize("kept", [0, 1, 5])
def test_a_class_that_collapses_in_one_run_is_unsure_and_no_other_one_is(kept: int) -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(100), 50)
    values = rng.integers(-1, 2, (3, len(groups))) * (rng.random((3, len(groups))) < 0.3)
    calm = moderated(values, groups)
    values[:, :50] = 0
    values[2, : 50 - kept] = 1
    odd = moderated(values, groups)
    assert odd.p[0] > 0.2
    ratio = odd.error[1:] / calm.error[1:]
    assert np.median(ratio) == pytest.approx(1, abs=0.05)
    assert ratio.max() < 1.5


@pytest.mark.parametrize("seeds", [3, 5])
def test_classes_of_different_sizes_learn_from_each_other(seeds: int) -> None:
    rng = np.random.default_rng(seeds)
    groups = np.repeat(np.arange(200), np.repeat([20, 1000], 100))
    found = []
    for _ in range(5):
        shift = rng.normal(0, 0.05, (seeds, 200))[:, groups]
        first, second = (rng.random((seeds, len(groups))) < 0.7 + side for side in (shift, 0))
        found.append(moderated(first.astype(np.int8) - second, groups).p)
    small, large = np.split(np.array(found), 2, axis=1)
    assert (small < 0.05).mean() < 0.08
    assert (large < 0.05).mean() < 0.08

"""What runs have in common is found, and told from what classes do alone."""

from __future__ import annotations

import numpy as np
import pytest

from daclass.inference.crossed import crossed
from daclass.inference.discoveries import q_values
from daclass.inference.moderation import learn


def means(rng, seeds, classes, images, rest, common=0.0, own=0.0):
    """Means of runs by classes, as the model of the module has them."""
    shock = common * rng.standard_normal((seeds, 1)) * rest
    alone = own * rng.standard_normal((seeds, classes)) * np.sqrt(rest)
    return shock + alone + rng.standard_normal((seeds, classes)) * np.sqrt(rest / images)


@pytest.mark.parametrize("common", [0.0, 0.3])
@pytest.mark.parametrize("own", [0.0, 0.1])
def test_both_parts_together_estimate_the_mean_square_without_bias(common, own) -> None:
    rng = np.random.default_rng(0)
    classes, seeds = 12, 4
    rest, images = np.linspace(0.05, 0.2, classes), np.linspace(20, 400, classes)
    found = [learn(means(rng, seeds, classes, images, rest, common, own), rest, images)
             for _ in range(400)]  # fmt: skip
    total = np.mean([one.shared + one.own for one in found], axis=0)
    true = images * (common**2 * rest**2 + own**2 * rest) + rest
    np.testing.assert_allclose(total, true, rtol=0.3)


def test_a_common_shock_is_known_from_the_runs_alone() -> None:
    rng = np.random.default_rng(1)
    rest, images = np.full(50, 0.1), np.full(50, 200.0)
    found = learn(means(rng, 6, 50, images, rest, common=3.0), rest, images)
    assert (found.shared > 10 * found.own).all()
    calm = learn(means(rng, 6, 50, images, rest), rest, images)
    assert (calm.shared < calm.own).all()
    assert calm.own_df[0] > 20


def test_classes_that_move_in_pairs_count_half() -> None:
    rng = np.random.default_rng(2)
    rest, images = np.full(40, 0.1), np.full(40, 1000.0)
    pair = np.repeat(rng.standard_normal((10, 20)), 2, axis=1) * np.tile([1, -1], 20)
    noise = rng.standard_normal((10, 40))
    competing, independent = (
        learn(shift * 0.2 + 0.01 * rng.standard_normal((10, 40)), rest, images).own_df[0]
        for shift in (pair, noise)
    )
    assert competing == pytest.approx(9 * 20, rel=0.35)
    assert independent > 1.4 * competing


@pytest.mark.parametrize("classes", [1, 3, 4])
def test_few_classes_learn_nothing(classes: int) -> None:
    rng = np.random.default_rng(3)
    rest, images = np.full(classes, 0.1), np.full(classes, 50.0)
    values = means(rng, 3, classes, images, rest)
    found = learn(values, rest, images)
    np.testing.assert_allclose(found.shared, 50 * values.var(axis=0, ddof=1))
    assert not found.own.any()


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_a_good_run_makes_no_findings(seeds: int) -> None:
    """Runs that are good or bad for all classes alike: the audit's first rows, where 17, 9 and 8%
    of studies reported a class."""
    rng = np.random.default_rng(seeds)
    classes, images, studies = 10, 100, 150
    group = np.repeat(np.arange(classes), images)
    ease = rng.normal(1.5, 2, len(group))
    reported, covered = 0, []
    for _ in range(studies):
        right = [
            rng.random((seeds, len(group)))
            < 1 / (1 + np.exp(-ease - 0.3 * rng.standard_normal((seeds, 1))))
            for _ in range(2)
        ]
        found = crossed(right[0].astype(np.int8) - right[1], group, classes, confidence=0.95,
                        moderate=True)  # fmt: skip
        reported += bool((q_values(found.p, "bh") <= 0.05).any())
        covered.append((found.low <= 0) & (found.high >= 0))
    assert reported / studies < 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / studies)
    assert np.mean(covered) > 0.93

"""The two-way bootstrap against the exact moments of multinomial weights."""

from __future__ import annotations

import numpy as np
import pytest

from daclass.inference.resampling import two_way_bootstrap

LABELS = np.array([0] * 6 + [2] * 4)  # class 1 is empty
REPLICATES = 40_000


def correct(seeds: int, random_seed: int) -> np.ndarray:
    return np.random.default_rng(random_seed).random((seeds, len(LABELS))) < 0.6


def second_moments(n: int) -> np.ndarray:
    """E[w w'] of the shares w that n things have in n draws: multinomial counts over n."""
    return (np.eye(n) - 1 / n) / n**2 + 1 / n**2


def expected_covariance(first: np.ndarray, second: np.ndarray, same_runs: bool, same_class: bool):
    """Covariance of the bootstrap means of two tables [S, N] and [T, M]: pigeonhole bootstrap."""
    runs = second_moments(len(first)) if same_runs else 1 / (len(first) * len(second))
    pictures = (
        second_moments(first.shape[1]) if same_class else 1 / (first.shape[1] * second.shape[1])
    )
    runs = np.broadcast_to(runs, (len(first), len(second)))
    pictures = np.broadcast_to(pictures, (first.shape[1], second.shape[1]))
    mean_of_product = np.einsum("st,si,ij,tj", runs, first, pictures, second, dtype=float)
    return mean_of_product - first.mean() * second.mean()


@pytest.mark.parametrize(
    ("paired", "seeds"), [(True, (3, 3)), (False, (3, 3)), (False, (2, 5)), (True, (4, 4))]
)
def test_moments_are_those_of_the_pigeonhole_bootstrap(paired: bool, seeds) -> None:
    """Means, variances and every covariance: between conditions, and between classes."""
    arms = [correct(n, rank) for rank, n in enumerate(seeds)]
    drawn = two_way_bootstrap(arms, LABELS, 3, paired=paired, replicates=REPLICATES, random_seed=5)[
        :, :, [0, 2]
    ].astype(float)
    tables = [[arm[:, k == LABELS] for k in (0, 2)] for arm in arms]
    for a in (0, 1):
        for k in (0, 1):
            assert drawn[:, a, k].mean() == pytest.approx(tables[a][k].mean(), abs=0.005)
            for b in (0, 1):
                for m in (0, 1):
                    found = np.cov(drawn[:, a, k], drawn[:, b, m])[0, 1]
                    expected = expected_covariance(
                        tables[a][k], tables[b][m], paired or a == b, k == m
                    )
                    # Four standard errors of a covariance of variances of about .03.
                    assert found == pytest.approx(expected, abs=0.03 * 4 / np.sqrt(REPLICATES))


def test_same_seed_same_draws() -> None:
    arms = [correct(3, 0), correct(3, 1)]
    one, again, other = (
        two_way_bootstrap(arms, LABELS, 3, paired=True, replicates=20, random_seed=seed)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other, equal_nan=True)


def test_equal_conditions_whose_runs_are_pairs_stay_equal() -> None:
    arms = [correct(4, 0)] * 2
    paired, unpaired = (
        two_way_bootstrap(arms, LABELS, 3, paired=paired, replicates=50, random_seed=0)
        for paired in (True, False)
    )
    np.testing.assert_array_equal(paired[:, 0], paired[:, 1])
    assert not np.array_equal(unpaired[:, 0], unpaired[:, 1], equal_nan=True)


def test_classes_without_pictures_are_nan() -> None:
    drawn = two_way_bootstrap(
        [correct(2, 0)] * 2, LABELS, 4, paired=True, replicates=10, random_seed=0
    )
    assert drawn.shape == (10, 2, 4) and drawn.dtype == np.float32
    assert np.isnan(drawn[:, :, [1, 3]]).all()
    assert ((drawn[:, :, [0, 2]] >= 0) & (drawn[:, :, [0, 2]] <= 1 + 1e-6)).all()

"""The exact test against statsmodels, and the interval's coverage."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar as reference

from daclass.inference.mcnemar import mcnemar


def test_p_is_statsmodels_in_every_group() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.random((2, 600)) < np.array([[0.8], [0.6]])
    groups = rng.integers(0, 7, 600)
    found = mcnemar(first, second, groups, 8, confidence=0.95)
    for group in range(7):
        a, b = first[groups == group], second[groups == group]
        table = [[(a & b).sum(), (a & ~b).sum()], [(~a & b).sum(), (~a & ~b).sum()]]
        assert found.p[group] == pytest.approx(reference(table, exact=True).pvalue)
        assert found.mean[group] == pytest.approx(a.mean() - b.mean())
    assert np.isnan([found.mean[7], found.low[7], found.p[7]]).all()


def test_networks_that_never_differ() -> None:
    right = np.arange(40) % 3 > 0
    found = mcnemar(right, right, np.zeros(40, int), 1, confidence=0.95)
    assert found.p[0] == 1 and found.mean[0] == 0
    assert -0.12 < found.low[0] < 0 < found.high[0] < 0.12


@pytest.mark.parametrize("images", [10, 50])
@pytest.mark.parametrize("drop", [0.0, 0.1, 0.3])
def test_the_interval_holds_the_difference_on_new_pictures(images: int, drop: float) -> None:
    rng = np.random.default_rng(images)
    groups = np.repeat(np.arange(3000), images)
    ease = rng.uniform(0.4, 0.95, len(groups))
    first, second = rng.random(len(groups)) < ease, rng.random(len(groups)) < ease - drop
    found = mcnemar(first, second, groups, 3000, confidence=0.95)
    assert 0.935 < np.mean((found.low <= drop) & (drop <= found.high)) < 0.99

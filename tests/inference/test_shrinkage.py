"""Shrunken estimates against statsmodels' random-effects meta-analysis."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from statsmodels.stats.meta_analysis import combine_effects

from daclass.inference.shrinkage import shrink


@pytest.mark.parametrize("random_seed", range(5))
def test_posterior_means_with_paule_and_mandels_variance(random_seed: int) -> None:
    rng = np.random.default_rng(random_seed)
    error = rng.uniform(0.01, 0.08, 60)
    raw = 0.05 + rng.normal(0, 0.06, 60) + error * rng.normal(size=60)
    fit = combine_effects(raw, error**2, method_re="iterated", atol=1e-12, maxiter=500)
    assert fit.tau2 > 0
    mean = fit.mean_effect_re
    expected = mean + fit.tau2 / (fit.tau2 + error**2) * (raw - mean)
    np.testing.assert_allclose(shrink(raw, error), expected, atol=1e-7)


def test_classes_that_differ_by_no_more_than_noise_get_one_estimate() -> None:
    error = np.array([0.1, 0.2, 0.1])
    found = shrink([0.01, 0.02, 0.03], error)
    expected = np.average([0.01, 0.02, 0.03], weights=1 / error**2)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    # What is left is the order of the evidence: the second class says less than the third.
    assert list(np.argsort(found)) == [0, 1, 2]


def test_the_class_that_looks_worst_is_not_worse_on_average() -> None:
    """Choosing the largest of many biases the raw estimate and not the shrunken one."""
    rng = np.random.default_rng(0)
    raw_bias, bias = [], []
    for _ in range(400):
        true = rng.normal(0.02, 0.05, 100)
        raw = true + 0.05 * rng.normal(size=100)
        shrunken = shrink(raw, np.full(100, 0.05))
        raw_bias.append(raw.max() - true[raw.argmax()])
        bias.append(shrunken.max() - true[shrunken.argmax()])
    assert np.mean(raw_bias) > 0.05
    assert abs(np.mean(bias)) < 3 * np.std(bias) / np.sqrt(len(bias)) + 0.002


number = st.floats(-1, 1, allow_subnormal=False)
estimates = st.lists(
    st.tuples(st.one_of(number, st.just(float("nan"))), st.floats(1e-3, 1)), min_size=1, max_size=30
)


@settings(max_examples=150, deadline=None)
@given(estimates, st.floats(-0.5, 0.5))
def test_properties(pairs, shift: float) -> None:
    raw, error = (np.array(part) for part in zip(*pairs, strict=True))
    found = shrink(raw, error)
    known = ~np.isnan(raw)
    np.testing.assert_array_equal(np.isnan(found), ~known)
    assume(known.any())
    # Between the raw estimate and one common mean.
    centres = found[known] - raw[known]
    lowest, highest = raw[known].min(), raw[known].max()
    assert ((found[known] >= lowest - 1e-9) & (found[known] <= highest + 1e-9)).all()
    pulled_up, pulled_down = raw[known][centres > 1e-9], raw[known][centres < -1e-9]
    if len(pulled_up) and len(pulled_down):
        assert pulled_up.max() <= pulled_down.min() + 1e-9
    # The scale has no origin.
    np.testing.assert_allclose(shrink(raw + shift, error), found + shift, atol=1e-5)


def test_an_estimate_without_an_error_is_unknown() -> None:
    found = shrink([0.1, 0.2, np.nan, 0.4], [0.1, np.nan, 0.1, 0.1])
    np.testing.assert_array_equal(np.isnan(found), [False, True, True, False])
    assert np.isnan(shrink([np.nan], [np.nan])).all()
    assert shrink([0.3], [0.1])[0] == pytest.approx(0.3)

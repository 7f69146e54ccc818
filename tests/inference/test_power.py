"""What a study would find, held against studies that are simulated."""

from __future__ import annotations

import numpy as np
import pytest

from daclass.inference.crossed import crossed
from daclass.inference.power import POWER, detectable, with_runs

CLASSES, PICTURES = 40, 60
GROUPS = np.repeat(np.arange(CLASSES), PICTURES)


def differences(rng, seeds, drop=0.0, seed_sd=0.05, flip=0.3):
    """A study's paired differences: a shift per class and seed, lasting pictures, flips."""
    shift = rng.normal(0, seed_sd, (seeds, CLASSES))[:, GROUPS]
    lasting = rng.choice([-1, 0, 1], len(GROUPS), p=[0.06, 0.88, 0.06])
    flips = rng.choice([-1, 0, 1], (seeds, len(GROUPS)), p=[flip / 2, 1 - flip, flip / 2])
    return drop + shift + lasting + flips


def test_the_same_number_of_runs_changes_nothing():
    rng = np.random.default_rng(0)
    spread = crossed(differences(rng, 4), GROUPS, CLASSES, confidence=0.95, moderate=True).spread
    same = with_runs(spread, 4)
    np.testing.assert_allclose(same.variance, spread.variance, rtol=1e-9)
    np.testing.assert_allclose(same.reach(0.05), spread.reach(0.05), rtol=1e-9)


@pytest.mark.parametrize("seeds", [4, 10])
def test_three_runs_foretell_the_variance_of_more(seeds):
    """Mean variance over many studies of three runs, scaled, against that of larger studies."""
    rng = np.random.default_rng(1)

    def variance(runs, wanted):
        found = crossed(differences(rng, runs), GROUPS, CLASSES, confidence=0.95, moderate=True)
        return with_runs(found.spread, wanted).variance.mean()

    foretold = np.mean([variance(3, seeds) for _ in range(30)])
    there = np.mean([variance(seeds, seeds) for _ in range(30)])
    assert foretold == pytest.approx(there, rel=0.1)


def test_pictures_bound_what_runs_can_do():
    rng = np.random.default_rng(2)
    spread = crossed(differences(rng, 3), GROUPS, CLASSES, confidence=0.95, moderate=True).spread
    drops = np.array([detectable(with_runs(spread, n), 0.01) for n in (2, 3, 5, 10, 1000)])
    assert (np.diff(np.nanmedian(drops, axis=1)) < 0).all()
    assert np.nanmedian(drops[-1]) > 0.05  # what the pictures leave open stays


def test_a_detectable_drop_is_found_as_often_as_it_says():
    rng = np.random.default_rng(3)
    spread = crossed(differences(rng, 5), GROUPS, CLASSES, confidence=0.95, moderate=True).spread
    drop = float(np.median(detectable(spread, 0.05)))
    found = [
        crossed(differences(rng, 5, drop), GROUPS, CLASSES, confidence=0.95, moderate=True).p
        for _ in range(20)
    ]
    assert np.mean(np.array(found) < 0.05) == pytest.approx(POWER, abs=0.08)

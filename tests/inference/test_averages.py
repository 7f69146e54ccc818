"""Averages over classes: closed forms, the crossed model, and coverage."""

from __future__ import annotations

import numpy as np
import pytest

from daclass.inference.averages import average, average_difference
from daclass.inference.crossed import crossed


def test_means_are_those_of_classes_and_of_pictures() -> None:
    values = np.array([[1, 1, 0, 0, 0, 1], [1, 0, 0, 0, 1, 1]])
    labels = np.array([3, 3, 7, 7, 7, 7])
    assert average(values, labels, "macro", confidence=0.9).mean[0] == pytest.approx(0.5625)
    assert average(values, labels, "micro", confidence=0.9).mean[0] == pytest.approx(0.5)


def test_classes_of_one_size_give_one_average() -> None:
    values = np.random.default_rng(0).random((4, 60)) < 0.6
    macro, micro = (average(values, np.arange(60) % 3, kind, confidence=0.9)
                    for kind in ("macro", "micro"))  # fmt: skip
    np.testing.assert_allclose([macro.low, macro.high], [micro.low, micro.high])


def test_one_class_is_what_crossed_says() -> None:
    values = np.random.default_rng(1).random((6, 80)) < 0.6
    alone = crossed(values, np.zeros(80, int), 1, confidence=0.9, span=(0, 1))
    found = average(values, np.full(80, 5), "macro", confidence=0.9, span=(0, 1))
    for name in ("mean", "error", "df", "low", "high", "seeds_low", "seeds_high", "p"):
        np.testing.assert_allclose(getattr(found, name), getattr(alone, name))


def test_what_classes_differ_by_is_no_uncertainty() -> None:
    rng = np.random.default_rng(2)
    labels = np.repeat([0, 1], 400)
    values = rng.random((5, 800)) < np.where(labels == 0, 0.95, 0.05)
    stratified = average(values, labels, "macro", confidence=0.95)
    pooled = crossed(values, np.zeros(800, int), 1, confidence=0.95)
    assert stratified.error[0] < 0.6 * pooled.error[0]


@pytest.mark.parametrize("kind", ["macro", "micro"])
@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_bounds_hold_the_true_difference(kind: str, paired: bool, seeds: int) -> None:
    rng = np.random.default_rng(seeds)
    labels = np.repeat(np.arange(8), [5, 10, 20, 40, 40, 80, 80, 160])
    drop = np.linspace(-0.05, 0.1, 8)
    weight = np.bincount(labels) / len(labels) if kind == "micro" else np.full(8, 1 / 8)
    studies, above, below, inside = 120, 0, 0, 0
    for _ in range(studies):
        response = rng.uniform(-0.2, 0.2, len(labels))
        right = [
            rng.random((seeds, len(labels)))
            < 0.6 + side * (response - drop[labels]) + rng.normal(0, 0.02, (seeds, 1))
            for side in (1, 0)
        ]
        found = average_difference(right[0], right[1], labels, kind, paired=paired,
                                   confidence=0.95)  # fmt: skip
        truth = -(drop @ weight)
        above += found.at_least(0.95)[0] > truth
        below += found.at_most(0.95)[0] < truth
        inside += found.low[0] <= truth <= found.high[0]
    limit = 0.05 + 3 * np.sqrt(0.05 * 0.95 / studies)
    assert max(above, below) / studies < limit
    assert inside / studies > 0.93 - 3 * np.sqrt(0.05 * 0.95 / studies)


def test_a_class_of_one_picture_is_taken_for_like_the_others() -> None:
    rng = np.random.default_rng(4)
    labels = np.repeat([0, 1, 2], [1, 50, 50])
    found = average(rng.random((3, 101)) < 0.5, labels, "macro", confidence=0.95, span=(0, 1))
    assert 0 <= found.low[0] < found.mean[0] < found.high[0] <= 1


def test_nothing_is_nan_and_one_run_has_no_interval() -> None:
    none = average(np.zeros((3, 0)), np.zeros(0, int), "macro", confidence=0.95)
    assert np.isnan([none.mean[0], none.low[0]]).all()
    one = average(np.ones((1, 10)), np.zeros(10, int), "macro", confidence=0.95)
    assert one.mean[0] == 1
    assert np.isnan(one.low[0])

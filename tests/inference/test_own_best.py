"""The bound on the drop from a class's own best condition holds, and says something."""

from __future__ import annotations

import numpy as np
import pytest

from daclass.inference.crossed import crossed_difference
from daclass.inference.discoveries import q_values
from daclass.inference.own_best import OwnBest, picture_correlations


def study(rng, runs: tuple[int, ...], drops: np.ndarray, images: int = 150):
    """Correctness of conditions, [S_k, C * images]; condition k is `drops[k]` below the others."""
    classes = drops.shape[1]
    group = np.repeat(np.arange(classes), images)
    ease = rng.uniform(-0.2, 0.2, len(group))
    return [
        rng.random((n, len(group)))
        < 0.7 + ease - drop[group] + rng.normal(0, 0.02, (n, classes))[:, group]
        for n, drop in zip(runs, drops, strict=True)
    ], group


def bounds(correct, group, classes: int):
    contrasts = [
        crossed_difference(
            one, correct[0], group, classes, paired=False, confidence=0.95, moderate=True
        )
        for one in correct[1:]
    ]
    alike = picture_correlations([one.mean(axis=0) for one in correct], 0, group, classes)
    found = OwnBest.of(contrasts, alike)
    return found.at_least(0.95), found.p()


@pytest.mark.parametrize("runs", [(3, 3, 3, 3), (5, 2, 3, 8)])
@pytest.mark.parametrize("drop", [0.0, 0.05, 0.2])
def test_the_bound_holds_the_true_drop_and_grows_with_it(runs, drop: float) -> None:
    rng = np.random.default_rng(round(100 * drop))
    classes, studies = 12, 25
    # Two conditions are equally good, one a little worse, and the tested one pays.
    drops = np.array([drop, 0.0, 0.0, 0.02])[:, None] * np.ones(classes)
    found = [bounds(*study(rng, runs, drops), classes)[0] for _ in range(studies)]
    held = np.mean(np.array(found) <= drop)
    assert held > 0.95 - 3 * np.sqrt(0.05 * 0.95 / (studies * classes))
    assert np.mean(found) >= {0.0: 0.0, 0.05: 0.002, 0.2: 0.08}[drop]


def test_classes_are_named_by_it_no_more_often_than_promised() -> None:
    rng = np.random.default_rng(7)
    classes, studies, named = 30, 40, 0
    for _ in range(studies):
        _, p = bounds(*study(rng, (3, 3, 3, 3, 3), np.zeros((5, classes)), 60), classes)
        named += bool((q_values(p, "bh") <= 0.05).any())
    assert named / studies < 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / studies)


def test_unknown_conditions_are_left_out() -> None:
    rng = np.random.default_rng(8)
    correct, group = study(rng, (3, 1, 3), np.zeros((3, 4)))
    found, p = bounds(correct, group, 4)
    assert not np.isnan(found).any() and not np.isnan(p).any()
    nothing, p = bounds([correct[0][:1], correct[1]], group, 4)
    assert np.isnan(nothing).all() and np.isnan(p).all()


def test_correlations_of_independent_conditions_are_a_half() -> None:
    rng = np.random.default_rng(9)
    found = picture_correlations(rng.random((3, 20_000)), 1, np.arange(20_000) % 5, 5)
    assert found[0, 1] == pytest.approx(0.5, abs=0.02)

"""What a few trainings say of a study."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daclass.analysis.conditions import Conditions
from daclass.analysis.scouting import coarse, detectable_by_seeds, finer, kept, seeds_needed

GRID = [0.08, 0.2, 0.35, 0.5, 0.65, 0.75, 0.9, 0.99]


@pytest.mark.parametrize(
    ("grid", "tried"),
    [
        (GRID[:2], GRID[:2]),
        (GRID[:3], GRID[:3]),
        (GRID[:5], [0.08, 0.35, 0.65]),
        (GRID[:6], [0.08, 0.35, 0.65, 0.75]),
        (GRID, [0.08, 0.35, 0.65, 0.9, 0.99]),
    ],
)
def test_every_other_strength_with_both_ends(grid, tried):
    assert coarse(grid) == tried


def test_the_second_look_is_around_the_best():
    tried = [0.08, 0.35, 0.5, 0.75, 0.99]
    assert finer(GRID, tried, 0.35) == [0.2]
    assert finer(GRID, tried, 0.75) == [0.65, 0.9]
    assert finer(GRID, tried, 0.08) == [0.2]
    assert finer(GRID, GRID, 0.5) == []


@given(st.integers(2, 12), st.data())
def test_a_single_peak_is_found_within_one_step(size, data):
    """On any grid whose accuracies rise to one strength and fall behind it."""
    grid = [float(k) for k in range(size)]
    peak = data.draw(st.integers(0, size - 1))
    left, right = (np.cumsum(data.draw(st.lists(st.integers(1, 9), min_size=size, max_size=size)))
                   for _ in range(2))  # fmt: skip
    accuracy = {s: -(left[peak - k] if k < peak else right[k - peak] if k > peak else 0)
                for k, s in enumerate(grid)}  # fmt: skip

    def best(tried):
        return max(tried, key=accuracy.get)

    tried = coarse(grid)
    tried = sorted([*tried, *finer(grid, tried, best(tried))])
    assert abs(best(tried) - peak) <= 1 and len(tried) <= max(3, size // 2 + 3)


def test_what_the_study_trains():
    tried = [0.08, 0.35, 0.5, 0.65, 0.99]
    assert kept(tried, 0.35, 0.99) == [0.08, 0.35, 0.5, 0.99]
    assert kept(tried, 0.65, 0.99) == [0.5, 0.65, 0.99]
    assert kept(tried, 0.08, 0.99) == [0.08, 0.35, 0.99]


def test_more_seeds_find_smaller_drops_and_pictures_bound_them(simulator):
    cells = simulator(n_classes=12, per_class=120, wobble=0.3, seeds=(1, 2, 3)).cells()
    names = [f"uniform-{s:g}" for s in (0.08, 0.99)]
    compared = Conditions.of(names, names[1], cells.table)
    drops = detectable_by_seeds(cells, compared, [3, 5, 10, 50], q=0.05)
    assert (np.diff(drops) < 0).all() and drops[-1] > 0.02
    needed = seeds_needed(cells, compared, float(drops[1]) + 1e-9, q=0.05)
    assert needed == 5
    assert seeds_needed(cells, compared, 0.001, q=0.05) is None
    assert seeds_needed(cells, compared, 0.99, q=0.05) == 3

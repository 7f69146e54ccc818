"""A choice never sees the cells that it serves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daclass.analysis.cells import Images
from daclass.analysis.folds import best_levels, cross_fitted, fold_of, seed_groups


def made_up(seeds: int, levels: int, images: int, random_seed: int):
    rng = np.random.default_rng(random_seed)
    labels = np.sort(rng.integers(0, 4, images))
    pictures = Images(
        pd.Index([f"{rank}" for rank in range(images)]), labels, rng.random(images) < 0.5, 5
    )
    return pictures, [rng.random((seeds, images)) < 0.5 for _ in range(levels)], rng


shapes = given(st.integers(2, 5), st.integers(2, 4), st.integers(1, 20), st.integers(0, 2**20))


@settings(max_examples=60, deadline=None)
@shapes
def test_the_best_condition_of_each_fold(seeds, levels, images, random_seed) -> None:
    pictures, correct, rng = made_up(seeds, levels, images, random_seed)
    counted = rng.random(images) < 0.8
    found = best_levels(correct, pictures, counted)
    for h, half in enumerate((pictures.select, ~pictures.select)):
        for g in (0, 1):
            for k in range(5):
                own = half & counted & (pictures.labels == k)
                hits = [rows[g::2][:, own].sum() for rows in correct]
                assert found[h, g, k] == (np.argmax(hits) if own.any() else -1)  # first of ties


@settings(max_examples=60, deadline=None)
@shapes
def test_no_cell_has_a_say_in_the_condition_it_is_compared_at(seeds, levels, images, random_seed):
    """Whatever happens in one half, or in one group of seeds, leaves its own levels alone."""
    pictures, correct, rng = made_up(seeds, levels, images, random_seed)
    everything = np.ones(images, bool)
    group = np.arange(seeds) % 2

    def levels_of(tables) -> np.ndarray:
        return cross_fitted(tables, pictures, best_levels(tables, pictures, everything), "all")[0]

    before = levels_of(correct)
    for own_half in (pictures.select, ~pictures.select):
        noise = [rng.random(rows.shape) < 0.5 for rows in correct]
        changed = [
            np.where(own_half, other, rows) for rows, other in zip(correct, noise, strict=True)
        ]
        np.testing.assert_array_equal(levels_of(changed)[:, own_half], before[:, own_half])
    for g in (0, 1):
        own_group = (group == g)[:, None]
        changed = [np.where(own_group, ~rows, rows) for rows in correct]
        np.testing.assert_array_equal(levels_of(changed)[group == g], before[group == g])


@settings(max_examples=40, deadline=None)
@shapes
def test_each_cell_is_read_at_its_level(seeds, levels, images, random_seed) -> None:
    pictures, correct, _ = made_up(seeds, levels, images, random_seed)
    chosen = best_levels(correct, pictures, np.ones(images, bool))
    for half in ("select", "estimate", "all"):
        level, right = cross_fitted(correct, pictures, chosen, half)
        for s in range(seeds):
            for i in range(images):
                # 0 is the selection half; it also serves itself, where classes are chosen.
                source = 0 if half == "select" or not pictures.select[i] else 1
                assert level[s, i] == chosen[source, 1 - s % 2, pictures.labels[i]]
                assert right[s, i] == (level[s, i] >= 0 and correct[level[s, i]][s, i])


@pytest.mark.parametrize(
    ("seeds", "groups"),
    [((1, 1), None), ((2, 3), None), ((2, 2), [0, 1]), ((5, 5, 5), [0, 1, 0, 1, 0])],
)
def test_groups_need_two_replicates_of_each_condition(seeds, groups) -> None:
    found = seed_groups([np.ones((n, 2), bool) for n in seeds])
    assert found is None if groups is None else list(found) == groups


def test_folds_come_from_the_other_half_and_the_other_group() -> None:
    pictures, _, _ = made_up(2, 2, 10, 0)
    half, group = fold_of(pictures, np.array([0, 1]), "all")
    np.testing.assert_array_equal(half == 0, ~pictures.select)  # 0 is the selection half
    np.testing.assert_array_equal(group, [1, 0])

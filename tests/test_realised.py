"""The realised crop area of a study's pictures."""

from __future__ import annotations

import numpy as np
import pytest

from daclass.realised import PICTURES_AT_MOST, realised_areas, sample
from daclass.tables import SCHEMAS


def test_areas_against_the_mean_that_is_asked_for():
    table = realised_areas([(32, 32)] * 3 + [(300, 500)], [0.99, 0.08])
    assert set(table.columns) == set(SCHEMAS["realised_area"])
    rows = table.set_index(["strength", "height"])
    # At .08 nearly every draw fits: the mean of a uniform share. At .99 hardly any does, and the
    # largest box with a permitted ratio is taken: 400 of the 500 columns, 80% of the area.
    assert rows.loc[(0.08, 32), "mean_area"] == pytest.approx(0.54, abs=0.05)
    assert rows.loc[(0.99, 300), "mean_area"] == pytest.approx(0.8, abs=0.01)
    assert rows.loc[(0.99, 300), "fallback_share"] > 0.95
    assert rows.loc[(0.08, 32), "fallback_share"] < 0.05
    assert list(table["images"]) == [3, 1, 3, 1]


def test_the_sample_is_capped_and_does_not_depend_on_order():
    names = [f"train/{i}.png" for i in range(500)]
    chosen = sample(names)
    assert len(chosen) == PICTURES_AT_MOST
    assert sample(np.random.default_rng(0).permutation(names).tolist()) == chosen

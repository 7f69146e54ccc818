"""The confusions of each class that grow most."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from daclass.analysis.top_confusions import top_confusions
from daclass.tables import SCHEMAS

CLASSES = pd.DataFrame(
    {
        "class_id": range(4),
        "name": ["cat", "dog", "car", "van"],
        "path": ["animal/cat", "animal/dog", "thing/car", "thing/van"],
    }
)
OVERLAPS = pd.DataFrame(
    {
        "class_id": [0, 1],
        "other_id": [1, 0],
        "overlap": [0.3, 0.05],
        "overlap_reverse": [0.05, 0.3],
        "jaccard": 0.1,
        "both": 3,
    }
)


def confusions(growth: dict[tuple[int, int], float]) -> pd.DataFrame:
    rows = [
        {"class_id": a, "predicted_id": b, "half": half, "growth": value,
         "rate_tested": value + 0.1, "rate_reference": 0.1, "low": value - 0.1,
         "high": value + 0.1, "p": 0.5, "q": 0.5,
         "seeds": 3, "images": 50}
        for (a, b), value in growth.items()
        for half in ("select", "estimate", "all")
    ]  # fmt: skip
    return pd.DataFrame(rows)


def found(growth, **settings):
    return top_confusions(
        confusions(growth), OVERLAPS, CLASSES, overlap=0.1, similar=0.6, **settings
    )


def test_growing_pairs_come_by_growth_once_each():
    table = found({(0, 3): 0.1, (0, 1): 0.2, (0, 2): -0.1, (2, 3): 0.05})
    assert list(zip(table["class_id"], table["predicted_id"], strict=True)) == [
        (0, 1), (0, 3), (2, 3),
    ]  # fmt: skip
    assert set(table.columns) == set(SCHEMAS["top_confusions"])


def test_kinds_follow_overlap_and_similarity():
    table = found({(0, 1): 0.2, (0, 3): 0.1, (2, 3): 0.05}).set_index(["class_id", "predicted_id"])
    assert table["category"].to_dict() == {
        (0, 1): "ambiguous", (0, 3): "unrelated", (2, 3): "fine-grained",
    }  # fmt: skip
    assert table.loc[(0, 1), "similarity"] == pytest.approx(2 * 2 / (3 + 3))
    assert table.loc[(0, 3), "overlap"] == 0


def test_the_list_is_capped():
    growth = {(0, other): 0.1 * other for other in (1, 2, 3)}
    assert list(found(growth, shown=2)["predicted_id"]) == [3, 2]


def test_nothing_grows():
    table = found({(0, 1): -0.2, (1, 0): 0.0})
    assert table.empty and set(table.columns) == set(SCHEMAS["top_confusions"])
    assert not np.isnan(table["growth"]).any()

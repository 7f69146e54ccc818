from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from daclass.analysis.best import best_condition, best_level
from daclass.analysis.designers import DESIGNERS
from tests.analysis.test_designers import evidence


@pytest.mark.parametrize(
    ("averages", "level"),
    [
        ([0.5, 0.7, 0.6], 1),
        ([0.7, 0.7, 0.6], 1),  # the weaker of two that tie
        ([0.7, 0.6, 0.7], 2),
        ([0.1 + 0.2, 0.3], 1),  # equal but for the last bit
        ([np.nan, 0.1, 0.0], 1),
    ],
)
def test_the_best_and_of_ties_the_weakest(averages, level):
    assert best_level(averages) == level


def test_nothing_to_choose_from():
    with pytest.raises(ValueError, match="no average"):
        best_level([np.nan, np.nan])


def test_designers_and_tables_break_a_tie_alike():
    """Of three strengths two do equally well; the tables know them by name, designers by rank."""
    table = evidence().counts.assign(correct=lambda t: np.where(t["strength"] == 0.99, 5, 7))
    found = evidence(counts=table)
    assert DESIGNERS["uniform_best"](found).policy.strength == 0.3
    rows = [
        {"policy": f"u{s}", "half": half, "truth": truth, "k": 1, "accuracy": share}
        for s, own in zip(found.ordered, found.average(), strict=True)
        for half, truth, share in (
            ("select", "original", own), ("estimate", "original", s), ("select", "multi", s)
        )
    ]  # fmt: skip
    accuracy = pd.DataFrame(rows).sample(frac=1, random_state=0)
    assert best_condition(accuracy, [f"u{s}" for s in found.ordered]) == "u0.3"

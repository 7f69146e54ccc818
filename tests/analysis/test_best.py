from __future__ import annotations

import numpy as np
import pytest

from daclass.analysis.best import best_level
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


def test_designers_break_a_tie_likewise():
    table = evidence().counts.assign(correct=lambda t: np.where(t["strength"] == 0.99, 5, 7))
    found = evidence(counts=table)
    assert DESIGNERS["uniform_best"](found).policy.strength == 0.3

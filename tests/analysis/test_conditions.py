"""Which runs replicate which condition, and whether they are pairs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from daclass.analysis.conditions import Conditions, replicates
from daclass.errors import InputError

TABLE = pd.DataFrame({"policy": ["a", "a", "b", "b"], "seed": [5, 2, 2, 5]})


def test_paired_runs_come_in_the_order_of_their_seeds() -> None:
    conditions = Conditions(("b", "a"), "a")
    np.testing.assert_array_equal(conditions.replicates(TABLE), [[2, 3], [1, 0]])


def test_incomplete_tables_are_refused() -> None:
    with pytest.raises(InputError, match=r"no run of c; there are a, b"):
        replicates(TABLE, ["a", "c"], paired=True)
    with pytest.raises(InputError, match=r"b has no run with seed 5; paired contrasts"):
        replicates(TABLE.iloc[:3], ["a", "b"], paired=True)
    with pytest.raises(InputError, match=r"a has more than one run with seed 2"):
        replicates(TABLE.assign(policy="a"), ["a"], paired=False)

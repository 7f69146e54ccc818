"""Which runs replicate which condition, and whether they are pairs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


runs = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 5)), unique=True, min_size=3, max_size=12
).filter(lambda rows: {policy for policy, _ in rows} == set("abc"))


@settings(deadline=None)
@given(runs)
def test_runs_are_pairs_where_conditions_share_seeds(rows) -> None:
    table = pd.DataFrame(rows, columns=["policy", "seed"])
    conditions = Conditions.of("abc", "c", table)
    shared = any(p != q and s == t for p, s in rows for q, t in rows)
    assert conditions.paired == shared
    own = {name: sorted(s for p, s in rows if p == name) for name in "abc"}
    if shared and len(set(map(tuple, own.values()))) > 1:
        with pytest.raises(InputError, match="has no run with seed"):
            conditions.replicates(table)
        return
    for name, found in zip("abc", conditions.replicates(table), strict=True):
        assert list(table["policy"].iloc[found].unique()) == [name]
        assert list(table["seed"].iloc[found]) == own[name]


@pytest.mark.parametrize(
    ("names", "reference", "message"),
    [
        (("a",), "a", "two or more distinct names"),
        (("a", "a"), "a", "two or more distinct names"),
        (("a", "b", "b"), "b", "two or more distinct names"),
        (("a", "b"), "a", "not one of"),
        (("a", "b"), "c", "not one of"),
    ],
)
def test_conditions_that_cannot_be_compared(names, reference, message) -> None:
    with pytest.raises(ValueError, match=message):
        Conditions(names, reference)


def test_the_first_condition_is_tested_against_the_reference() -> None:
    conditions = Conditions(("a", "b", "c"), "b")
    assert (conditions.tested, conditions.reference_level) == ("a", 1)

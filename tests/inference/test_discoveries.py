"""q-values against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from daclass.inference.discoveries import q_values

NAMES = {"bh": "fdr_bh", "by": "fdr_by"}


@pytest.mark.parametrize("method", ["bh", "by"])
@settings(deadline=None)
@given(st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), min_size=1, max_size=40))
def test_equal_to_statsmodels_with_gaps_left_out(method, p) -> None:
    found = q_values(p, method)
    known = ~np.isnan(p)
    assert np.isnan(found[~known]).all()
    if known.any():
        expected = multipletests(np.array(p)[known], method=NAMES[method])[1]
        np.testing.assert_allclose(found[known], expected, atol=1e-300)

"""What policies cost, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from daclass.analysis.costs import costs
from daclass.tables import SCHEMAS


def test_costs_are_means_over_runs_beside_the_strongest() -> None:
    trained = pd.DataFrame(
        [
            ("uniform_tested", 10, 1000, 50.0), ("fp_informed", 10, 1000, 40.0),
            ("tuned", 13, 1300, 60.0), ("uniform_tested", 10, 1200, 70.0),
            ("fp_informed", 10, 1200, 50.0), ("tuned", 13, 1560, np.nan),
        ],
        columns=["policy", "epochs", "pictures", "seconds"],
    )  # fmt: skip
    design = {"uniform_tested": 0, "fp_informed": 25, "tuned": 25}
    found = costs(trained, design)
    assert set(found) == set(SCHEMAS["intervention_costs"])
    found = found.set_index("policy")
    assert list(found.index) == ["uniform_tested", "fp_informed", "tuned"]
    assert found.loc["fp_informed"].to_dict() == {
        "runs": 2, "epochs": 10, "pictures": 1100, "relative": 1, "seconds": 45,
        "seconds_relative": 0.75, "design_runs": 25,
    }  # fmt: skip
    assert found.loc["tuned", "relative"] == 1.3
    assert found.loc["tuned", "seconds"] == 60

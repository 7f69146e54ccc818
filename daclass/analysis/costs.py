"""What the policies cost: to train under them, and to design them."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from daclass.analysis.interventions import TESTED


def costs(trained: pd.DataFrame, design_runs: Mapping[str, int]) -> pd.DataFrame:
    """The work of a run under each policy, and of the sweep that its design needed.

    Args:
        trained: one row per run of the interventions: policy, epochs (those of the network that it
            starts from included), pictures (that it trained on in these epochs) and seconds
            (measured; NaN where unknown).
        design_runs: policy -> runs of the sweep without which it could not be designed.

    Returns:
        Table "intervention_costs", in the order of `trained`. `relative` and `seconds_relative` are
        shares of a run of uniform_tested.
    """
    by_policy = trained.groupby("policy", sort=False)
    table = by_policy[["epochs", "pictures", "seconds"]].mean()
    table["runs"] = by_policy.size()
    table["relative"] = table["pictures"] / float(table["pictures"][TESTED])
    table["seconds_relative"] = table["seconds"] / float(table["seconds"][TESTED])
    table["design_runs"] = [design_runs[policy] for policy in table.index]
    return table.reset_index()

"""What the designed policies change, against a baseline."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from daclass.plots.style import (
    INK,
    LINE,
    TRUTH_COLOURS,
    TRUTH_MARKERS,
    TRUTH_NAMES,
    intervals,
    key,
    panels,
    styled,
    without_repetition,
    zero_line,
)

GROUPS = {
    "all": "all classes",
    "affected": "affected classes",
    "swallowers": "swallowers",
    "both": "both of these",
}
POLICIES = {
    "uniform_strongest": "strongest for all",
    "uniform_best": "best average for all",
    "naive_removal": "weakest for affected",
    "fp_informed": "weaker for swallowers",
    "random_classes": "random classes",
}


def intervention_numbers(interventions: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """Differences to `baseline`, by group, policy and truth; the baseline itself is left out."""
    rows = interventions[
        (interventions["baseline"] == baseline) & (interventions["policy"] != baseline)
    ]
    order = {name: i for i, name in enumerate([*GROUPS, *POLICIES, "original", "multi"])}
    ordered = rows.sort_values(
        ["group", "policy", "truth"], key=lambda names: names.map(order), ignore_index=True
    )
    return without_repetition(ordered.drop(columns="baseline"), "accuracy")


@styled
def interventions(interventions: pd.DataFrame, baseline: str) -> Figure:
    """Forest plot: each policy's difference in accuracy to a baseline, one panel a class group.

    Args:
        interventions: the interventions table.
        baseline: the policy that the differences are taken against.
    """
    numbers = intervention_numbers(interventions, baseline)
    groups = [group for group in GROUPS if (numbers["group"] == group).any()]
    policies = list(dict.fromkeys(numbers["policy"]))
    figure, axes = panels(len(groups), 2, 0.4 + 0.2 * len(policies))
    for ax, group in zip(axes, groups, strict=True):
        _forest(ax, numbers[numbers["group"] == group], policies)
        ax.set_title(GROUPS[group])
    axes[0].set_yticks(range(len(policies)), [POLICIES.get(p, p) for p in policies])
    axes[0].set_ylim(len(policies) - 0.5, -0.5)
    key(
        figure,
        [
            (TRUTH_NAMES[t], TRUTH_COLOURS[t], {"marker": TRUTH_MARKERS[t]})
            for t in numbers["truth"].unique()
        ],
    )
    against = POLICIES.get(baseline, baseline)
    figure.supxlabel(f"points gained against “{against}”", fontsize=LINE, color=INK)
    return figure


def _forest(ax: Axes, numbers: pd.DataFrame, policies: list[str]) -> None:
    for truth, shift in (("original", -0.14), ("multi", 0.14)):
        part = numbers[numbers["truth"] == truth]
        rows = np.array([policies.index(policy) + shift for policy in part["policy"]], float)
        colour = TRUTH_COLOURS[truth]
        intervals(ax, 100 * part["low"], 100 * part["high"], rows, linewidth=1.1, color=colour)
        ax.plot(100 * part["difference"], rows, TRUTH_MARKERS[truth], markersize=3.5, color=colour)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    zero_line(ax)

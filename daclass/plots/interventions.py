"""What the designed policies change: against a baseline, of the drop, and class by class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from daclass.plots.policies import (
    FINE_TUNED,
    REFERENCE,
    STRONGEST,
    is_fine_tuned,
    ordered,
    policy_name,
    without_draws,
)
from daclass.plots.style import (
    BLUE,
    INK,
    LINE,
    RED,
    ROW,
    TRUTH_COLOURS,
    TRUTH_MARKERS,
    TRUTH_NAMES,
    intervals,
    key,
    new_figure,
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
_FAR = 100.0  # a share beyond all axes


def intervention_numbers(interventions: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """Differences to `baseline`, by group, policy and truth.

    Left out are the baseline itself and single draws of a control, whose mean stands there. Beside
    a fine-tuned baseline stand fine-tuned policies, and others beside others.
    """
    rows = interventions[
        (interventions["baseline"] == baseline) & (interventions["policy"] != baseline)
    ]
    shown = rows[rows["policy"].isin(_shown(interventions, is_fine_tuned(baseline)))]
    rows = _sorted(shown).drop(columns=["baseline", "recovered", "recovered_low", "recovered_high"])
    return without_repetition(rows, "accuracy")


def recovered_numbers(interventions: pd.DataFrame) -> pd.DataFrame:
    """The share of each group's drop that each policy recovers; those known by definition not."""
    columns = ["policy", "group", "truth", "recovered", "recovered_low", "recovered_high"]
    rows = interventions[
        interventions["policy"].isin(_shown(interventions))
        & ~interventions["policy"].isin([STRONGEST, REFERENCE])
    ].drop_duplicates(["policy", "group", "truth"])
    rows = without_repetition(_sorted(rows), "accuracy")[[*columns, "seeds", "images"]]
    return rows[rows["recovered"].notna()].reset_index(drop=True)


def change_numbers(interventions: pd.DataFrame, baseline: str = STRONGEST) -> pd.DataFrame:
    """Classes that are worse and better under each policy than under `baseline`."""
    rows = interventions[
        (interventions["baseline"] == baseline)
        & (interventions["policy"] != baseline)
        & (interventions["group"] == "all")
        & (interventions["truth"] == "original")
        & interventions["policy"].isin(_shown(interventions))
        & interventions["worse"].notna()
    ]
    return _sorted(rows)[["policy", "worse", "better", "classes", "seeds", "images"]]


@styled
def interventions(interventions: pd.DataFrame, baseline: str) -> Figure:
    """Forest plot: each policy's difference in accuracy to a baseline, one panel a class group.

    Args:
        interventions: the interventions table.
        baseline: the policy that the differences are taken against.
    """
    numbers = intervention_numbers(interventions, baseline)
    return _forests(
        numbers,
        ["difference", "low", "high"],
        f"points gained against “{policy_name(baseline)}”",
        marks=(0.0,),
    )


@styled
def recovered(interventions: pd.DataFrame) -> Figure:
    """Forest plot: the share of the drop that each policy recovers, one panel a class group."""
    numbers = recovered_numbers(interventions)
    ends = ["recovered_low", "recovered_high"]
    figure = _forests(
        numbers.assign(**numbers[ends].clip(-_FAR, _FAR)),  # an infinite end is drawn as a far one
        ["recovered", *ends],
        "% of the drop recovered (100: reference for all)",
        marks=(0.0, 100.0),
    )
    # Far ends say no more than "very wide" and would hide all others.
    shown = numbers["recovered"].to_numpy()
    low, high = 100 * min(-0.5, shown.min() - 0.25), 100 * max(1.5, shown.max() + 0.25)
    for ax in figure.axes:
        ax.set_xlim(max(low, -300), min(high, 400))
    return figure


@styled
def changed_classes(interventions: pd.DataFrame) -> Figure:
    """Bars: how many classes each policy makes worse (left) and better (right)."""
    numbers = change_numbers(interventions)
    policies = list(numbers["policy"])
    figure = new_figure(0.75 + 0.24 * len(policies))
    ax = figure.subplots()
    rows = np.arange(len(policies))
    ax.barh(rows, -numbers["worse"], height=0.55, color=RED)
    ax.barh(rows, numbers["better"], height=0.55, color=BLUE)
    for row, worse, better in zip(rows, numbers["worse"], numbers["better"], strict=True):
        for value, side, name in ((-worse, "right", worse), (better, "left", better)):
            gap = -3 if side == "right" else 3
            ax.annotate(
                f"{name:.1f}".removesuffix(".0"), (value, row), xytext=(gap, 0),
                textcoords="offset points", ha=side, va="center", fontsize=LINE - 0.5,
            )  # fmt: skip
    most = max(1.0, float(numbers[["worse", "better"]].to_numpy().max()))
    ax.set_xlim(-1.18 * most, 1.18 * most)
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.xaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
    _name_rows(ax, policies)
    zero_line(ax)
    key(figure, [(name, colour, {"linewidth": 5}) for name, colour in
                 (("worse", RED), ("better", BLUE))])  # fmt: skip
    ax.set_xlabel("classes found to differ from “strongest for all”")
    return figure


def _forests(
    numbers: pd.DataFrame, columns: Sequence[str], label: str, marks: Sequence[float]
) -> Figure:
    """One panel a group: value and interval of each policy, in percent or points."""
    groups = [group for group in GROUPS if (numbers["group"] == group).any()]
    policies = ordered(numbers["policy"])
    figure, axes = panels(len(groups), 2, 0.4 + ROW * 1.15 * len(policies))
    for ax, group in zip(axes, groups, strict=True):
        part = numbers[numbers["group"] == group]
        for truth, shift in (("original", -0.14), ("multi", 0.14)):
            rows = part[part["truth"] == truth]
            places = np.array([policies.index(p) + shift for p in rows["policy"]], float)
            value, low, high = (100 * rows[column].to_numpy() for column in columns)
            colour = TRUTH_COLOURS[truth]
            intervals(ax, low, high, places, linewidth=1.1, color=colour)
            ax.plot(value, places, TRUTH_MARKERS[truth], markersize=3.5, color=colour)
        ax.set_title(GROUPS[group])
        ax.spines["left"].set_visible(False)
        ax.tick_params(axis="y", length=0)
        for mark in marks:
            ax.axvline(mark, color=INK, alpha=0.4, linewidth=0.7, zorder=0)
    _name_rows(axes[0], policies)
    key(
        figure,
        [
            (TRUTH_NAMES[t], TRUTH_COLOURS[t], {"marker": TRUTH_MARKERS[t]})
            for t in numbers["truth"].unique()
        ],
    )
    figure.supxlabel(label, fontsize=LINE, color=INK)
    return figure


def _shown(interventions: pd.DataFrame, fine_tuned: bool = False) -> list[str]:
    """The policies of a figure."""
    names = without_draws(interventions["policy"])
    return [name for name in names if is_fine_tuned(name) == fine_tuned]


def _name_rows(ax: Axes, policies: Sequence[str]) -> None:
    # Where all are fine-tuned, the figure's title says so.
    names = [policy_name(policy.removeprefix(FINE_TUNED)) for policy in policies]
    ax.set_yticks(range(len(policies)), names)
    ax.set_ylim(len(policies) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def _sorted(rows: pd.DataFrame) -> pd.DataFrame:
    """By group, policy and truth, as readers meet them."""
    names = [*GROUPS, *ordered(rows["policy"]), "original", "multi"]
    order = {name: place for place, name in enumerate(names)}
    return rows.sort_values(
        ["group", "policy", "truth"], key=lambda names: names.map(order), ignore_index=True
    )

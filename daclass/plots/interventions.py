"""What the designed policies change: against a baseline, of the drop, and class by class."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from daclass.plots.policies import REFERENCE, TESTED, Policies
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
from daclass.wording.names import shorten

GROUPS = {
    "all": "all classes",
    "affected": "classes followed up",
    "swallowers": "their swallowers",
    "both": "both of these",
}
_FAR = 100.0  # a share beyond all axes


def intervention_numbers(
    interventions: pd.DataFrame, policies: Policies, baseline: str
) -> pd.DataFrame:
    """Differences to `baseline`, by group, policy and truth, with the policies' names for readers.

    Left out are the baseline, policies that are the same as it, all but the first of several that
    are one, and single draws of a control, whose mean stands there. Beside a fine-tuned baseline
    stand fine-tuned policies, and others beside others.
    """
    rows = interventions[interventions["baseline"] == baseline]
    known = [*rows["policy"], baseline]
    shown = _shown(known, policies, policies.is_fine_tuned(baseline))
    shown = [names for names in shown if baseline not in names]
    rows = _sorted(rows[rows["policy"].isin([names[0] for names in shown])], policies)
    rows = rows.drop(columns=["baseline", "recovered", "recovered_low", "recovered_high"])
    named = {names[0]: policies.merged_name(names) for names in shown}
    rows = rows.assign(name=rows["policy"].map(named))
    return without_repetition(rows, "accuracy")


def fix_numbers(
    interventions: pd.DataFrame, policies: Policies, baseline: str, primary: str
) -> pd.DataFrame:
    """`intervention_numbers` of all classes and of those followed up, by the original label: the
    primary policy first, then by what the followed-up classes gain (all, where there are none)."""
    numbers = intervention_numbers(interventions, policies, baseline)
    rows = numbers[(numbers["truth"] == "original") & numbers["group"].isin(["all", "affected"])]
    rows = rows[rows["difference"].notna()]
    by = "affected" if (rows["group"] == "affected").any() else "all"
    gain = rows[rows["group"] == by].set_index("policy")["difference"]
    gain = gain.sort_values(ascending=False, kind="stable")
    order = sorted(gain.index, key=lambda policy: policy != primary)
    place = {policy: rank for rank, policy in enumerate(order)}
    rows = rows[rows["policy"].isin(place)].assign(primary=rows["policy"] == primary)
    return rows.sort_values(
        ["group", "policy"], key=lambda part: part.map({**place, "all": 0, "affected": 1}),
        ignore_index=True,
    )  # fmt: skip


def recovered_numbers(interventions: pd.DataFrame, policies: Policies) -> pd.DataFrame:
    """The share of each group's drop that each policy recovers; those known by definition not."""
    columns = ["policy", "group", "truth", "recovered", "recovered_low", "recovered_high"]
    shown = _shown(interventions["policy"], policies)
    known = {TESTED, REFERENCE}
    first = {names[0]: names for names in shown if not known & set(names)}
    rows = interventions[interventions["policy"].isin(first)].drop_duplicates(
        ["policy", "group", "truth"]
    )
    rows = without_repetition(_sorted(rows, policies), "accuracy")[[*columns, "seeds", "images"]]
    named = {policy: policies.merged_name(names) for policy, names in first.items()}
    rows = rows.assign(name=rows["policy"].map(named))
    return rows[rows["recovered"].notna()].reset_index(drop=True)


def change_numbers(
    interventions: pd.DataFrame, policies: Policies, baseline: str = TESTED
) -> pd.DataFrame:
    """Classes that are worse and better under each policy than under `baseline`."""
    numbers = intervention_numbers(interventions, policies, baseline)
    rows = numbers[
        (numbers["group"] == "all") & (numbers["truth"] == "original") & numbers["worse"].notna()
    ]
    columns = ["policy", "name", "worse", "better", "classes", "seeds", "images"]
    return rows[columns].reset_index(drop=True)


@styled
def fixes(interventions: pd.DataFrame, policies: Policies, baseline: str, primary: str) -> Figure:
    """Forest plot: all classes and those followed up, each policy against one baseline.

    Args:
        interventions: the interventions table.
        policies: the study's policies.
        baseline: what the differences are taken against: the best single strength.
        primary: the policy in question; it comes first and is marked.
    """
    numbers = fix_numbers(interventions, policies, baseline, primary)
    return _forests(
        numbers,
        ["difference", "low", "high"],
        f"points gained against “{policies.name(baseline)}”",
        marks=(0.0,),
        names=_names_of(numbers),
    )


@styled
def interventions(interventions: pd.DataFrame, policies: Policies, baseline: str) -> Figure:
    """Forest plot: each policy's difference in accuracy to a baseline, one panel a class group.

    Args:
        interventions: the interventions table.
        policies: the study's policies.
        baseline: the policy that the differences are taken against.
    """
    numbers = intervention_numbers(interventions, policies, baseline)
    return _forests(
        numbers,
        ["difference", "low", "high"],
        f"points gained against “{policies.name(baseline)}”",
        marks=(0.0,),
        names=_names_of(numbers),
    )


@styled
def recovered(interventions: pd.DataFrame, policies: Policies) -> Figure:
    """Forest plot: the share of the drop that each policy recovers, one panel a class group."""
    numbers = recovered_numbers(interventions, policies)
    ends = ["recovered_low", "recovered_high"]
    figure = _forests(
        numbers.assign(**numbers[ends].clip(-_FAR, _FAR)),  # an infinite end is drawn as a far one
        ["recovered", *ends],
        "% of the drop recovered (100: reference for all)",
        marks=(0.0, 100.0),
        names=_names_of(numbers),
    )
    # Far ends say no more than "very wide" and would hide all others.
    shown = numbers["recovered"].to_numpy()
    low, high = 100 * min(-0.5, shown.min() - 0.25), 100 * max(1.5, shown.max() + 0.25)
    for ax in figure.axes:
        ax.set_xlim(max(low, -300), min(high, 400))
    return figure


@styled
def changed_classes(interventions: pd.DataFrame, policies: Policies) -> Figure:
    """Bars: how many classes each policy makes worse (left) and better (right)."""
    numbers = change_numbers(interventions, policies)
    figure = new_figure(0.75 + 0.24 * len(numbers))
    ax = figure.subplots()
    rows = np.arange(len(numbers))
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
    _name_rows(ax, {policy: shorten(name, 44) for policy, name in _names_of(numbers).items()})
    zero_line(ax)
    key(figure, [(name, colour, {"linewidth": 5}) for name, colour in
                 (("worse", RED), ("better", BLUE))])  # fmt: skip
    ax.set_xlabel(f"classes found to differ from “{policies.name(TESTED)}”", loc="right")
    return figure


def _forests(
    numbers: pd.DataFrame,
    columns: Sequence[str],
    label: str,
    marks: Sequence[float],
    names: dict[str, str],
) -> Figure:
    """One panel a group: value and interval of each policy, in percent or points; one row per
    entry of `names`, policy -> its name for readers."""
    groups = [group for group in GROUPS if (numbers["group"] == group).any()]
    places = {policy: float(row) for row, policy in enumerate(names)}
    # Two panels stand side by side: long names take two lines, not the panels' room.
    names = {policy: fill(shorten(name, 44), 24) for policy, name in names.items()}
    row = ROW * (1.8 if any("\n" in name for name in names.values()) else 1.15)
    figure, axes = panels(len(groups), 2, 0.4 + row * len(names))
    truths = list(numbers["truth"].unique())
    for ax, group in zip(axes, groups, strict=True):
        part = numbers[numbers["group"] == group]
        for truth in truths:
            rows = part[part["truth"] == truth]
            shift = 0.0 if len(truths) == 1 else {"original": -0.14, "multi": 0.14}[truth]
            at = rows["policy"].map(places).to_numpy(float) + shift
            value, low, high = (100 * rows[column].to_numpy() for column in columns)
            colour = TRUTH_COLOURS[truth]
            intervals(ax, low, high, at, linewidth=1.1, color=colour)
            ax.plot(value, at, TRUTH_MARKERS[truth], markersize=3.5, color=colour)
        ax.set_title(GROUPS[group])
        ax.spines["left"].set_visible(False)
        ax.tick_params(axis="y", length=0)
        for mark in marks:
            ax.axvline(mark, color=INK, alpha=0.4, linewidth=0.7, zorder=0)
    bold = set(numbers.loc[numbers["primary"], "policy"]) if "primary" in numbers else set()
    _name_rows(axes[0], names, bold)
    if len(truths) > 1:
        key(figure, [(TRUTH_NAMES[t], TRUTH_COLOURS[t], {"marker": TRUTH_MARKERS[t]})
                     for t in truths])  # fmt: skip
    figure.supxlabel(label, fontsize=LINE, color=INK)
    return figure


def _shown(names: Iterable[str], policies: Policies, fine_tuned: bool = False) -> list[list[str]]:
    """The policies of a figure, those that are one together."""
    there = [
        name for name in policies.without_draws(names) if policies.is_fine_tuned(name) == fine_tuned
    ]
    return list(policies.merged(there).values())


def _names_of(numbers: pd.DataFrame) -> dict[str, str]:
    """Policy -> its name for readers, in the order of the rows."""
    return dict(zip(numbers["policy"], numbers["name"], strict=True))


def _name_rows(ax: Axes, names: dict[str, str], bold: Collection[str] = ()) -> None:
    ax.set_yticks(range(len(names)), list(names.values()))
    for policy, label in zip(names, ax.get_yticklabels(), strict=True):
        label.set_fontweight("bold" if policy in bold else "normal")
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def _sorted(rows: pd.DataFrame, policies: Policies) -> pd.DataFrame:
    """By group, policy and truth, as readers meet them."""
    names = [*GROUPS, *policies.ordered(rows["policy"]), "original", "multi"]
    order = {name: place for place, name in enumerate(names)}
    return rows.sort_values(
        ["group", "policy", "truth"], key=lambda names: names.map(order), ignore_index=True
    )

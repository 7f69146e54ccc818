"""Accuracy over the views: which central square of a picture suits each strength."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from daclass.plots.conditions import Conditions
from daclass.plots.style import INK, end_labels, key, new_figure, styled

_MAP = "viridis"
_ENDS = (0.0, 0.82)  # of the map: its yellow end is too light for lines on white


def view_numbers(views: pd.DataFrame, conditions: Conditions) -> pd.DataFrame:
    """Accuracy of each strength of the sweep at each view, on the half that chose no view.

    Returns:
        condition, position, view, accuracy, low, high, common, best, seeds, images; by condition
        and view. Shifted logits are left out.
    """
    rows = conditions.place(views[(views["half"] == "estimate") & ~views["shifted"].astype(bool)])
    columns = [
        "condition", "position", "view", "accuracy", "low", "high", "common", "best", "seeds",
        "images",
    ]  # fmt: skip
    numbers = rows[columns].sort_values(["position", "view"], ignore_index=True)
    several = len(numbers["view"].unique()) > 1  # one view shows no curve
    return numbers if several else numbers.head(0)


def views_of(view_effects: pd.DataFrame, views: pd.DataFrame) -> dict[str, Any] | None:
    """What the view makes of the average: `findings.view` of summary.json; None with one view.

    Args:
        view_effects, views: the tables of these names, of the sweep.
    """
    rows = view_effects[(view_effects["class_id"] == -1) & (view_effects["half"] == "all")]
    if rows.empty or views["view"].nunique() < 2:
        return None
    row = rows.iloc[0]

    def turned(value: str, low: str, high: str) -> dict[str, float]:
        """A drop as a change."""
        return {"value": -row[value], "low": -row[high], "high": -row[low]}

    return {
        "common": float(views.loc[views["common"].astype(bool), "view"].iloc[0]),
        "tested_view": float(row["tested_view"]),
        "reference_view": float(row["reference_view"]),
        "change": turned("drop", "low", "high"),
        "view_part": turned("view_part", "part_low", "part_high"),
        "seeds": int(row["seeds"]),
        "images": int(row["images"]),
    }


@styled
def accuracy_over_views(views: pd.DataFrame, conditions: Conditions) -> Figure:
    """A line per strength over the side of the judged square; its best view is a full dot.

    Args:
        views: table "views" of the sweep.
        conditions: what the study compares.
    """
    numbers = view_numbers(views, conditions)
    figure = new_figure(2.9)
    ax = figure.subplots()
    groups = list(numbers.groupby("condition", sort=False))
    shades = mpl.colormaps[_MAP](np.linspace(*_ENDS, len(groups)))
    ends = []
    for (name, rows), shade in zip(groups, shades, strict=True):
        percent = 100 * rows[["accuracy", "low", "high"]]
        tested = name == conditions.tested
        ax.fill_between(
            rows["view"], percent["low"], percent["high"], color=shade, alpha=0.1, linewidth=0
        )
        ax.plot(
            rows["view"], percent["accuracy"], "-o", color=shade, markersize=4,
            markerfacecolor="white", linewidth=2.0 if tested else 1.1,
        )  # fmt: skip
        best = rows["best"].to_numpy(bool)
        ax.plot(rows["view"][best], percent["accuracy"][best], "o", color=shade, markersize=6)
        label = f"{name}, tested" if tested else str(name)
        ends.append((float(percent["accuracy"].iloc[-1]), label))
    common = numbers.loc[numbers["common"].astype(bool), "view"]
    ax.axvline(common.iloc[0], color=INK, alpha=0.5, linewidth=0.8, linestyle=":", zorder=0)
    ax.set_xticks(sorted(numbers["view"].unique()))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.set_xlabel("side of the judged square, share of the shorter side")
    ax.set_ylabel("average accuracy (%)")
    ax.margins(y=0.1)
    key(
        figure,
        [
            ("best view", INK, {"marker": "o", "linestyle": ""}),
            ("the study’s view", INK, {"linestyle": ":"}),
        ],
    )
    end_labels(ax, float(numbers["view"].max()), ends)
    return figure

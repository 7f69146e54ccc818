"""Which classes swallow the affected ones, and of what kind the pairs are."""

from __future__ import annotations

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from daclass.plots.effects import LABELLED_AT_MOST
from daclass.plots.style import (
    CATEGORY_COLOURS,
    CATEGORY_MARKERS,
    INK,
    class_names,
    new_figure,
    place_labels,
    styled,
)


def confusion_numbers(categories: pd.DataFrame, classes: pd.DataFrame) -> pd.DataFrame:
    """The pairs (affected class, swallower) that can be placed, largest growth first."""
    names = classes.set_index("class_id")["name"]
    known = categories["similarity"].notna() & categories["overlap"].notna()
    rows = categories[known & (categories["swallower_id"] >= 0)]
    numbers = rows.assign(
        name=rows["class_id"].map(names),
        swallower=rows["swallower_id"].map(names),
        overlap_larger=rows[["overlap", "overlap_reverse"]].max(axis=1),
    )
    columns = [
        "class_id", "name", "swallower_id", "swallower", "growth", "low", "high", "overlap",
        "overlap_reverse", "overlap_larger", "similarity", "category",
    ]  # fmt: skip
    return numbers[columns].sort_values("growth", ascending=False, ignore_index=True)


@styled
def confusion_plane(
    categories: pd.DataFrame, classes: pd.DataFrame, thresholds: tuple[float, float]
) -> Figure:
    """Pairs of an affected class and its swallower, by how alike they are and how often both apply.

    Args:
        categories: the categories table.
        classes: the classes table.
        thresholds: (overlap, similarity) from which on a pair counts as overlapping and as alike.
    """
    numbers = confusion_numbers(categories, classes)
    names = class_names(classes)
    overlap, similarity = thresholds
    figure = new_figure(3.2)
    ax = figure.subplots()
    sns.scatterplot(
        numbers, x="similarity", y="overlap_larger", hue="category", style="category",
        palette=CATEGORY_COLOURS, markers=CATEGORY_MARKERS, s=30, linewidth=0, legend=False, ax=ax,
    )  # fmt: skip
    ax.axvline(similarity, color=INK, alpha=0.4, linewidth=0.7, linestyle="--", zorder=0)
    ax.axhline(overlap, color=INK, alpha=0.4, linewidth=0.7, linestyle="--", zorder=0)
    ax.set_xlim(-0.02, 1.04)
    ax.set_ylim(-0.14, max(1.04, float(numbers["overlap_larger"].max()) + 0.05))
    ax.set_xlabel("similarity in the class tree")
    ax.set_ylabel("overlap: share of pictures with both labels")
    _name_quadrants(ax)
    points = numbers[["similarity", "overlap_larger"]].to_numpy(float)
    place_labels(
        ax,
        points[:LABELLED_AT_MOST],
        [
            f"{names[victim]} → {names[swallower]}"
            for victim, swallower in zip(
                numbers["class_id"][:LABELLED_AT_MOST],
                numbers["swallower_id"][:LABELLED_AT_MOST],
                strict=True,
            )
        ],
        obstacles=points[LABELLED_AT_MOST:],
    )
    return figure


def _name_quadrants(ax: Axes) -> None:
    bottom, top = ax.get_ylim()
    places = (
        ("co-occurring", 0.0, top, "left", "top"),
        ("ambiguous", 1.03, top, "right", "top"),
        ("unrelated", 0.0, bottom + 0.01, "left", "bottom"),
        ("fine-grained", 1.03, bottom + 0.01, "right", "bottom"),
    )
    for name, x, y, ha, va in places:
        ax.text(x, y, name, ha=ha, va=va, alpha=0.65)

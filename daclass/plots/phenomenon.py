"""The phenomenon in one figure: the average over the conditions, and the classes that pay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import pandas as pd
from matplotlib.figure import Figure

from daclass.plots.conditions import LABELLED, Conditions
from daclass.plots.style import (
    AFFECTED,
    INK,
    NAMED_LINES,
    class_names,
    end_labels,
    key,
    new_figure,
    styled,
)
from daclass.wording.verdicts import FOUND_TO_LOSE


def change_numbers(
    class_accuracy: pd.DataFrame, classes: pd.DataFrame, conditions: Conditions, lost: list[int]
) -> pd.DataFrame:
    """What each class gains at every condition against the reference, and the mean of all.

    Returns:
        class_id (-1: the mean of all classes), name, condition, position, gain in [-1, 1], found
        (whether the class is found to lose); the mean first, then the classes of `lost`.
    """
    rows = conditions.place(class_accuracy[class_accuracy["truth"] == "original"])
    wide = rows.pivot_table(index="class_id", columns="condition", values="accuracy")
    if conditions.reference not in wide:
        return pd.DataFrame(
            columns=["class_id", "name", "condition", "position", "gain", "found"]
        )  # fmt: skip
    gain = wide.sub(wide[conditions.reference], axis=0)
    gain.loc[-1] = gain.mean()
    position = dict(zip(conditions.names, conditions.positions, strict=True))
    names = {**classes.set_index("class_id")["name"].to_dict(), -1: "mean of all classes"}
    long = gain.rename_axis("class_id").reset_index().melt(
        "class_id", var_name="condition", value_name="gain"
    )  # fmt: skip
    place = {class_id: rank for rank, class_id in enumerate([-1, *lost])}
    long = long.assign(
        name=long["class_id"].map(names),
        position=long["condition"].map(position),
        found=long["class_id"].isin(lost),
        order=long["class_id"].map(place).fillna(len(place)),
    ).sort_values(["order", "class_id", "position"], ignore_index=True)
    return long[["class_id", "name", "condition", "position", "gain", "found"]]


@styled
def average_and_classes(
    class_accuracy: pd.DataFrame,
    classes: pd.DataFrame,
    conditions: Conditions,
    lost: list[int],
    lost_by_view: Sequence[int] = (),
) -> Figure:
    """The mean of all classes in bold, each class in grey, those found to lose most in colour.

    Args:
        class_accuracy, classes: the tables of these names.
        conditions: what the study compares.
        lost: the classes found to lose, the largest drop first.
        lost_by_view: likewise those that lose at the study's view alone; dashed.
    """
    numbers = change_numbers(class_accuracy, classes, conditions, lost)
    names = class_names(classes, longest=16)
    figure = new_figure(2.9)
    ax = figure.subplots()
    shown = lost[:NAMED_LINES]
    dashed = lost_by_view[: NAMED_LINES - len(shown)]
    places = dict(zip(conditions.names, conditions.positions, strict=True))
    # Lines are named at the end where they are furthest apart: away from the reference.
    middle = (min(conditions.positions) + max(conditions.positions)) / 2
    side: Literal["left", "right"] = "left" if places[conditions.reference] > middle else "right"
    at = min(conditions.positions) if side == "left" else max(conditions.positions)
    faint = min(0.2, max(0.03, 8 / max(len(classes), 1)))
    ends = []
    for class_id, rows in numbers.groupby("class_id", sort=False):
        if class_id == -1 or class_id in {*shown, *dashed}:
            continue
        ax.plot(rows["position"], 100 * rows["gain"], color=INK, alpha=faint, linewidth=0.7)
    for class_id in (*shown, *dashed):
        rows = numbers[numbers["class_id"] == class_id]
        line = "-" if class_id in shown else "--"
        ax.plot(rows["position"], 100 * rows["gain"], line, color=AFFECTED, linewidth=1.3)
        ends.append((100 * _gain_at(rows, at), names[class_id]))
    mean = numbers[numbers["class_id"] == -1]
    ax.plot(mean["position"], 100 * mean["gain"], "-o", color=INK, linewidth=2.2)
    ends.append((100 * _gain_at(mean, at), "mean of all"))
    ax.axhline(0, color=INK, alpha=0.4, linewidth=0.7, zorder=0)
    ax.axvline(
        places[conditions.tested], color=INK, alpha=0.5, linewidth=0.8, linestyle=":", zorder=0
    )
    conditions.mark(ax)
    ax.set_xlabel(conditions.label if conditions.by_strength else "")
    against = conditions.short.named(conditions.short.reference)
    gap = " " if len(against) < LABELLED else "\n"
    ax.set_ylabel(f"points gained against{gap}{against}")
    ax.margins(y=0.06)
    if side == "left":  # the names take the axis's place
        ax.yaxis.set_label_position("right")
        ax.yaxis.tick_right()
        ax.spines[["left", "right"]].set_visible(False)
    marks: list[tuple[str, str, dict[str, Any]]] = [
        ("a class", INK, {"alpha": 0.4}), ("mean of all", INK, {"linewidth": 2.2}),
    ]  # fmt: skip
    if shown:
        marks.append((FOUND_TO_LOSE, AFFECTED, {}))
    if dashed:
        marks.append(("loses at this view alone", AFFECTED, {"linestyle": "--"}))
    key(figure, marks)
    end_labels(ax, at, ends, side=side)
    return figure


def _gain_at(rows: pd.DataFrame, position: float) -> float:
    return float(rows.loc[rows["position"] == position, "gain"].iloc[0])

"""What a generated set has planted beside what the study found."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from daclass.plots.style import (
    BLUE,
    GREEN,
    INK,
    LINE,
    ORANGE,
    RED,
    ROW,
    class_names,
    intervals,
    new_figure,
    styled,
)

EXPECTATIONS = {
    "hurt": ("planted to pay: loss", RED),
    "swallows": ("planted to swallow: confusion’s growth", ORANGE),
    "helped": ("planted to gain: loss", GREEN),
    "unchanged": ("planted to stay: loss", BLUE),
}


def planted_numbers(
    planted: pd.DataFrame, classes: pd.DataFrame, confusions: pd.DataFrame
) -> pd.DataFrame:
    """The planted relations in order of expectation and size, with class names.

    Returns:
        The planted table with `judged`, `judged_low` and `judged_high`: what the verdict follows
        from. That is the drop of a class that should pay, gain or stay, and for one that should
        swallow another the growth of that confusion; NaN where no picture was confused so.
    """
    names = classes.set_index("class_id")["name"]
    order = {name: i for i, name in enumerate(EXPECTATIONS)}
    growth = confusions.loc[
        confusions["half"] == "estimate", ["class_id", "predicted_id", "growth", "low", "high"]
    ].rename(columns={"class_id": "partner_id", "predicted_id": "class_id",
                      "low": "growth_low", "high": "growth_high"})  # fmt: skip
    numbers = planted.merge(growth, how="left", on=["partner_id", "class_id"])
    swallows = numbers["expectation"] == "swallows"
    for judged, drop, grown in (
        ("judged", "drop", "growth"),
        ("judged_low", "low", "growth_low"),
        ("judged_high", "high", "growth_high"),
    ):
        numbers[judged] = numbers[drop].where(~swallows, numbers[grown])
    numbers = numbers.assign(
        name=numbers["class_id"].map(names),
        partner=numbers["partner_id"].map(names).fillna(""),
        swallower=numbers["swallower_id"].map(names).fillna(""),
        order=numbers["expectation"].map(order),
    )
    return numbers.sort_values(
        ["order", "judged"], ascending=[True, False], ignore_index=True
    ).drop(columns=["order", "growth", "growth_low", "growth_high"])


@styled
def planted_vs_found(
    planted: pd.DataFrame, classes: pd.DataFrame, confusions: pd.DataFrame, change: str
) -> Figure:
    """Every planted relation with what it is judged by, and the verdict on it.

    Args:
        planted, classes, confusions: the tables of these names.
        change: the contrast in words, such as "from 0.99 to 0.08".
    """
    numbers = planted_numbers(planted, classes, confusions)
    names = class_names(classes)
    groups = [e for e in EXPECTATIONS if (numbers["expectation"] == e).any()]
    figure = new_figure(0.6 + ROW * (len(numbers) + 1.6 * len(groups)))
    ax = figure.subplots()
    row, ticks, labels = 0.0, [], []
    for expectation in groups:
        part = numbers[numbers["expectation"] == expectation].reset_index(drop=True)
        title, colour = EXPECTATIONS[expectation]
        ax.text(0, row, title, transform=ax.get_yaxis_transform(), va="center", fontweight="bold")
        rows = row + 1 + np.arange(len(part))
        ax.vlines(0, rows[0] - 0.5, rows[-1] + 0.5, color=INK, alpha=0.4, linewidth=0.7, zorder=0)
        low, high = 100 * part["judged_low"], 100 * part["judged_high"]
        intervals(ax, low, high, rows, color=colour, linewidth=1.0)
        ax.plot(100 * part["judged"], rows, "o", color=colour, markersize=4)
        for place, verdict in zip(rows, part["verdict"], strict=True):
            loud = verdict in ("missed", "false alarm")
            ax.text(
                1.01,
                place,
                verdict,
                transform=ax.get_yaxis_transform(),
                va="center",
                fontsize=LINE - 1,
                fontweight="bold" if loud else "normal",
                alpha=1 if loud else 0.75,
            )
        ticks += list(rows)
        labels += [
            _pair(names[c], names.get(p, ""), expectation)
            for c, p in zip(part["class_id"], part["partner_id"], strict=True)
        ]
        row += len(part) + 1.6
    ax.set_yticks(ticks, labels)
    ax.set_ylim(row - 1, -0.8)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(f"points, {change}", loc="right")
    return figure


def _pair(name: str, partner: str, expectation: str) -> str:
    """The class and its partner, in the direction that pictures go."""
    if not partner:
        return name
    return {"hurt": f"{name} → {partner}", "swallows": f"{partner} → {name}"}.get(expectation, name)

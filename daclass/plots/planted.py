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
    "hurt": ("planted: hurt", RED),
    "swallows": ("planted: swallows another", ORANGE),
    "helped": ("planted: helped", GREEN),
    "unchanged": ("planted: unchanged", BLUE),
}


def planted_numbers(planted: pd.DataFrame, classes: pd.DataFrame) -> pd.DataFrame:
    """The planted relations in order of expectation and drop, with class names."""
    names = classes.set_index("class_id")["name"]
    order = {name: i for i, name in enumerate(EXPECTATIONS)}
    numbers = planted.assign(
        name=planted["class_id"].map(names),
        partner=planted["partner_id"].map(names).fillna(""),
        swallower=planted["swallower_id"].map(names).fillna(""),
        order=planted["expectation"].map(order),
    )
    return numbers.sort_values(["order", "drop"], ascending=[True, False], ignore_index=True).drop(
        columns="order"
    )


@styled
def planted_vs_found(planted: pd.DataFrame, classes: pd.DataFrame) -> Figure:
    """Every planted relation with the drop that was measured and the verdict on it.

    Args:
        planted: the planted table.
        classes: the classes table.
    """
    numbers = planted_numbers(planted, classes)
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
        intervals(ax, 100 * part["low"], 100 * part["high"], rows, color=colour, linewidth=1.0)
        ax.plot(100 * part["drop"], rows, "o", color=colour, markersize=4)
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
            names[c] + (f" → {names[p]}" if p in names and expectation == "hurt" else "")
            for c, p in zip(part["class_id"], part["partner_id"], strict=True)
        ]
        row += len(part) + 1.6
    ax.set_yticks(ticks, labels)
    ax.set_ylim(row - 1, -0.8)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("points lost at the strongest augmentation", loc="right")
    return figure

"""How much of a picture the crops of each strength keep in truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from daclass.plots.conditions import Conditions
from daclass.plots.style import BLUE, INK, LINE, ORANGE, key, label_strengths, new_figure, styled


def realised_numbers(realised_area: pd.DataFrame) -> pd.DataFrame:
    """One row per strength: means over the sample's pictures, and the range over picture sizes.

    Returns:
        strength, mean_area, least and most (the smallest and the largest mean of one picture
        size), asked (the mean that the strength asks for, (1 + s) / 2), fallback_share,
        enlarged_share, exact_share, images, sizes. All areas and shares are in [0, 1].
    """
    shares = ["mean_area", "fallback_share", "enlarged_share", "exact_share"]
    rows = realised_area.assign(
        **{name: realised_area[name] * realised_area["images"] for name in shares},
        least=realised_area["mean_area"],
        most=realised_area["mean_area"],
        sizes=realised_area["images"],
    )
    how = dict.fromkeys([*shares, "images"], "sum") | {"least": "min", "most": "max"}
    numbers = rows.groupby("strength").agg(how | {"sizes": "size"}).reset_index()
    numbers[shares] = numbers[shares].div(numbers["images"], axis=0)
    numbers["asked"] = (1 + numbers["strength"]) / 2
    columns = [
        "strength", "mean_area", "least", "most", "asked", *shares[1:], "images", "sizes",
    ]  # fmt: skip
    return numbers[columns]


@styled
def realised_crop_area(realised_area: pd.DataFrame, conditions: Conditions) -> Figure:
    """Mean area of the crops and the share of them that are the fallback box, over strength.

    Args:
        realised_area: the realised_area table.
        conditions: what the study compares.
    """
    numbers = realised_numbers(realised_area)
    figure = new_figure(2.5)
    ax = figure.subplots()
    places = numbers["strength"]
    ax.fill_between(
        places, 100 * numbers["least"], 100 * numbers["most"], color=BLUE, alpha=0.18, linewidth=0
    )
    ax.plot(places, 100 * numbers["asked"], ":", color=INK, alpha=0.7)
    ax.plot(places, 100 * numbers["mean_area"], "-o", color=BLUE)
    ax.plot(places, 100 * numbers["fallback_share"], "--s", color=ORANGE)
    label_strengths(ax, places, at_most=9)
    ax.set_ylim(0, 104)
    ax.set_yticks(np.arange(0, 101, 25))
    ax.set_xlabel(conditions.label)
    ax.set_ylabel("%", fontsize=LINE)
    key(
        figure,
        [
            ("mean crop area", BLUE, {"marker": "o"}),
            ("asked for", INK, {"linestyle": ":"}),
            ("fallback crops", ORANGE, {"linestyle": "--", "marker": "s"}),
        ],
    )
    return figure

"""How much of a picture the crops of each strength keep in truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from daclass.plots.conditions import Conditions
from daclass.plots.style import BLUE, INK, LINE, ORANGE, key, label_strengths, new_figure, styled


def realised_numbers(realised_area: pd.DataFrame) -> pd.DataFrame:
    """One row a strength: means over the sample's pictures, and the range over picture sizes.

    Returns:
        strength, mean_area, least and most (the smallest and the largest mean of one picture
        size), asked (the mean that the strength asks for, (1 + s) / 2), fallback_share, images,
        sizes. All areas and shares are in [0, 1].
    """
    rows = realised_area.assign(
        area=realised_area["mean_area"] * realised_area["images"],
        fallbacks=realised_area["fallback_share"] * realised_area["images"],
    )
    sums = rows.groupby("strength").agg(
        area=("area", "sum"),
        fallbacks=("fallbacks", "sum"),
        least=("mean_area", "min"),
        most=("mean_area", "max"),
        images=("images", "sum"),
        sizes=("images", "size"),
    )
    numbers = sums.reset_index()
    numbers["mean_area"] = numbers["area"] / numbers["images"]
    numbers["fallback_share"] = numbers["fallbacks"] / numbers["images"]
    numbers["asked"] = (1 + numbers["strength"]) / 2
    columns = [
        "strength", "mean_area", "least", "most", "asked", "fallback_share", "images", "sizes",
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

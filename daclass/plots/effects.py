"""What single classes pay: the drops of all classes, and how annotations change them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from daclass.plots.conditions import Conditions
from daclass.plots.style import (
    AFFECTED,
    INK,
    NULL,
    NULL_OPACITY,
    QUIET,
    ROW,
    class_names,
    intervals,
    key,
    new_figure,
    place_labels,
    styled,
    zero_line,
)
from daclass.wording.verdicts import FOUND_TO_LOSE

NAMED_AT_MOST = 40  # classes that fit as rows with names
EXTREMES = (15, 7)  # with more classes: the most hurt and the most helped that are named
LABELLED_AT_MOST = 12  # names inside a scatter plot


def effect_numbers(
    effects: pd.DataFrame, classes: pd.DataFrame, truth: str = "original", half: str = "estimate"
) -> pd.DataFrame:
    """The fixed contrast's drops that are known, largest first, with class names."""
    rows = effects[
        (effects["half"] == half)
        & (effects["truth"] == truth)
        & (effects["reference"] == "fixed")
        & effects["drop"].notna()
    ]
    rows = rows.merge(classes[["class_id", "name"]], on="class_id", how="left")
    columns = [
        "class_id", "name", "drop", "low", "high", "seeds_low", "seeds_high", "p", "p_max", "q",
        "shrunken", "detectable", "rank", "affected", "seeds", "images",
    ]  # fmt: skip
    known = [column for column in columns if column in rows]
    ordered = rows[known].sort_values(["drop", "class_id"], ascending=[False, True])
    return ordered.reset_index(drop=True)


def sorted_numbers(
    effects: pd.DataFrame, classes: pd.DataFrame, null_band: pd.DataFrame, found: Collection[int]
) -> pd.DataFrame:
    """All classes' drops on all pictures, largest first, beside what no effect would give.

    Args:
        effects, classes, null_band: the tables of these names.
        found: the ids of the classes found to lose.

    Returns:
        `effect_numbers` with `found` (whether the class is found to lose) and null_expected,
        null_low and null_high: the drop of that rank where the augmentation has no effect on any
        class; NaN where the study has no such band.
    """
    numbers = effect_numbers(effects, classes, half="all")
    numbers["found"] = numbers["class_id"].isin(found)
    band = null_band[(null_band["truth"] == "original") & (null_band["reference"] == "fixed")]
    band = band.set_index("rank")[["expected", "low", "high"]].add_prefix("null_")
    return numbers.join(band.reindex(np.arange(1, len(numbers) + 1)).reset_index(drop=True))


def lost(effects: pd.DataFrame, q: float, view_effects: pd.DataFrame | None = None) -> list[int]:
    """The classes found to lose: by the fixed contrast on all pictures, at a false discovery rate.

    Where the study judged several views, a class must also be found to lose with both strengths at
    their best view: what is had back by another view is no price of the augmentation.

    Args:
        effects: table "effects".
        q: the false discovery rate.
        view_effects: the table of this name; None, or no rows, where there is one view.

    Returns:
        Class ids, the largest drop first.
    """
    rows = effects[
        (effects["half"] == "all")
        & (effects["truth"] == "original")
        & (effects["reference"] == "fixed")
        & (effects["q"] <= q)
        & (effects["drop"] > 0)
    ].sort_values(["drop", "class_id"], ascending=[False, True])
    if view_effects is not None and len(view_effects):
        best = view_effects[view_effects["half"] == "all"]
        still = best.loc[(best["q"] <= q) & (best["drop"] > 0), "class_id"]
        rows = rows[rows["class_id"].isin(still)]
    return [int(class_id) for class_id in rows["class_id"]]


def affected_ids(effects: pd.DataFrame) -> list[int]:
    """The affected classes in the order of their choice: by what they lose on the selection half.

    Any other order would be a choice made on the half that measures them.
    """
    chosen = effects[
        effects["affected"].astype(bool)
        & (effects["half"] == "select")
        & (effects["truth"] == "original")
    ].sort_values("class_id")
    best, fixed = (
        chosen[chosen["reference"] == reference].set_index("class_id")["drop"]
        for reference in ("best", "fixed")
    )
    drop = best.fillna(fixed).sort_values(ascending=False, kind="stable")
    return [int(class_id) for class_id in drop.index]


@styled
def class_effects(
    effects: pd.DataFrame,
    classes: pd.DataFrame,
    null_band: pd.DataFrame,
    conditions: Conditions,
    found: Collection[int],
) -> Figure:
    """The drop of every class with its intervals, sorted, over the band of no effect at all.

    Few classes are rows with names. Many are a curve over their rank, with the extremes as rows
    below it. Classes found to lose are in colour; the names of those chosen for follow-up are bold.

    Args:
        effects, classes, null_band: the tables of these names; `null_band` may be empty.
        conditions: what the study compares.
        found: the ids of the classes found to lose.
    """
    numbers = sorted_numbers(effects, classes, null_band, found)
    names = class_names(classes)
    words = f"points lost {conditions.short.change}"
    if len(numbers) <= NAMED_AT_MOST:
        figure = new_figure(0.75 + ROW * len(numbers))
        _rows(figure.subplots(), numbers, names, words)
    else:
        most_hurt, most_helped = EXTREMES
        extremes = pd.concat([numbers.head(most_hurt), numbers.tail(most_helped)])
        figure = new_figure(2.8 + ROW * len(extremes))
        heights = [1.9, ROW * len(extremes) + 0.7]
        parts = figure.subfigures(2, 1, squeeze=False, height_ratios=heights)
        above, below = (part.subplots() for part in parts.flat)
        _ranks(above, numbers)
        _rows(below, extremes.reset_index(drop=True), names, words)
        below.axhline(most_hurt - 0.5, color=INK, alpha=0.3, linewidth=0.6, linestyle=":")
    marks: list[tuple[str, str, dict[str, Any]]] = [
        ("a class", INK, {"marker": "o", "linestyle": "-"})
    ]
    if numbers["found"].any():
        marks.append((FOUND_TO_LOSE, AFFECTED, {"marker": "o", "linestyle": "-"}))
    if numbers["null_low"].notna().any():
        marks.append(("no effect at all", NULL, {"linewidth": 6, "alpha": NULL_OPACITY}))
    key(figure, marks)
    return figure


def _rows(ax: Axes, numbers: pd.DataFrame, names: dict[int, str], words: str) -> None:
    rows = np.arange(len(numbers))
    ax.barh(
        rows, 100 * (numbers["null_high"] - numbers["null_low"]), left=100 * numbers["null_low"],
        height=1.0, color=NULL, alpha=NULL_OPACITY, linewidth=0, zorder=0,
    )  # fmt: skip
    for found, colour, alpha in ((False, INK, 0.6), (True, AFFECTED, 1.0)):
        some = (numbers["found"] == found).to_numpy()
        part = 100 * numbers.loc[some, ["drop", "low", "high", "seeds_low", "seeds_high"]]
        intervals(ax, part["low"], part["high"], rows[some], color=colour, alpha=alpha, lw=1.2)
        for end in ("seeds_low", "seeds_high"):
            ax.plot(part[end], rows[some], "|", color=colour, alpha=alpha, markersize=5, mew=0.9)
        size = 5 if found else 3.5
        ax.plot(part["drop"], rows[some], "o", color=colour, alpha=alpha, markersize=size, mew=0)
    ax.set_yticks(rows, [names[i] for i in numbers["class_id"]])
    for tick, affected in zip(ax.get_yticklabels(), numbers["affected"], strict=True):
        if affected:
            tick.set_fontweight("bold")
    ax.set_ylim(len(numbers) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(words, loc="right")
    zero_line(ax)


def _ranks(ax: Axes, numbers: pd.DataFrame) -> None:
    ranks = np.arange(1, len(numbers) + 1)
    percent = 100 * numbers[["drop", "low", "high", "null_low", "null_high"]]
    ax.fill_between(ranks, percent["low"], percent["high"], color=INK, alpha=0.15, linewidth=0)
    ax.fill_between(
        ranks, percent["null_low"], percent["null_high"], color=NULL, alpha=NULL_OPACITY,
        linewidth=0,
    )  # fmt: skip
    found = numbers["found"].to_numpy(bool)
    ax.plot(ranks[~found], percent["drop"][~found], ".", color=INK, alpha=QUIET, ms=2)
    ax.plot(ranks[found], percent["drop"][found], ".", color=AFFECTED, ms=4)
    ax.set_xlim(0, len(numbers) + 1)
    ax.set_xlabel("rank of the class, by what it loses")
    ax.set_ylabel("points lost")
    zero_line(ax, vertical=False)


def original_vs_multi_numbers(
    effects: pd.DataFrame, classes: pd.DataFrame, found: Collection[int]
) -> pd.DataFrame:
    """Each class's drop under the original label beside that under any annotated label."""
    original = effect_numbers(effects, classes, "original")
    multi = effect_numbers(effects, classes, "multi")
    both = original.merge(
        multi[["class_id", "drop", "low", "high", "images"]],
        on="class_id",
        suffixes=("", "_multi"),
    )
    columns = ["class_id", "name", "drop", "low", "high", "drop_multi", "low_multi", "high_multi"]
    both["found"] = both["class_id"].isin(found)
    return both[[*columns, "affected", "found", "images", "images_multi"]]


@styled
def original_vs_multi(
    effects: pd.DataFrame, classes: pd.DataFrame, found: Collection[int]
) -> Figure:
    """Every class's drop under the original label against that under any annotated label.

    Below the diagonal, annotations explain a part of the drop: the prediction that counts as an
    error names something that annotators saw too.

    Args:
        effects, classes: the tables of these names.
        found: the ids of the classes found to lose.
    """
    numbers = original_vs_multi_numbers(effects, classes, found)
    names = class_names(classes)
    figure = new_figure(3.7)
    ax = figure.subplots()
    drops = 100 * numbers[["drop", "drop_multi"]]
    low, high = float(drops.min().min()), float(drops.max().max())
    margin = 0.08 * max(high - low, 1.0)
    ends = (low - margin, high + margin)
    ax.plot(ends, ends, color=INK, alpha=0.4, linewidth=0.7, zorder=0)
    zero_line(ax)
    zero_line(ax, vertical=False)
    found = numbers["found"].to_numpy(bool)
    for some, colour, alpha in ((~found, INK, QUIET), (found, AFFECTED, 1.0)):
        ax.plot(
            drops["drop"][some], drops["drop_multi"][some], "o", color=colour, alpha=alpha,
            markersize=4 if alpha == 1 or len(numbers) <= NAMED_AT_MOST else 2, mew=0,
        )  # fmt: skip
    ax.set(xlim=ends, ylim=ends, aspect="equal")
    ax.set_xlabel("points lost, original label")
    ax.set_ylabel("points lost, any annotated label")
    ax.text(1.01, 1, "equal", transform=ax.transAxes, va="top", alpha=0.7)
    shown = (numbers["affected"] & (numbers["affected"].cumsum() <= LABELLED_AT_MOST)).to_numpy()
    points = drops.to_numpy(float)
    place_labels(
        ax,
        points[shown],
        [names[i] for i in numbers.loc[shown, "class_id"]],
        obstacles=points[~shown],
    )
    return figure

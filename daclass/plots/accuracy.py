"""Accuracy over strength, or of named conditions: the average, and single classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from daclass.plots.conditions import Conditions
from daclass.plots.style import (
    INK,
    LINE,
    QUIET,
    TRUTH_COLOURS,
    TRUTH_DASHES,
    TRUTH_MARKERS,
    TRUTH_NAMES,
    Dashes,
    class_names,
    end_labels,
    key,
    new_figure,
    panels,
    styled,
    truth_key,
    without_repetition,
)


def accuracy_numbers(accuracy: pd.DataFrame, conditions: Conditions) -> pd.DataFrame:
    """The conditions' accuracy over all validation pictures, in their order."""
    rows = conditions.place(accuracy[accuracy["half"] == "all"])
    columns = [
        "condition", "position", "truth", "accuracy", "low", "high", "macro", "macro_low",
        "macro_high", "seeds", "images",
    ]  # fmt: skip
    numbers = rows[columns].drop_duplicates(["condition", "truth"])
    ordered = numbers.sort_values(["truth", "position"], ascending=[False, True], ignore_index=True)
    return without_repetition(ordered, "accuracy")


@styled
def accuracy_by_strength(accuracy: pd.DataFrame, conditions: Conditions) -> Figure:
    """Average accuracy of each condition under both truths, with the interval as a band.

    Strengths are joined by a line; named conditions have no order and are dots with whiskers.

    Args:
        accuracy: the accuracy table.
        conditions: what the study compares.
    """
    numbers = accuracy_numbers(accuracy, conditions)
    figure = new_figure(2.5)
    ax = figure.subplots()
    ends = []
    for truth, rows in numbers.groupby("truth", sort=False):
        name = str(truth)
        percent = 100 * rows[["accuracy", "low", "high"]]
        with_band(ax, rows["position"], percent, name, joined=conditions.by_strength)
        ends.append((float(percent["accuracy"].iloc[-1]), TRUTH_NAMES[name]))
    conditions.mark(ax)
    ax.set_xlabel(conditions.label if conditions.by_strength else "")
    ax.set_ylabel("average accuracy (%)")
    ax.margins(y=0.12)
    if conditions.by_strength:
        end_labels(ax, float(numbers["position"].max()), ends)
    else:
        truth_key(figure, numbers["truth"], joined=False)
    return figure


def with_band(
    ax: Axes, places: pd.Series, percent: pd.DataFrame, truth: str, joined: bool = True
) -> None:
    """A truth's accuracy with its interval: a band around a line, or whiskers on dots.

    Args:
        ax: the axes.
        places: x of each condition.
        percent: columns accuracy, low and high, in percent.
        truth: "original" or "multi".
        joined: draw a line through the conditions.
    """
    colour = TRUTH_COLOURS[truth]
    if joined:
        ax.plot(places, percent["accuracy"], TRUTH_DASHES[truth], marker="o", color=colour)
        ax.fill_between(
            places, percent["low"], percent["high"], color=colour, alpha=0.18, linewidth=0
        )
        return
    shifted = places + (0.08 if truth == "multi" else 0.0)
    known = np.isfinite(percent["low"].to_numpy(float))
    ax.vlines(shifted[known], percent["low"][known], percent["high"][known], color=colour)
    ax.plot(shifted, percent["accuracy"], TRUTH_MARKERS[truth], color=colour)


def class_accuracy_numbers(
    counts: pd.DataFrame,
    classes: pd.DataFrame,
    class_ids: Sequence[int],
    conditions: Conditions,
) -> pd.DataFrame:
    """Accuracy of single classes, one row a (class, truth, seed, condition).

    Only the estimation half is used: the classes were chosen on the other one.
    """
    rows = _of_classes(counts, class_ids, conditions)
    names = classes.set_index("class_id")["name"]
    parts = [
        pd.DataFrame(
            {
                "class_id": rows["class_id"],
                "name": rows["class_id"].map(names),
                "truth": truth,
                "seed": rows["seed"],
                "condition": rows["condition"],
                "position": rows["position"],
                "accuracy": rows[correct] / rows[images].where(rows[images] > 0),
                "images": rows[images],
            }
        )
        for truth, correct, images in (
            ("original", "correct", "images"),
            ("multi", "correct_multi", "labelled"),
        )
    ]
    return without_repetition(pd.concat(parts, ignore_index=True), "accuracy")


@styled
def class_accuracy(
    counts: pd.DataFrame,
    classes: pd.DataFrame,
    class_ids: Sequence[int],
    conditions: Conditions,
) -> Figure:
    """Accuracy over strength of single classes: a thin line per seed and the mean in bold.

    Args:
        counts: the counts table.
        classes: the classes table.
        class_ids: the classes to show, in order; one panel each.
        conditions: what the study compares.
    """
    numbers = class_accuracy_numbers(counts, classes, class_ids, conditions)
    names = class_names(classes, longest=15)
    figure, axes = panels(len(class_ids), columns=3)
    for ax, class_id in zip(axes, class_ids, strict=True):
        of_class = numbers[numbers["class_id"] == class_id]
        for truth, rows in of_class.groupby("truth", sort=False):
            _seeds_and_mean(ax, rows, str(truth))
        ax.set_title(names[class_id])
        conditions.mark(ax, panel=True)
        ax.set(xlabel="", ylabel="")
    bottom, top = axes[0].get_ylim()
    axes[0].set_ylim(max(0.0, bottom), min(top, 103.0))
    truth_key(figure, numbers["truth"])
    _shared_labels(figure, conditions, "accuracy (%)")
    return figure


def false_positive_numbers(
    counts: pd.DataFrame,
    classes: pd.DataFrame,
    class_ids: Sequence[int],
    conditions: Conditions,
) -> pd.DataFrame:
    """False positives and false negatives under multi-label truth, estimation half."""
    rows = _of_classes(counts, class_ids, conditions)
    names = classes.set_index("class_id")["name"]
    return pd.DataFrame(
        {
            "class_id": rows["class_id"],
            "name": rows["class_id"].map(names),
            "seed": rows["seed"],
            "condition": rows["condition"],
            "position": rows["position"],
            "false_positives": rows["false_positives_multi"],
            "false_negatives": rows["false_negatives_multi"],
            "images": rows["labelled"],
        }
    ).reset_index(drop=True)


_ERRORS: dict[str, tuple[str, str, Dashes]] = {
    "false_positives": ("false positives", TRUTH_COLOURS["original"], "-"),
    "false_negatives": ("false negatives", INK, "--"),
}


@styled
def false_positives(
    counts: pd.DataFrame,
    classes: pd.DataFrame,
    class_ids: Sequence[int],
    conditions: Conditions,
) -> Figure:
    """False positives and false negatives over strength, one panel a class.

    Args:
        counts: the counts table.
        classes: the classes table.
        class_ids: the classes to show, in order: those that swallow others.
        conditions: what the study compares.
    """
    numbers = false_positive_numbers(counts, classes, class_ids, conditions)
    names = class_names(classes, longest=15)
    figure, axes = panels(len(class_ids), columns=3)
    for ax, class_id in zip(axes, class_ids, strict=True):
        mean = numbers[numbers["class_id"] == class_id].groupby("position").mean(numeric_only=True)
        for column, (_, colour, dashes) in _ERRORS.items():
            ax.plot(mean.index, mean[column], dashes, marker="o", markersize=3, color=colour)
        ax.set_title(names[class_id])
        conditions.mark(ax, panel=True)
        ax.set(xlabel="", ylabel="")
    axes[0].set_ylim(bottom=0)
    key(
        figure, [(name, colour, {"linestyle": dashes}) for name, colour, dashes in _ERRORS.values()]
    )
    _shared_labels(figure, conditions, "pictures, mean of runs")
    return figure


def _of_classes(
    counts: pd.DataFrame, class_ids: Sequence[int], conditions: Conditions
) -> pd.DataFrame:
    """The conditions' estimation half, for some classes."""
    wanted = counts["class_id"].isin(list(class_ids)) & (counts["half"] == "estimate")
    rows = conditions.place(counts[wanted])
    return rows.drop_duplicates(["class_id", "seed", "condition"]).sort_values(
        ["class_id", "seed", "position"], ignore_index=True
    )


def _seeds_and_mean(ax: Axes, rows: pd.DataFrame, truth: str) -> None:
    percent = rows.assign(accuracy=100 * rows["accuracy"]).dropna(subset="accuracy")
    if percent.empty:  # a class whose one picture is in the other half
        return
    look = {"color": TRUTH_COLOURS[truth], "linestyle": TRUTH_DASHES[truth]}
    if len(percent["seed"].unique()) > 1:
        sns.lineplot(
            percent, x="position", y="accuracy", units="seed", estimator=None, ax=ax,
            linewidth=0.6, alpha=QUIET, legend=False, **look,
        )  # fmt: skip
    sns.lineplot(
        percent, x="position", y="accuracy", estimator=np.mean, errorbar=None, ax=ax,
        linewidth=1.8, legend=False, marker=TRUTH_MARKERS[truth], markersize=4, markeredgewidth=0,
        **look,
    )  # fmt: skip


def _shared_labels(figure: Figure, conditions: Conditions, values: str) -> None:
    label, height = conditions.panel_label, figure.get_figheight()
    below = label.count("\n") * 1.2 * LINE / 72  # inches: the lines after the first
    figure.set_figheight(height + below)
    if label:
        figure.supxlabel(label, fontsize=LINE, color=INK)
    figure.supylabel(values, y=(height / 2 + below) / (height + below), fontsize=LINE, color=INK)

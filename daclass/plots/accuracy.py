"""Accuracy over strength: the average, and single classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from daclass.plots.style import (
    INK,
    LINE,
    QUIET,
    TRUTH_COLOURS,
    TRUTH_DASHES,
    TRUTH_NAMES,
    Dashes,
    class_names,
    end_labels,
    key,
    label_strengths,
    new_figure,
    panels,
    strength_label,
    styled,
    without_repetition,
)


def accuracy_numbers(accuracy: pd.DataFrame) -> pd.DataFrame:
    """The uniform policies' accuracy over all validation pictures, in order of strength."""
    rows = accuracy[(accuracy["half"] == "all") & accuracy["strength"].notna()]
    columns = ["strength", "truth", "accuracy", "low", "high", "seeds", "images"]
    numbers = rows[columns].drop_duplicates(["strength", "truth"])
    ordered = numbers.sort_values(["truth", "strength"], ascending=[False, True], ignore_index=True)
    return without_repetition(ordered, "accuracy")


@styled
def accuracy_by_strength(accuracy: pd.DataFrame, axis: str) -> Figure:
    """Average accuracy over strength under both truths, with the interval as a band.

    Args:
        accuracy: the accuracy table.
        axis: name of the axis that the strengths belong to.
    """
    numbers = accuracy_numbers(accuracy)
    figure = new_figure(2.5)
    ax = figure.subplots()
    ends = []
    for truth, rows in numbers.groupby("truth", sort=False):
        name = str(truth)
        colour = TRUTH_COLOURS[name]
        percent = 100 * rows[["accuracy", "low", "high"]]
        ax.plot(rows["strength"], percent["accuracy"], TRUTH_DASHES[name], marker="o", color=colour)
        ax.fill_between(
            rows["strength"], percent["low"], percent["high"], color=colour, alpha=0.18, linewidth=0
        )
        ends.append((float(percent["accuracy"].iloc[-1]), TRUTH_NAMES[name]))
    label_strengths(ax, numbers["strength"], at_most=9)
    ax.set_xlabel(strength_label(axis))
    ax.set_ylabel("average accuracy (%)")
    ax.margins(y=0.12)
    end_labels(ax, float(numbers["strength"].max()), ends)
    return figure


def class_accuracy_numbers(
    counts: pd.DataFrame, classes: pd.DataFrame, class_ids: Sequence[int]
) -> pd.DataFrame:
    """Accuracy of single classes, one row a (class, truth, seed, strength).

    Only the estimation half is used: the classes were chosen on the other one.
    """
    rows = _of_classes(counts, class_ids)
    names = classes.set_index("class_id")["name"]
    parts = [
        pd.DataFrame(
            {
                "class_id": rows["class_id"],
                "name": rows["class_id"].map(names),
                "truth": truth,
                "seed": rows["seed"],
                "strength": rows["strength"],
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
    counts: pd.DataFrame, classes: pd.DataFrame, class_ids: Sequence[int], axis: str = "rrc_scale"
) -> Figure:
    """Accuracy over strength of single classes: a thin line a seed and the mean in bold.

    Args:
        counts: the counts table.
        classes: the classes table.
        class_ids: the classes to show, in order; one panel each.
        axis: name of the axis that the strengths belong to.
    """
    numbers = class_accuracy_numbers(counts, classes, class_ids)
    names = class_names(classes, longest=15)
    figure, axes = panels(len(class_ids), columns=3)
    for ax, class_id in zip(axes, class_ids, strict=True):
        of_class = numbers[numbers["class_id"] == class_id]
        for truth, rows in of_class.groupby("truth", sort=False):
            _seeds_and_mean(ax, rows, str(truth))
        ax.set_title(names[class_id])
        label_strengths(ax, numbers["strength"], at_most=3)
        ax.set(xlabel="", ylabel="")
    bottom, top = axes[0].get_ylim()
    axes[0].set_ylim(max(0.0, bottom), min(top, 103.0))
    key(
        figure,
        [
            (TRUTH_NAMES[t], TRUTH_COLOURS[t], {"linestyle": TRUTH_DASHES[t]})
            for t in numbers["truth"].unique()
        ],
    )
    _shared_labels(figure, axis, "accuracy (%)")
    return figure


def false_positive_numbers(
    counts: pd.DataFrame, classes: pd.DataFrame, class_ids: Sequence[int]
) -> pd.DataFrame:
    """False positives and false negatives under multi-label truth, estimation half."""
    rows = _of_classes(counts, class_ids)
    names = classes.set_index("class_id")["name"]
    return pd.DataFrame(
        {
            "class_id": rows["class_id"],
            "name": rows["class_id"].map(names),
            "seed": rows["seed"],
            "strength": rows["strength"],
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
    counts: pd.DataFrame, classes: pd.DataFrame, class_ids: Sequence[int], axis: str = "rrc_scale"
) -> Figure:
    """False positives and false negatives over strength, one panel a class.

    Args:
        counts: the counts table.
        classes: the classes table.
        class_ids: the classes to show, in order: those that swallow others.
        axis: name of the axis that the strengths belong to.
    """
    numbers = false_positive_numbers(counts, classes, class_ids)
    names = class_names(classes, longest=15)
    figure, axes = panels(len(class_ids), columns=3)
    for ax, class_id in zip(axes, class_ids, strict=True):
        mean = numbers[numbers["class_id"] == class_id].groupby("strength").mean(numeric_only=True)
        for column, (_, colour, dashes) in _ERRORS.items():
            ax.plot(mean.index, mean[column], dashes, marker="o", markersize=3, color=colour)
        ax.set_title(names[class_id])
        label_strengths(ax, numbers["strength"], at_most=3)
        ax.set(xlabel="", ylabel="")
    axes[0].set_ylim(bottom=0)
    key(
        figure, [(name, colour, {"linestyle": dashes}) for name, colour, dashes in _ERRORS.values()]
    )
    _shared_labels(figure, axis, "pictures, mean of seeds")
    return figure


def _of_classes(counts: pd.DataFrame, class_ids: Sequence[int]) -> pd.DataFrame:
    """The uniform runs' estimation half, for some classes."""
    wanted = counts["class_id"].isin(list(class_ids)) & (counts["half"] == "estimate")
    rows = counts[wanted & counts["strength"].notna()]
    return rows.drop_duplicates(["class_id", "seed", "strength"]).sort_values(
        ["class_id", "seed", "strength"], ignore_index=True
    )


def _seeds_and_mean(ax: Axes, rows: pd.DataFrame, truth: str) -> None:
    percent = rows.assign(accuracy=100 * rows["accuracy"])
    look = {"color": TRUTH_COLOURS[truth], "linestyle": TRUTH_DASHES[truth]}
    if len(percent["seed"].unique()) > 1:
        sns.lineplot(
            percent, x="strength", y="accuracy", units="seed", estimator=None, ax=ax,
            linewidth=0.6, alpha=QUIET, legend=False, **look,
        )  # fmt: skip
    sns.lineplot(
        percent, x="strength", y="accuracy", estimator=np.mean, errorbar=None, ax=ax,
        linewidth=1.8, legend=False, **look,
    )  # fmt: skip


def _shared_labels(figure: Figure, axis: str, values: str) -> None:
    figure.supxlabel(strength_label(axis), fontsize=LINE, color=INK)
    figure.supylabel(values, fontsize=LINE, color=INK)

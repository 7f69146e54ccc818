"""How much of the drop multi-label annotations explain."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from daclass.plots.style import (
    LINE,
    PINK,
    TRUTH_COLOURS,
    TRUTH_MARKERS,
    TRUTH_NAMES,
    intervals,
    key,
    new_figure,
    styled,
    zero_line,
)

_ROWS = {
    ("affected", "best"): "followed-up classes,\nfrom own best",
    ("affected", "fixed"): "followed-up classes,\nfrom the reference",
    ("all", "best"): "all classes,\nfrom own best",
    ("all", "fixed"): "all classes,\nfrom the reference",
}
_SHIFT = 0.16  # distance of two marks in one row


def explained_numbers(explained: pd.DataFrame) -> pd.DataFrame:
    """The groups and references in the order of the figure."""
    place = {key: i for i, key in enumerate(_ROWS)}
    order = [
        place.get(key, len(place))
        for key in zip(explained["group"], explained["reference"], strict=True)
    ]
    return explained.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)


@styled
def drop_explained(explained: pd.DataFrame) -> Figure:
    """Mean drop of groups of classes under both truths, and the share that annotations explain.

    Args:
        explained: the explained table.
    """
    numbers = explained_numbers(explained)
    figure = new_figure(1.1 + 0.42 * len(numbers))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    rows = np.arange(len(numbers), dtype=float)
    for truth, shift in (("original", -_SHIFT), ("multi", _SHIFT)):
        look = (TRUTH_COLOURS[truth], TRUTH_MARKERS[truth])
        _marks(left, numbers, f"drop_{truth}", rows + shift, look)
    look = (TRUTH_COLOURS["multi"], TRUTH_MARKERS["multi"])
    _marks(right, numbers, "explained", rows - _SHIFT, look)
    _marks(right, numbers, "control", rows + _SHIFT, (PINK, "s"))
    for row in rows[numbers["explained"].isna()]:
        right.annotate(
            "withheld", (0, row - _SHIFT), xytext=(4, 0), textcoords="offset points", va="center",
            fontsize=LINE - 1, alpha=0.75,
        )  # fmt: skip
    keys = zip(numbers["group"], numbers["reference"], strict=True)
    left.set_yticks(rows, [_ROWS.get(key, " ".join(key)) for key in keys])
    left.set_ylim(len(numbers) - 0.5, -0.5)
    left.set_xlabel("points lost")
    right.set_xlabel("share explained (%)")
    for ax in (left, right):
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        zero_line(ax)
    marks = [
        (TRUTH_NAMES[truth], TRUTH_COLOURS[truth], {"marker": TRUTH_MARKERS[truth]})
        for truth in ("original", "multi")
    ]
    key(figure, [*marks, ("random labels", PINK, {"marker": "s"})])
    return figure


def _marks(
    ax: Axes, numbers: pd.DataFrame, value: str, rows: np.ndarray, look: tuple[str, str]
) -> None:
    colour, marker = look
    low, high = (100 * numbers[f"{value}_{end}"] for end in ("low", "high"))
    intervals(ax, low, high, rows, color=colour, linewidth=1.1)
    ax.plot(100 * numbers[value], rows, marker, color=colour, markersize=4, mew=0)
    ax.margins(x=0.12)

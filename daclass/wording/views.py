"""What the view makes of a study's findings, as words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from daclass.wording.contrast import Contrast
from daclass.wording.numbers import bracket, points

Row = Mapping[str, Any]

VIEW = (
    "A view is the central square of a judged picture that a network is shown, by the share of the "
    "shorter side that it keeps; another view takes no training."
)


def average_at_best(found: Row | None, contrast: Contrast) -> str:
    """What the tested strength buys where both strengths are judged at their own best view, and
    what of the change at the common view that view made; "" where there is one view.

    Args:
        found: `findings.view` of summary.json.
    """
    if found is None:
        return ""
    change, part = found["change"], found["view_part"]
    same = found["reference_view"] == found["tested_view"] == found["common"]
    if same:
        return f"Both strengths do best at the common view, {found['common']:g}"
    gain = f"{points(change['value'], 1, signed=True)}{bracket(change['low'], change['high'])}"
    made = f"{points(part['value'], 1, signed=True)}{bracket(part['low'], part['high'])}"
    alone = " (one run of each gives no interval)" if change["low"] is None else ""
    return (
        f"Each strength at its best view ({best_views(found, contrast)}): {gain} points "
        f"{contrast.change} on average; "
        f"the common view, {found['common']:g}, adds {made} to that{alone}"
    )


def best_views(found: Row, contrast: Contrast) -> str:
    """ "1 for 0.99, 0.875 for 0.5"."""
    return (
        f"{found['reference_view']:g} for {contrast.named(contrast.reference)}, "
        f"{found['tested_view']:g} for {contrast.named(contrast.tested)}"
    )


def paying_by_view(lose: int, by_view: int, common: float) -> str:
    """How many classes lose only where both strengths are shown at the common view, in one
    sentence; "" where none does."""
    if not by_view:
        return ""
    more = "more " if lose else ""
    verb = "loses" if by_view == 1 else "lose"
    return (
        f"{by_view:,} {more}{verb} only where both strengths are shown at view {common:g}; with "
        "each at its best view no loss is found, and that takes no training."
    )

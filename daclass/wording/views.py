"""What the view makes of a study's findings, as words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from daclass.wording.contrast import Contrast
from daclass.wording.numbers import bracket, points

Row = Mapping[str, Any]


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
        f"Each strength at its best view ({_best_views(found, contrast)}): {gain} points "
        f"{contrast.change} on average; "
        f"the common view, {found['common']:g}, adds {made} to that{alone}"
    )


def gain_is_the_views(found: Row | None, contrast: Contrast) -> str:
    """That what the tested strength buys may be had by another view, in one sentence; "" where it
    is certain at the best views too.

    Args:
        found: `findings.view` of summary.json.
    """
    if found is None or found["change"]["low"] is None or found["change"]["low"] > 0:
        return ""
    change = found["change"]
    gain = f"{points(change['value'], 1, signed=True)}{bracket(change['low'], change['high'])}"
    return (
        f"With each strength at its best view ({_best_views(found, contrast)}) the change is "
        f"{gain} points: another view of the same networks may do as much, without training."
    )


def _best_views(found: Row, contrast: Contrast) -> str:
    return (
        f"{found['reference_view']:g} for {contrast.named(contrast.reference)}, "
        f"{found['tested_view']:g} for {contrast.named(contrast.tested)}"
    )


def paying_by_view(lose: int, by_view: int, common: float) -> str:
    """How many classes lose at the common view alone, in one sentence; "" where none does."""
    if not by_view:
        return ""
    more = "more " if lose else ""
    verb = "loses" if by_view == 1 else "lose"
    return (
        f"{by_view:,} {more}{verb} at the common view alone, {common:g}: with each strength at its "
        "best view the loss is not found, and that takes no training."
    )

"""Verdicts: the codes that `summary.json` holds, and their words.

Every question has three states: found, not found, and cannot tell. A code says which, once, and
everything that is written follows from the code.
"""

from __future__ import annotations

import math
from typing import Literal

Direction = Literal["up", "down", "undecided", "untested"]
Finding = Literal["found", "none found", "powerless", "untested"]

UNDECIDED = "undecided"
CANNOT_TELL = "cannot tell"
NO_CLASS_FOUND = "no single class found"
FOLLOWED_UP = "chosen for follow-up"
FOUND_TO_LOSE = "found to lose"
TWO_NETWORKS = (
    "This is about these two networks and new pictures; it says nothing of other runs of their "
    "recipes."
)


def direction(low: float | None, high: float | None) -> Direction:
    """What an interval of a change says: it went up, down, either, or there is no interval."""
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return "untested"
    if low > 0:
        return "up"
    return "down" if high < 0 else "undecided"


def finding(tested: int, lose: int, powerless: bool = False) -> Finding:
    """Whether a test over all classes has found any that loses.

    Args:
        tested: number of classes with a p-value; 0 where one run per condition allows no test.
        lose: number of classes that lose at the study's false discovery rate.
        powerless: whether not even the loss of all accuracy would be found in a middling class.
    """
    if not tested:
        return "untested"
    if lose:
        return "found"
    return "powerless" if powerless else "none found"


def decided(verdict: Direction, up: str, down: str) -> str:
    """The words for a direction; what can be said of neither is the same everywhere."""
    words = {
        "up": up,
        "down": down,
        "undecided": f"{UNDECIDED}, since the interval holds zero",
        "untested": f"{UNDECIDED}, since one run gives no interval",
    }
    return words[verdict]

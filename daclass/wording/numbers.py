"""How numbers, amounts and intervals are written."""

from __future__ import annotations

import math
from collections.abc import Iterable

UNKNOWN = "–"


def number(value: float | None, digits: int = 0, signed: bool = False) -> str:
    """A rounded number with a true minus sign; "–" where it is missing."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    rounded = round(float(value), digits) + 0.0  # + 0.0 turns -0.0 into 0.0
    text = f"{abs(rounded):,.{digits}f}"
    if rounded < 0:
        return f"−{text}"
    return f"+{text}" if signed and rounded > 0 else text


def percent(share: float | None, digits: int = 1) -> str:
    """A share as a percentage, such as "81.3%"."""
    text = number(_hundredfold(share), digits)
    return text if text == UNKNOWN else f"{text}%"


def points(share: float | None, digits: int = 0, signed: bool = False) -> str:
    """A difference of shares in percentage points, without the unit."""
    return number(_hundredfold(share), digits, signed)


def bracket(low: float | None, high: float | None, digits: int = 1) -> str:
    """An interval of shares in points after its number, such as " [12.1, 19.0]"; "" without one.

    A ratio's may have infinite ends.
    """
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return ""
    start = "(−∞" if low == -math.inf else f"[{points(low, digits)}"
    end = "∞)" if high == math.inf else f"{points(high, digits)}]"
    return f" {start}, {end}"


def chance(value: float | None) -> str:
    """A p- or q-value with no more digits than it deserves."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value < 0.001:
        return "<0.001"
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def counted(count: int, one: str, many: str = "") -> str:
    """An amount with its noun: "1 class", "24 classes", "no class"."""
    if count == 0:
        return f"no {one}"
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def span(least: int, most: int, one: str, many: str = "") -> str:
    """A range of amounts with its noun: "50 pictures", "40 to 50 pictures"."""
    if least == most:
        return counted(most, one, many)
    return f"{least:,} to {counted(most, one, many)}"


def duration(seconds: float) -> str:
    """Wall time such as "45 s", "6 min" or "2.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def listed(items: Iterable[str], at_most: int | None = None) -> str:
    """ "a, b and c"; of more than `at_most` items the first ones and how many follow."""
    parts = list(items)
    if at_most is not None and len(parts) > at_most:
        parts = [*parts[:at_most], f"{len(parts) - at_most:,} more"]
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def sentence(text: str) -> str:
    """With a capital first letter; names within stay as they are."""
    return text[:1].upper() + text[1:]


def _hundredfold(share: float | None) -> float | None:
    return None if share is None else 100 * share

"""How numbers and names are written in the report's text. All are template filters."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Iterable
from typing import Any

from markupsafe import Markup, escape

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


def _hundredfold(share: float | None) -> float | None:
    return None if share is None else 100 * share


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
    """A number with its noun: "1 class", "24 classes", "no class"."""
    if count == 0:
        return f"no {one}"
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def sentence(text: str) -> str:
    """With a capital first letter; names within stay as they are."""
    return text[:1].upper() + text[1:]


def name(text: Any) -> Markup:
    """A class name, kept apart from the direction of the text around it."""
    return Markup("<bdi>{}</bdi>").format(text)


def listing(items: Iterable[Any]) -> Markup:
    """ "a, b and c", each item escaped unless it already is markup."""
    parts = [escape(item) for item in items]
    if len(parts) < 2:
        return Markup("").join(parts)
    return Markup(", ").join(parts[:-1]) + Markup(" and ") + parts[-1]


def duration(seconds: float) -> str:
    """Wall time such as "45 s", "6 min" or "2.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def digest(script: str) -> Markup:
    """How a content security policy names an inline script that may run."""
    content = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return Markup("'sha256-{}'").format(content)


FILTERS = {
    filter_.__name__: filter_
    for filter_ in (
        number,
        percent,
        points,
        chance,
        counted,
        sentence,
        name,
        listing,
        duration,
        digest,
    )
}

"""How the names of classes and conditions are written inside other text."""

from __future__ import annotations

import unicodedata


def shorten(name: str, longest: int) -> str:
    """At most `longest` letters, the last one an ellipsis where some were cut."""
    return name if len(name) <= longest else name[: longest - 1].rstrip() + "…"


def isolate(name: str) -> str:
    """Wrap a right-to-left name, so that "A → B" is not reordered to "B → A"."""
    right_to_left = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in name)
    return f"\u2068{name}\u2069" if right_to_left else name

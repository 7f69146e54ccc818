"""How the names of classes and conditions are written inside other text."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

BEGINNING = 4  # letters that are kept of what names have in common


def shorten(name: str, longest: int) -> str:
    """At most `longest` letters, the last one an ellipsis where some were cut."""
    return name if len(name) <= longest else name[: longest - 1].rstrip() + "…"


def shorten_apart(names: Sequence[str], longest: int) -> list[str]:
    """`shorten` each; of names that would then look alike, leave out what they have in common."""
    cut = [shorten(name, longest) for name in names]
    alike: dict[str, list[str]] = {}
    for name, short in zip(names, cut, strict=True):
        alike.setdefault(short, []).append(name)
    for place, (name, short) in enumerate(zip(names, cut, strict=True)):
        letters = enumerate(zip(*alike[short], strict=False))
        differ = next((i for i, each in letters if len(set(each)) > 1), len(name))
        if short != name and differ < len(name):
            start = max(name.rfind(" ", 0, differ) + 1, differ - (longest - BEGINNING) // 2)
            if start > BEGINNING:
                rest = shorten(name[start:], longest - BEGINNING - 1)
                cut[place] = f"{name[:BEGINNING].rstrip()}…{rest}"
    return cut


def isolate(name: str) -> str:
    """Wrap a right-to-left name, so that "A → B" is not reordered to "B → A"."""
    right_to_left = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in name)
    return f"\u2068{name}\u2069" if right_to_left else name

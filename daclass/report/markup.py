"""What makes text safe in the page; with the words of `daclass.wording`, the templates' filters."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import Any

from markupsafe import Markup, escape

from daclass.wording.numbers import chance, counted, duration, number, percent, points, sentence


def name(text: Any) -> Markup:
    """A class name, kept apart from the direction of the text around it."""
    return Markup("<bdi>{}</bdi>").format(text)


def listing(items: Iterable[Any]) -> Markup:
    """ "a, b and c", each item escaped unless it already is markup."""
    parts = [escape(item) for item in items]
    if len(parts) < 2:
        return Markup("").join(parts)
    return Markup(", ").join(parts[:-1]) + Markup(" and ") + parts[-1]


def digest(script: str) -> Markup:
    """How a content security policy names an inline script that may run."""
    content = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return Markup("'sha256-{}'").format(content)


FILTERS = {
    filter_.__name__: filter_
    for filter_ in (
        number, percent, points, chance, counted, sentence, name, listing, duration, digest,
    )
}  # fmt: skip

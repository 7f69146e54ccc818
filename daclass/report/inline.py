"""Puts the SVG files of the figures into the page."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from markupsafe import Markup

from daclass.errors import InputError
from daclass.plots import FIGURES


def inline_figures(folder: Path) -> dict[str, Markup | None]:
    """All figures: stem -> SVG element that follows the page's theme; None where it is missing."""
    files = {stem: folder / f"{stem}.svg" for stem in FIGURES}
    return {
        stem: _inline(file, FIGURES[stem].title) if file.is_file() else None
        for stem, file in files.items()
    }


def _inline(file: Path, title: str) -> Markup:
    try:
        root = ET.fromstring(file.read_bytes())
    except ET.ParseError as error:
        raise InputError(f"{file}: not a readable SVG file ({error}); draw it again") from None
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]  # HTML knows svg without its namespace
    for standalone in (*root.findall("style"), *root.findall("title")):
        root.remove(standalone)  # theme and name come from the page
    root.set("role", "img")
    root.set("aria-label", title)
    return Markup(ET.tostring(root, encoding="unicode"))
